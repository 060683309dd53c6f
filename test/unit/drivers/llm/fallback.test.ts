// Several text models as one: which one is asked, which are skipped and for how long, and the error when all fail.
import { EventEmitter, once, setMaxListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, type ErrorDetails, SpeechError } from '../../../../src/domain/errors.ts'
import type { GenerateOptions, TextAnswer, UnavailableModels } from '../../../../src/domain/text-model.ts'
import { fallback } from '../../../../src/drivers/llm/fallback.ts'
import type { ProviderModel } from '../../../../src/drivers/llm/provider-model.ts'
import { log } from '../../../../src/log.ts'
import { failure } from '../../../support/failure.ts'

const request = { system: 's', user: 'u', maxTokens: 10 }
const untilAborted = () => {
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  return { signal }
}
const usage = { inputTokens: 1, outputTokens: 1 }
const error = (code: ErrorCode, details: Partial<ErrorDetails> = {}) =>
  new SpeechError(code, `It is ${code}.`, { hint: 'Act.', ...details })
const gone = error('MODEL_NOT_FOUND', { scope: 'account' })
const throttled = error('THROTTLED', { retryable: true })
const wrongKey = error('KEY_REFUSED', { scope: 'account' })

interface Fake extends ProviderModel {
  calls: number
  /** Responds to requests in this way from now on. */
  respondWith(responder: (options: GenerateOptions) => Promise<string>): Fake
}

function fake(name: string, provider = 'DashScope'): Fake {
  let responder: (options: GenerateOptions) => Promise<string> = async () => `by ${name}`
  return {
    name,
    provider,
    key: `${name} at the provider`,
    models: [name],
    concurrency: 4,
    calls: 0,
    async generate(_, options): Promise<TextAnswer> {
      this.calls++
      return { text: await responder(options), whole: true, model: name, usage }
    },
    respondWith(next) {
      responder = next
      return this
    },
  }
}
const failing = (name: string, thrown: unknown, provider?: string) =>
  fake(name, provider).respondWith(() => Promise.reject(thrown))

function memory(): UnavailableModels & { added: string[] } {
  const added: string[] = []
  return {
    added,
    has: async model => added.includes(model),
    async add(model) {
      added.push(model)
    },
  }
}

/** Resolves when all work that waits for no event is done. */
const idle = () => new Promise(resolve => setImmediate(resolve))

/** Sixteen requests at the same moment. */
const burst = (model: Pick<ProviderModel, 'generate'>, options = untilAborted()) =>
  Array.from({ length: 16 }, () => model.generate(request, options))

beforeEach(() => {
  vi.spyOn(log, 'warn').mockImplementation(() => {})
})

describe('a request to several models', () => {
  it('a request goes to the first model, and its progress is reported', async () => {
    const [a, b] = [fake('a'), fake('b')]
    const reports: string[] = []
    a.respondWith(async ({ onAccepted, onText }) => {
      onAccepted?.()
      onText?.(3)
      return 'abc'
    })
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(model).toMatchObject({ models: ['a', 'b'], concurrency: 4 })
    const answer = await model.generate(request, {
      ...untilAborted(),
      onAccepted: () => reports.push('accepted'),
      onText: written => reports.push(`${written}`),
    })
    expect(answer).toMatchObject({ text: 'abc', model: 'a' })
    expect(reports).toEqual(['accepted', '3'])
    expect(b.calls).toBe(0)
  })

  it.each<[ErrorCode, Partial<ErrorDetails>]>([
    ['PROVIDER_FAILED', { retryable: true }],
    ['PROVIDER_UNREACHABLE', { retryable: true }],
    ['PROVIDER_TIMEOUT', { retryable: true }],
    ['CONTENT_REFUSED', {}],
    ['PROVIDER_REFUSED', {}],
  ])(
    'a request that fails with %s goes to the next model; the next request tries the first one again',
    async (code, details) => {
      const [a, b] = [failing('a', error(code, details)), fake('b')]
      const model = fallback([a, b], { unavailableModels: memory() })
      expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'b' })
      a.respondWith(async () => 'again')
      expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'a' })
      expect([a.calls, b.calls]).toEqual([2, 1])
    },
  )

  it('a request is reported as accepted once, however many models accept it', async () => {
    const accept = (end: () => Promise<string>) => async (options: GenerateOptions) => {
      options.onAccepted?.()
      return end()
    }
    const a = fake('a').respondWith(accept(() => Promise.reject(throttled)))
    const b = fake('b').respondWith(accept(async () => 'ok'))
    const onAccepted = vi.fn()
    await fallback([a, b], { unavailableModels: memory() }).generate(request, {
      ...untilAborted(),
      onAccepted,
    })
    expect(onAccepted).toHaveBeenCalledTimes(1)
  })

  it('an aborted request rejects at once with its reason, and asks no other model', async () => {
    const call = new AbortController()
    const reason = cancelled()
    const a = fake('a').respondWith(() => {
      call.abort(reason)
      return Promise.reject(error('PROVIDER_UNREACHABLE', { retryable: true }))
    })
    const b = fake('b')
    const work = fallback([a, b], { unavailableModels: memory() }).generate(request, { signal: call.signal })
    await expect(work).rejects.toBe(reason)
    expect(b.calls).toBe(0)
  })

  it('a request that meets a bug asks no other model', async () => {
    const oops = new TypeError('oops')
    const b = fake('b')
    const work = fallback([failing('a', oops), b], { unavailableModels: memory() }).generate(
      request,
      untilAborted(),
    )
    await expect(work).rejects.toBe(oops)
    expect(b.calls).toBe(0)
  })
})

