// The adaptive rate limiter beside several owners: turns, and the part that none of them uses alone.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import {
  type AdaptiveRateLimiter,
  createAdaptiveRateLimiter,
} from '../../../../src/drivers/http/rate-limiter.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

const create = (perMinute: number, concurrency: number) =>
  createAdaptiveRateLimiter({ perMinute, concurrency, now: () => Date.now() })

/** Makes requests of one job each, and collects the second in which each begins, with its owner. */
function ask(limiter: AdaptiveRateLimiter, started: [string, number][], seconds = 0) {
  return (owner: string, count: number) => {
    const request = async () => {
      started.push([owner, Math.round(Date.now() / 100) / 10])
      if (seconds) await new Promise(resolve => setTimeout(resolve, seconds * 1000))
    }
    return Array.from({ length: count }, () => limiter.run(request, new AbortController().signal, owner))
  }
}

it('an owner alone uses the whole limit, at once and in a minute', async () => {
  const started: [string, number][] = []
  const all = ask(create(16, 16), started)('ann', 20)
  await vi.advanceTimersByTimeAsync(59_000)
  expect(started).toEqual(Array(16).fill(['ann', 0]))
  await vi.runAllTimersAsync()
  await Promise.all(all)
})

it('many jobs of one owner leave a place to another owner, whose one job comes at once', async () => {
  const started: [string, number][] = []
  const request = ask(create(1_000, 8), started, 10)
  const all = request('ben', 1)
  await vi.advanceTimersByTimeAsync(10_000)
  all.push(...request('ann', 20))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(started.slice(1)).toEqual(Array(7).fill(['ann', 10]))
  all.push(...request('ben', 1))
  await vi.advanceTimersByTimeAsync(0)
  expect(started.at(-1)).toEqual(['ben', 15])
  await vi.runAllTimersAsync()
  await Promise.all(all)
  // Another place is kept while that one is used.
  expect(started.slice(9, 16)).toEqual([...Array(6).fill(['ann', 20]), ['ann', 25]])
})

it.each([
  [2, 2],
  [4, 3],
  [7, 6],
])('of %i requests at once, one of two owners has %i', async (concurrency, most) => {
  const started: [string, number][] = []
  const request = ask(create(1_000, concurrency), started, 10)
  const all = request('ben', 1)
  await vi.advanceTimersByTimeAsync(10_000)
  all.push(...request('ann', 20))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(started.slice(1)).toEqual(Array(most).fill(['ann', 10]))
  await vi.runAllTimersAsync()
  await Promise.all(all)
})

it('an owner has the whole limit again when no other one has come for ten minutes', async () => {
  const started: [string, number][] = []
  const request = ask(create(16, 16), started)
  const all = request('ben', 1)
  await vi.advanceTimersByTimeAsync(601_000)
  all.push(...request('ann', 16))
  await vi.advanceTimersByTimeAsync(0)
  expect(started.slice(1)).toEqual(Array(16).fill(['ann', 601]))
  await Promise.all(all)
})

it('the owner with fewer requests under way comes first, whatever the number of its jobs', async () => {
  const started: [string, number][] = []
  const request = ask(create(1_000, 2), started, 10)
  const all = [...request('ann', 4), ...request('ben', 2)]
  await vi.runAllTimersAsync()
  await Promise.all(all)
  expect(started.map(([owner]) => owner)).toEqual(['ann', 'ann', 'ben', 'ann', 'ben', 'ann'])
})

it('an owner that fills the minute leaves room in it, and its requests are spread over the rest', async () => {
  const started: [string, number][] = []
  const request = ask(create(80, 100), started)
  const all = request('ben', 1)
  await vi.advanceTimersByTimeAsync(60_000)
  all.push(...request('ann', 300))
  await vi.advanceTimersByTimeAsync(59_000)
  const anns = started
    .filter(([owner]) => owner === 'ann')
    .map(([, second]) => Math.round(10 * second - 600) / 10)
  // Its share at once, then one after the other at the rate that leaves an eighth of it.
  expect(anns.slice(0, 36)).toEqual([...Array(35).fill(0), 0.9])
  expect(anns.length).toBe(70)
  for (let i = 0; i < 120; i++) {
    all.push(...request('ben', 1))
    await vi.advanceTimersByTimeAsync(0)
    expect(started.at(-1)![0]).toBe('ben')
    await vi.advanceTimersByTimeAsync(2_000)
  }
  const inMinute = started.map(
    ([, from]) => started.filter(([, second]) => second >= from && second < from + 59.8).length,
  )
  expect(Math.max(...inMinute)).toBeLessThanOrEqual(80)
  await vi.runAllTimersAsync()
  await Promise.all(all)
})
