// The circuit breaker of each text model: one probe while its state is unknown, and how long a state is kept.
import { EventEmitter, once, setMaxListeners } from 'node:events'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { cancelled } from '../../../../src/domain/errors.ts'
import { fallback } from '../../../../src/drivers/llm/fallback.ts'
import { createCircuitBreaker } from '../../../../src/drivers/models/circuit-breaker.ts'
import { log } from '../../../../src/log.ts'
import { failure } from '../../../support/failure.ts'
import {
  burst,
  error,
  failing,
  fake,
  idle,
  memory,
  request,
  throttled,
  untilAborted,
} from '../../../support/servers/provider-models.ts'

beforeEach(() => {
  vi.spyOn(log, 'warn').mockImplementation(() => {})
})

describe('while the state of a model is unknown', () => {
  /** A model that waits with each request for `go`, to accept it or to fail, and for `answer`. */
  function slow() {
    const events = new EventEmitter().setMaxListeners(0)
    const model = fake('a').respondWith(async ({ onAccepted, signal }) => {
      const [error] = await once(events, 'go', { signal }).catch(() => Promise.reject(signal.reason))
      if (error instanceof Error) throw error
      onAccepted?.()
      await once(events, 'answer', { signal }).catch(() => Promise.reject(signal.reason))
      return 'ok'
    })
    return { model, go: (error?: Error) => events.emit('go', error), answer: () => events.emit('answer') }
  }

  it('one request probes a model, and the others follow as soon as it is accepted', async () => {
    const { model: a, go, answer } = slow()
    const work = Promise.all(burst(fallback([a], { unavailableModels: memory() })))
    await idle()
    expect(a.calls).toBe(1)
    go()
    await idle()
    expect(a.calls).toBe(16)
    go()
    await idle()
    answer()
    expect(await work).toHaveLength(16)
  })

  it('when the probe is aborted, the next request takes over', async () => {
    const { model: a, go, answer } = slow()
    const model = fallback([a, fake('b')], { unavailableModels: memory() })
    const call = new AbortController()
    const first = model.generate(request, { signal: call.signal })
    const others = Promise.all(burst(model))
    await idle()
    const reason = cancelled()
    call.abort(reason)
    await expect(first).rejects.toBe(reason)
    await idle()
    expect(a.calls).toBe(2)
    go()
    await idle()
    expect(a.calls).toBe(17)
    go()
    await idle()
    answer()
    expect((await others).every(({ model }) => model === 'a')).toBe(true)
  })

  it('a request that waits for the probe can be aborted', async () => {
    const { model: a } = slow()
    const model = fallback([a], { unavailableModels: memory() })
    const first = new AbortController()
    const rest = [model.generate(request, { signal: first.signal })]
    await idle()
    const call = new AbortController()
    const reason = cancelled()
    const waiting = model.generate(request, { signal: call.signal })
    await idle()
    call.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(a.calls).toBe(1)
    first.abort(reason)
    await Promise.allSettled(rest)
  })

  it('requests stop waiting for a probe that is neither accepted nor refused', async () => {
    const { model: a, go, answer } = slow()
    const work = Promise.all(burst(fallback([a], { unavailableModels: memory(), probeTimeoutMs: 1 })))
    await vi.waitFor(() => expect(a.calls).toBe(16))
    go()
    await idle()
    answer()
    expect(await work).toHaveLength(16)
  })

  it('the time of a probe counts from its start, also for those that come late', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const breaker = createCircuitBreaker({ probeTimeoutMs: 1_000 })
    const { signal } = new AbortController()
    await breaker.acquire(signal)
    await vi.advanceTimersByTimeAsync(900)
    const permitted = vi.fn()
    void breaker.acquire(signal).then(permitted)
    await vi.advanceTimersByTimeAsync(99)
    expect(permitted).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(permitted).toHaveBeenCalledTimes(1)
    // The next one does not wait at all.
    void breaker.acquire(signal).then(permitted)
    await vi.advanceTimersByTimeAsync(0)
    expect(permitted).toHaveBeenCalledTimes(2)
  })

  it('a retryable failure of the probe lets all others try', async () => {
    const [a, b] = [failing('a', error('PROVIDER_FAILED', { retryable: true })), fake('b')]
    const answers = await Promise.all(burst(fallback([a, b], { unavailableModels: memory() })))
    expect(a.calls).toBe(16)
    expect(answers.every(({ model }) => model === 'b')).toBe(true)
  })

  it('a model that throttles is skipped for ten seconds while there is another', async () => {
    let time = 0
    const [a, b] = [failing('a', throttled), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory(), now: () => time })
    for (const at of [0, 1_000, 9_999]) {
      time = at
      expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'b' })
    }
    expect(a.calls).toBe(1)
    time = 10_001
    a.respondWith(async () => 'again')
    expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'a' })
  })

  it('a model that throttles is not skipped when it is the last', async () => {
    const a = failing('a', throttled)
    const model = fallback([a], { unavailableModels: memory() })
    await failure(model.generate(request, untilAborted()))
    await failure(model.generate(request, untilAborted()))
    expect(a.calls).toBe(2)
  })

  it('a refused text shows that the model is available', async () => {
    const a = fake('a').respondWith(() => Promise.reject(error('CONTENT_REFUSED')))
    const model = fallback([a, fake('b')], { unavailableModels: memory() })
    await model.generate(request, untilAborted())
    const { model: pending } = slow()
    a.respondWith(options => pending.generate(request, options).then(({ text }) => text))
    const call = new AbortController()
    setMaxListeners(0, call.signal)
    const work = Promise.allSettled(burst(model, { signal: call.signal }))
    await idle()
    expect(a.calls).toBe(17)
    call.abort(cancelled())
    await work
  })

  it('the state of a model is known for ten minutes after its last answer', async () => {
    let time = 0
    const { model: a, go, answer } = slow()
    const model = fallback([a], { unavailableModels: memory(), now: () => time })
    const end = async () => {
      go()
      await idle()
      answer()
    }
    const first = model.generate(request, untilAborted())
    await idle()
    await end()
    await first
    for (const [at, calls] of [
      [599_000, 2],
      [1_199_001, 1],
    ] as const) {
      time = at
      a.calls = 0
      const works = [model.generate(request, untilAborted()), model.generate(request, untilAborted())]
      await idle()
      expect(a.calls).toBe(calls)
      await end()
      await idle()
      if (calls === 1) await end()
      await Promise.all(works)
    }
  })
})