describe('an unavailable model', () => {
  it('an unavailable model costs one request of a burst, and none later', async () => {
    const unavailableModels = memory()
    const [a, b] = [failing('a', gone), fake('b')]
    const model = fallback([a, b], { unavailableModels })
    const answers = await Promise.all(burst(model))
    expect(answers.map(answer => answer.model)).toEqual(Array(16).fill('b'))
    expect([a.calls, b.calls]).toEqual([1, 16])
    expect(unavailableModels.added).toEqual(['a at the provider'])
    // In another process, which shares the store.
    await Promise.all(burst(fallback([a, b], { unavailableModels })))
    expect(a.calls).toBe(1)
  })

  it('an unavailable model costs one request of a burst also when it cannot be remembered', async () => {
    const unavailableModels = { has: async () => false, add: async () => {} }
    const [a, b] = [failing('a', gone), fake('b')]
    await Promise.all(burst(fallback([a, b], { unavailableModels })))
    expect(a.calls).toBe(1)
  })

  it('an unavailable model does not block another of its provider', async () => {
    const model = fallback([failing('a', gone), fake('b')], { unavailableModels: memory() })
    expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'b' })
  })
})

describe('a wrong key', () => {
  it.each<[ErrorCode]>([['KEY_REFUSED'], ['ACCOUNT_IN_ARREARS'], ['WRONG_BASE_URL']])(
    '%s costs one request for all models of its provider, and does not block another provider',
    async code => {
      const refused = error(code, { scope: 'account' })
      const [a, b, c] = [failing('a', refused), failing('b', refused), fake('c', 'Gemini')]
      const model = fallback([a, b, c], { unavailableModels: memory() })
      const answers = await Promise.all(burst(model))
      expect(answers.map(answer => answer.model)).toEqual(Array(16).fill('c'))
      expect([a.calls, b.calls]).toEqual([1, 0])
    },
  )

  it('a wrong key is tried again after a minute', async () => {
    let time = 0
    const [a, b] = [failing('a', wrongKey), fake('b', 'Gemini')]
    const model = fallback([a, b], { unavailableModels: memory(), now: () => time })
    await model.generate(request, untilAborted())
    time = 59_000
    await model.generate(request, untilAborted())
    expect(a.calls).toBe(1)
    time = 61_000
    a.respondWith(async () => 'ok')
    expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'a' })
  })

  it.each([
    ['access to one model', error('ACCESS_DENIED', { scope: 'account' })],
    [
      'the free quota of one model',
      error('ACCOUNT_IN_ARREARS', {
        scope: 'account',
        cause: { status: 403, code: 'AllocationQuota.FreeTierOnly' },
      }),
    ],
  ])('a failure of one model alone does not block its provider: %s', async (_, denied) => {
    const [a, b] = [failing('a', denied), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'b' })
    await model.generate(request, untilAborted())
    expect(a.calls).toBe(1)
  })
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

describe('when all models fail', () => {
  const failureOf = async (...failures: [string, SpeechError, string?][]) => {
    const models = failures.map(([name, thrown, provider]) => failing(name, thrown, provider))
    return failure(fallback(models, { unavailableModels: memory() }).generate(request, untilAborted()))
  }
  const refused = error('CONTENT_REFUSED')

  it('the error of a single model is passed on', async () => {
    expect(await failureOf(['a', throttled])).toBe(throttled)
  })

  it.each<[string, SpeechError, SpeechError, ErrorCode]>([
    ['a wrong key before all', refused, wrongKey, 'KEY_REFUSED'],
    ['a refused text before throttling', throttled, refused, 'CONTENT_REFUSED'],
    ['throttling before an unavailable model', gone, throttled, 'THROTTLED'],
    ['a failing provider before an unavailable model', gone, error('PROVIDER_FAILED'), 'PROVIDER_FAILED'],
    ['unavailable models, when all are', gone, gone, 'MODEL_NOT_FOUND'],
  ])('the error is about %s', async (_, first, second, code) => {
    const failed = await failureOf(['a', first], ['b', second, 'Gemini'])
    expect(failed.code).toBe(code)
    expect(failed.hint).toBe('Act.')
    expect([first, second]).toContain(failed.cause)
  })

  it('the error names the other failures', async () => {
    const failed = await failureOf(['a', gone], ['b', throttled], ['c', refused, 'Gemini'])
    expect(failed.message).toBe(
      'It is CONTENT_REFUSED. That was c; the others failed too (a: MODEL_NOT_FOUND, b: THROTTLED).',
    )
  })

  it('the scope is the request as long as one model failed for this request alone', async () => {
    expect(await failureOf(['a', wrongKey], ['b', refused, 'Gemini'])).toMatchObject({
      code: 'KEY_REFUSED',
      scope: 'request',
      retryable: false,
    })
    expect(await failureOf(['a', refused], ['b', throttled])).toMatchObject({
      scope: 'request',
      retryable: true,
    })
    expect(await failureOf(['a', gone], ['b', wrongKey])).toMatchObject({
      scope: 'account',
      retryable: false,
    })
  })

  it('the error stays the same while the models are skipped', async () => {
    const model = fallback([failing('a', gone), failing('b', wrongKey)], { unavailableModels: memory() })
    await failure(model.generate(request, untilAborted()))
    const failed = await failure(model.generate(request, untilAborted()))
    expect(failed).toMatchObject({ code: 'KEY_REFUSED', hint: 'Act.', scope: 'account' })
  })
})
