// Loops over long lists take turns, and lists that are sorted in turns.
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { isTurnOver, nextTurn, sortInTurns } from '../../../../src/domain/waiting/turns.ts'

it('a list sorted in turns is the sorted list, with equal items in their order', async () => {
  const items = fc.array(fc.record({ key: fc.nat(20), at: fc.nat() }), { maxLength: 50 })
  await fc.assert(
    fc.asyncProperty(items, fc.nat(300), async (some, repeats) => {
      const list = Array.from({ length: repeats }, () => some).flat()
      const given = list.map((item, at) => ({ ...item, at }))
      const sorted = await sortInTurns(given, (a, b) => a.key - b.key)
      expect(sorted).toEqual(given.toSorted((a, b) => a.key - b.key))
    }),
    { seed: 20261201, numRuns: 40 },
  )
})

it('a turn is over after some milliseconds, and the next one begins when other work has run', async () => {
  let now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
  try {
    await nextTurn()
    expect(isTurnOver()).toBe(false)
    now += 10
    expect(isTurnOver()).toBe(true)
    const order: string[] = []
    const other = setImmediate().then(() => order.push('other'))
    await nextTurn().then(() => order.push('next'))
    await other
    expect(order).toEqual(['other', 'next'])
    expect(isTurnOver()).toBe(false)
  } finally {
    clock.mockRestore()
  }
})
