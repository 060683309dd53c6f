// The record of costs in the contract of the `Store` port.
import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'

export function spendingContract(open: () => Store): void {
  describe('costs', () => {
    const add = (store: Store, owner: string, day: string, usd: number) =>
      store.updateSpending(owner, day, before => ({ ...before, usd: before.usd + usd }))

    it('changes of several processes at once are all counted', async () => {
      const stores = [open(), open(), open()]
      await Promise.all(stores.flatMap(store => [1, 2, 4].map(usd => add(store, 'ann', '2026-03-01', usd))))
      expect(await open().listSpending('2026-03')).toEqual([
        { owner: 'ann', day: '2026-03-01', usd: 21, held: {} },
      ])
    })

    it('the record of a month has all owners and days, and no other month', async () => {
      const store = open()
      expect(await store.listSpending('2026-03')).toEqual([])
      await add(store, 'ben 陈', '2026-03-02', 1)
      const held = { order: { usd: 2, until: 5 } }
      await store.updateSpending('ann', '2026-03-02', () => ({ usd: 0.25, held }))
      for (const day of ['2026-02-28', '2026-03-31', '2026-04-01']) await add(store, 'ann', day, 3)
      expect(await open().listSpending('2026-03')).toEqual([
        { owner: 'ann', day: '2026-03-02', usd: 0.25, held },
        { owner: 'ben 陈', day: '2026-03-02', usd: 1, held: {} },
        { owner: 'ann', day: '2026-03-31', usd: 3, held: {} },
      ])
    })

    it('a change that throws is thrown, and changes nothing', async () => {
      const store = open()
      await add(store, 'ann', '2026-03-01', 1)
      const refused = store.updateSpending('ann', '2026-03-01', () => {
        throw new RangeError('Too dear.')
      })
      await expect(refused).rejects.toThrow()
      await add(store, 'ann', '2026-03-01', 1)
      expect(await store.listSpending('2026-03')).toMatchObject([{ usd: 2 }])
    })
  })
}
