// The adaptive rate limiter: requests a minute, concurrency, aborted callers, and slowing down while a provider throttles.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, SpeechError } from '../../../../src/domain/errors.ts'
import {
  type AdaptiveRateLimiter,
  createAdaptiveRateLimiter,
  reportThrottling,
} from '../../../../src/drivers/http/rate-limiter.ts'
import { never } from '../../../support/servers/dashscope-client.ts'

const failed = new SpeechError('PROVIDER_FAILED', 'It failed.', { hint: 'Wait.', retryable: true })

describe('the adaptive rate limiter', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const create = (perMinute: number, concurrency: number) =>
    createAdaptiveRateLimiter({ perMinute, concurrency, now: () => Date.now() })

  /** Starts `count` requests of this length, and collects the second in which each begins. */
  function run(
    limiter: AdaptiveRateLimiter,
    count: number,
    seconds = 0,
  ): { startedAt: number[]; all: Promise<unknown> } {
    const startedAt: number[] = []
    const request = async () => {
      startedAt.push(Date.now() / 1000)
      if (seconds) await new Promise(resolve => setTimeout(resolve, seconds * 1000))
    }
    return { startedAt, all: Promise.all(Array.from({ length: count }, () => limiter.run(request, never))) }
  }

  it('the adaptive rate limiter starts at most the given number of requests in any sixty seconds', async () => {
    const { startedAt, all } = run(create(3, 10), 7)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(startedAt).toEqual([0, 0, 0])
    await vi.advanceTimersByTimeAsync(1)
    expect(startedAt).toEqual([0, 0, 0, 60, 60, 60])
    await vi.runAllTimersAsync()
    expect(startedAt.at(-1)).toBe(120)
    await all
  })

  it('the adaptive rate limiter runs at most the given number of requests at once', async () => {
    const { startedAt, all } = run(create(100, 2), 5, 10)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt).toEqual([0, 0, 10, 10, 20])
  })

  it('lets all requests wait for as long as one of them is asked to, and for no longer than two minutes', async () => {
    const limiter = create(100, 10)
    for (const [asked, end] of [
      [40, 40],
      [1e9, 160],
    ] as const) {
      const cause = { retryAfter: asked }
      const busy = new SpeechError('PROVIDER_FAILED', 'Busy.', { hint: 'Wait.', retryable: true, cause })
      await reportThrottling(() => Promise.reject(busy), limiter).catch(() => {})
      const { startedAt, all } = run(limiter, 2)
      await vi.runAllTimersAsync()
      await all
      expect(startedAt).toEqual([end, end])
    }
  })

  it('continues after a failure, and passes it on', async () => {
    const limiter = create(100, 1)
    const fails = expect(limiter.run(() => Promise.reject(failed), never)).rejects.toBe(failed)
    const next = limiter.run(async () => 'next', never)
    await vi.runAllTimersAsync()
    expect(await next).toBe('next')
    await fails
  })

  it('the adaptive rate limiter starts no waiting request of a job that a failure has just aborted', async () => {
    const limiter = create(100, 1)
    const job = new AbortController()
    const failing = limiter.run(() => Promise.reject(failed), never).catch(() => job.abort())
    const request = vi.fn(async () => 'too late')
    const waiting = expect(limiter.run(request, job.signal)).rejects.toBeDefined()
    await vi.runAllTimersAsync()
    await Promise.all([failing, waiting])
    expect(request).not.toHaveBeenCalled()
  })

  it('the adaptive rate limiter runs requests in the order of their calls', async () => {
    const limiter = create(2, 1)
    const ran: number[] = []
    const all = [0, 1, 2, 3, 4].map(i => limiter.run(async () => ran.push(i), never))
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(ran).toEqual([0, 1, 2, 3, 4])
  })

  it('a job with fewer requests in progress comes first, so that a voice note does not wait behind an hour', async () => {
    const limiter = create(100, 2)
    const [hour, note] = [new AbortController().signal, new AbortController().signal]
    const order: string[] = []
    const request = (name: string, signal: AbortSignal) =>
      limiter.run(async () => {
        order.push(`${name} ${Date.now() / 1000}`)
        await new Promise(resolve => setTimeout(resolve, 10_000))
      }, signal)
    const all = [1, 2, 3, 4].map(number => request(`hour ${number}`, hour))
    all.push(request('note', note))
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(order).toEqual(['hour 1 0', 'hour 2 0', 'note 10', 'hour 3 10', 'hour 4 20'])
  })

  it('jobs take turns where the rate is the limit, so that a voice note is the next but one', async () => {
    const limiter = create(6, 8)
    const [hour, note] = [new AbortController().signal, new AbortController().signal]
    const order: string[] = []
    const request = (name: string, signal: AbortSignal) => limiter.run(async () => order.push(name), signal)
    const all = Array.from({ length: 14 }, (_, i) => request(`hour ${i}`, hour))
    all.push(request('note', note))
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(order.indexOf('note')).toBe(6)
    expect(order.filter(name => name !== 'note')).toEqual(Array.from({ length: 14 }, (_, i) => `hour ${i}`))
  })

  it('rejects a waiting caller that is aborted, and lets the next one in', async () => {
    const limiter = create(1, 1)
    const call = new AbortController()
    const reason = cancelled()
    const request = vi.fn(async () => 'ran')
    await limiter.run(request, never)
    const aborted = expect(limiter.run(request, call.signal)).rejects.toBe(reason)
    const next = limiter.run(async () => 'next', never)
    call.abort(reason)
    await aborted
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await next).toBe('next')
    expect(request).toHaveBeenCalledTimes(1)
    await expect(limiter.run(request, call.signal)).rejects.toBe(reason)
  })

  it('the adaptive rate limiter leaves no timer behind when the last waiting caller is aborted', async () => {
    const limiter = create(1, 1)
    const call = new AbortController()
    await limiter.run(async () => {}, never)
    const aborted = expect(limiter.run(async () => {}, call.signal)).rejects.toThrow()
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(1)
    call.abort()
    await aborted
    expect(vi.getTimerCount()).toBe(0)
  })

  it('the adaptive rate limiter holds all requests for a second after throttling, and continues at half the rate', async () => {
    const limiter = create(20, 100)
    limiter.backOff()
    const { startedAt, all } = run(limiter, 12)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt).toEqual([...Array(10).fill(1), 61, 61])
  })

  it('never raises a rate that is low by itself', async () => {
    const limiter = create(2, 100)
    limiter.backOff()
    const { startedAt, all } = run(limiter, 4)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt).toEqual([1, 1, 61, 61])
  })

  it('counts the refusals of one burst once', async () => {
    const limiter = create(20, 100)
    for (let i = 0; i < 5; i++) limiter.backOff()
    const { startedAt, all } = run(limiter, 10)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt).toEqual(Array(10).fill(1))
  })

  it('doubles its pauses and halves its rate while the throttling lasts, down to a limit', async () => {
    const limiter = create(100, 100)
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      const from = Date.now()
      limiter.backOff()
      const { startedAt, all } = run(limiter, 1)
      await vi.runAllTimersAsync()
      await all
      pauses.push(startedAt[0]! - from / 1000)
      // Let the minute pass, so that only the pause counts.
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
    const { startedAt, all } = run(limiter, 7)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt.map(time => time - startedAt[0]!)).toEqual([0, 0, 0, 0, 0, 0, 60])
  })

  it('recovers to the full rate by one request a minute with each success', async () => {
    const limiter = create(20, 100)
    limiter.backOff()
    await vi.advanceTimersByTimeAsync(1000)
    for (let i = 0; i < 50; i++) limiter.recover()
    const { startedAt, all } = run(limiter, 21)
    await vi.runAllTimersAsync()
    await all
    expect(startedAt).toEqual([...Array(20).fill(1), 61])
    limiter.backOff()
    const second = run(limiter, 1)
    await vi.runAllTimersAsync()
    await second.all
    expect(second.startedAt).toEqual([62])
  })
})
