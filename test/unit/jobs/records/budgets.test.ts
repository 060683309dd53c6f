// Budgets of orders: within the limit of an order and of a day, beside other orders, processes and crashes.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Store } from '../../../../src/domain/ports.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { type CostLimits, createBudgets, type OpenBudget } from '../../../../src/jobs/records/budgets.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let stores: Store[]
let owner: string
let time: number

beforeAll(async () => {
  folder = await tempFolder()
  // Two processes.
  stores = [sqliteStore({ folder: folder.path }), sqliteStore({ folder: folder.path })]
})
afterAll(async () => {
  await Promise.all(stores.map(store => store.close()))
  await folder.remove()
})
beforeEach(() => {
  owner = randomUUID()
  time = Date.parse('2026-03-01T22:00:00Z')
})

const open = (order: string, limits: CostLimits, process = 0): OpenBudget =>
  createBudgets(stores[process]!, { isStrict: true, ...limits }, () => time)(owner, order)

const recorded = async () => {
  const all = await stores[0]!.listSpending('2026-03')
  return all
    .filter(one => one.owner === owner)
    .map(({ day, usd, held }) => ({ day, usd, held: Object.keys(held) }))
}

/** Asks for something that costs this much, and pays it. */
async function spend(budget: OpenBudget, usd: number): Promise<void> {
  const part = budget.open()
  const { settle } = await part.charge(usd)
  settle(usd)
  part.close()
}

describe('the limit of an order', () => {
  it('is kept by all parts of the order together', async () => {
    const budget = open('a', { orderUsd: 1 })
    await spend(budget, 0.6)
    const part = budget.open()
    await expect(part.reserve(0.5)).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
      message: 'This would cost $1.10, more than the limit of $1.00.',
    })
    await part.reserve(0.4)
    await expect(spend(budget, 0.1)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    part.close()
    await spend(budget, 0.4)
    await budget.close()
    expect(await recorded()).toEqual([{ day: '2026-03-01', usd: 1, held: [] }])
  })

  it('is kept by requests at once, and gives back those that are not billed', async () => {
    const part = open('a', { orderUsd: 1 }).open()
    const charges = await Promise.allSettled([part.charge(0.4), part.charge(0.4), part.charge(0.4)])
    expect(charges.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    if (charges[0]!.status === 'fulfilled') charges[0]!.value.settle(0)
    const third = await part.charge(0.4)
    await expect(third.raise(0.7)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    await third.raise(0.6)
  })

  it('counts what an earlier attempt has paid, which is recorded once', async () => {
    const budget = open('a', { orderUsd: 1 })
    const part = budget.open()
    part.payEarlier(0.7)
    await expect(part.charge(0.4)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    await budget.close()
    expect(await recorded()).toEqual([])
  })
})

describe('the limit of a day', () => {
  it('is kept by orders of several processes at once', async () => {
    const parts = [0, 1, 0, 1].map(process => open(randomUUID(), { dayUsd: 1 }, process).open())
    const outcomes = await Promise.allSettled(parts.map(part => part.reserve(0.4)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  })

  it('says what was spent and reserved, and when it begins anew', async () => {
    await spend(open('a', { dayUsd: 1 }), 0.5)
    await open('b', { dayUsd: 1 }, 1).open().reserve(0.3)
    const error: unknown = await open('c', { dayUsd: 1 })
      .open()
      .reserve(0.25)
      .catch(error => error)
    expect(error).toMatchObject({
      code: 'DAY_LIMIT_REACHED',
      message:
        'This would cost up to $0.2500; of the limit of $1.00 a day, $0.5000 are spent and $0.3000 reserved by others under way.',
      hint: expect.stringMatching(
        /^Call again when the recordings under way are done\. .*anew at 00:00 UTC on 2026-03-02; .*SPEECH_MAX_COST_USD_PER_DAY/,
      ),
    })
    await expect(open('c', { dayUsd: 1 }).open().reserve(0.6)).rejects.toMatchObject({
      hint: expect.stringMatching(/^The limit begins anew at/),
    })
    time += 2 * 3_600_000
    await open('c', { dayUsd: 1 }).open().reserve(0.9)
  })

  it('lets through what costs nothing, and counts each owner for itself', async () => {
    await spend(open('a', { dayUsd: 1 }), 1)
    const part = open('b', { dayUsd: 1 }).open()
    await part.reserve(0)
    await part.charge(0)
    await expect(part.charge(0.01)).rejects.toMatchObject({ code: 'DAY_LIMIT_REACHED' })
    owner = randomUUID()
    await open('b', { dayUsd: 1 }).open().reserve(1)
  })

  it('gives back what an order has reserved and not paid', async () => {
    const budget = open('a', { dayUsd: 1 })
    const part = budget.open()
    await part.reserve(0.9)
    const { settle } = await part.charge(0.2)
    settle(0.2)
    await budget.close()
    expect(await recorded()).toEqual([{ day: '2026-03-01', usd: 0.2, held: [] }])
    await open('b', { dayUsd: 1 }).open().reserve(0.8)
  })

  it('is given back by a process that has died: to the same order at once, to others after 15 minutes', async () => {
    await open('a', { dayUsd: 1 }).open().reserve(0.9)
    await open('a', { dayUsd: 1 }, 1).open().reserve(0.9)
    time += 14 * 60_000
    await expect(open('b', { dayUsd: 1 }).open().reserve(0.2)).rejects.toMatchObject({
      code: 'DAY_LIMIT_REACHED',
    })
    time += 2 * 60_000
    await open('b', { dayUsd: 1 }).open().reserve(1)
  })
})

describe('a store that fails', () => {
  const failure = new SpeechError('STORE_FAILED', 'No.', { hint: 'Repair it.' })
  const broken = { updateSpending: () => Promise.reject(failure), listSpending: async () => [] }

  it('stops an order only where a limit a day depends on it', async () => {
    const budget = createBudgets(broken, { orderUsd: 1 })(owner, 'a')
    await spend(budget, 0.5)
    await budget.close()
    const limited = createBudgets(broken, { dayUsd: 1 })(owner, 'a')
    await expect(limited.open().reserve(0.1)).rejects.toBe(failure)
    await limited.close()
  })
})
