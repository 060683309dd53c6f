// Several text models as one: who is asked, who is passed over and for how long, and what is said where all fail.
import { EventEmitter, once, setMaxListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, type ErrorDetails, SpeechError } from '../../../../src/domain/errors.ts'
import type { GenerateOptions, TextAnswer, UnavailableModels } from '../../../../src/domain/text-model.ts'
import { fallback } from '../../../../src/drivers/llm/fallback.ts'
import type { ProviderModel } from '../../../../src/drivers/llm/provider-model.ts'
import { log } from '../../../../src/log.ts'
import { failure } from '../../../support/failure.ts'

const request = { system: 's', user: 'u', maxTokens: 10 }
const quiet = () => {
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
  /** What it does with a request from now on. */
  does(how: (listener: GenerateOptions) => Promise<string>): Fake
}

function fake(name: string, provider = 'DashScope'): Fake {
  let how: (listener: GenerateOptions) => Promise<string> = async () => `by ${name}`
  return {
    name,
    provider,
    key: `${name} at home`,
    models: [name],
    concurrency: 4,
    calls: 0,
    async generate(_, listener): Promise<TextAnswer> {
      this.calls++
      return { text: await how(listener), whole: true, model: name, usage }
    },
    does(next) {
      how = next
      return this
    },
  }
}
const failing = (name: string, with_: unknown, provider?: string) =>
  fake(name, provider).does(() => Promise.reject(with_))

function memory(): UnavailableModels & { retired: string[] } {
  const retired: string[] = []
  return {
    retired,
    has: async model => retired.includes(model),
    async add(model) {
      retired.push(model)
    },
  }
}

/** Everything that can go on without an event from outside. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Sixteen that come at the same moment. */
const crowd = (model: Pick<ProviderModel, 'generate'>, listener = quiet()) =>
  Array.from({ length: 16 }, () => model.generate(request, listener))

beforeEach(() => {
  vi.spyOn(log, 'warn').mockImplementation(() => {})
})

describe('a request', () => {
  it('goes to the first model, and tells its listener', async () => {
    const [a, b] = [fake('a'), fake('b')]
    const heard: string[] = []
    a.does(async ({ onAccepted, onText }) => {
      onAccepted?.()
      onText?.(3)
      return 'abc'
    })
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(model).toMatchObject({ models: ['a', 'b'], concurrency: 4 })
    const answer = await model.generate(request, {
      ...quiet(),
      onAccepted: () => heard.push('accepted'),
      onText: written => heard.push(`${written}`),
    })
    expect(answer).toMatchObject({ text: 'abc', model: 'a' })
    expect(heard).toEqual(['accepted', '3'])
    expect(b.calls).toBe(0)
  })

  it.each<[ErrorCode, Partial<ErrorDetails>]>([
    ['PROVIDER_FAILED', { retryable: true }],
    ['PROVIDER_UNREACHABLE', { retryable: true }],
    ['PROVIDER_TIMEOUT', { retryable: true }],
    ['CONTENT_REFUSED', {}],
    ['PROVIDER_REFUSED', {}],
  ])('that meets %s goes on to the next model, and the next request comes back', async (code, details) => {
    const [a, b] = [failing('a', error(code, details)), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'b' })
    a.does(async () => 'again')
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'a' })
    expect([a.calls, b.calls]).toEqual([2, 1])
  })

  it('is accepted once, however many models take it', async () => {
    const take = (end: () => Promise<string>) => async (listener: GenerateOptions) => {
      listener.onAccepted?.()
      return end()
    }
    const a = fake('a').does(take(() => Promise.reject(throttled)))
    const b = fake('b').does(take(async () => 'ok'))
    const onAccepted = vi.fn()
    await fallback([a, b], { unavailableModels: memory() }).generate(request, { ...quiet(), onAccepted })
    expect(onAccepted).toHaveBeenCalledTimes(1)
  })

  it('that is aborted ends at once, with its reason, and asks nobody else', async () => {
    const call = new AbortController()
    const reason = cancelled()
    const a = fake('a').does(() => {
      call.abort(reason)
      return Promise.reject(error('PROVIDER_UNREACHABLE', { retryable: true }))
    })
    const b = fake('b')
    const work = fallback([a, b], { unavailableModels: memory() }).generate(request, { signal: call.signal })
    await expect(work).rejects.toBe(reason)
    expect(b.calls).toBe(0)
  })

  it('that meets an error of our own asks nobody else', async () => {
    const oops = new TypeError('oops')
    const b = fake('b')
    const work = fallback([failing('a', oops), b], { unavailableModels: memory() }).generate(request, quiet())
    await expect(work).rejects.toBe(oops)
    expect(b.calls).toBe(0)
  })
})

describe('a model that is gone', () => {
  it('costs one request, however many come at once, and none later', async () => {
    const unavailableModels = memory()
    const [a, b] = [failing('a', gone), fake('b')]
    const model = fallback([a, b], { unavailableModels })
    const answers = await Promise.all(crowd(model))
    expect(answers.map(answer => answer.model)).toEqual(Array(16).fill('b'))
    expect([a.calls, b.calls]).toEqual([1, 16])
    expect(unavailableModels.retired).toEqual(['a at home'])
    // In another process.
    await Promise.all(crowd(fallback([a, b], { unavailableModels })))
    expect(a.calls).toBe(1)
  })

  it('costs one request also where it cannot be remembered', async () => {
    const unavailableModels = { has: async () => false, add: async () => {} }
    const [a, b] = [failing('a', gone), fake('b')]
    await Promise.all(crowd(fallback([a, b], { unavailableModels })))
    expect(a.calls).toBe(1)
  })

  it('does not stop another of its provider', async () => {
    const model = fallback([failing('a', gone), fake('b')], { unavailableModels: memory() })
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'b' })
  })
})

describe('a wrong key', () => {
  it.each<[ErrorCode]>([['KEY_REFUSED'], ['ACCOUNT_IN_ARREARS'], ['WRONG_BASE_URL']])(
    'or the like (%s) costs one request in all, for all models of the provider, and not the other one',
    async code => {
      const refused = error(code, { scope: 'account' })
      const [a, b, c] = [failing('a', refused), failing('b', refused), fake('c', 'Gemini')]
      const model = fallback([a, b, c], { unavailableModels: memory() })
      const answers = await Promise.all(crowd(model))
      expect(answers.map(answer => answer.model)).toEqual(Array(16).fill('c'))
      expect([a.calls, b.calls]).toEqual([1, 0])
    },
  )

  it('is tried again after a minute', async () => {
    let time = 0
    const [a, b] = [failing('a', wrongKey), fake('b', 'Gemini')]
    const model = fallback([a, b], { unavailableModels: memory(), now: () => time })
    await model.generate(request, quiet())
    time = 59_000
    await model.generate(request, quiet())
    expect(a.calls).toBe(1)
    time = 61_000
    a.does(async () => 'ok')
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'a' })
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
  ])('is told from %s', async (_, denied) => {
    const [a, b] = [failing('a', denied), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'b' })
    await model.generate(request, quiet())
    expect(a.calls).toBe(1)
  })
})

describe('while nobody knows whether a model lives', () => {
  /** A model that waits for a word with each request: `accept`, `answer` or an error. */
  function slow() {
    const news = new EventEmitter().setMaxListeners(0)
    const model = fake('a').does(async ({ onAccepted, signal }) => {
      const [told] = await once(news, 'go', { signal }).catch(() => Promise.reject(signal.reason))
      if (told instanceof Error) throw told
      onAccepted?.()
      await once(news, 'answer', { signal }).catch(() => Promise.reject(signal.reason))
      return 'ok'
    })
    return { model, go: (told?: Error) => news.emit('go', told), answer: () => news.emit('answer') }
  }

  it('one request goes, and all others as soon as it is accepted', async () => {
    const { model: a, go, answer } = slow()
    const work = Promise.all(crowd(fallback([a], { unavailableModels: memory() })))
    await settled()
    expect(a.calls).toBe(1)
    go()
    await settled()
    expect(a.calls).toBe(16)
    go()
    await settled()
    answer()
    expect(await work).toHaveLength(16)
  })

  it('the next one goes where the first was called off, with its own reason', async () => {
    const { model: a, go, answer } = slow()
    const model = fallback([a, fake('b')], { unavailableModels: memory() })
    const call = new AbortController()
    const first = model.generate(request, { signal: call.signal })
    const others = Promise.all(crowd(model))
    await settled()
    const reason = cancelled()
    call.abort(reason)
    await expect(first).rejects.toBe(reason)
    await settled()
    expect(a.calls).toBe(2)
    go()
    await settled()
    expect(a.calls).toBe(17)
    go()
    await settled()
    answer()
    expect((await others).every(({ model }) => model === 'a')).toBe(true)
  })

  it('who waits may be called off', async () => {
    const { model: a } = slow()
    const model = fallback([a], { unavailableModels: memory() })
    const first = new AbortController()
    const rest = [model.generate(request, { signal: first.signal })]
    await settled()
    const call = new AbortController()
    const reason = cancelled()
    const waiting = model.generate(request, { signal: call.signal })
    await settled()
    call.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(a.calls).toBe(1)
    first.abort(reason)
    await Promise.allSettled(rest)
  })

  it('nobody waits for long for one that neither takes nor refuses', async () => {
    const { model: a, go, answer } = slow()
    const work = Promise.all(crowd(fallback([a], { unavailableModels: memory(), patience: 1 })))
    await vi.waitFor(() => expect(a.calls).toBe(16))
    go()
    await settled()
    answer()
    expect(await work).toHaveLength(16)
  })

  it('a failure that may pass says nothing of the others: they all try', async () => {
    const [a, b] = [failing('a', error('PROVIDER_FAILED', { retryable: true })), fake('b')]
    const answers = await Promise.all(crowd(fallback([a, b], { unavailableModels: memory() })))
    expect(a.calls).toBe(16)
    expect(answers.every(({ model }) => model === 'b')).toBe(true)
  })

  it('a model that throttles is passed over for ten seconds while there is another', async () => {
    let time = 0
    const [a, b] = [failing('a', throttled), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory(), now: () => time })
    for (const at of [0, 1_000, 9_999]) {
      time = at
      expect(await model.generate(request, quiet())).toMatchObject({ model: 'b' })
    }
    expect(a.calls).toBe(1)
    time = 10_001
    a.does(async () => 'again')
    expect(await model.generate(request, quiet())).toMatchObject({ model: 'a' })
  })

  it('a model that throttles and is the last is asked by each', async () => {
    const a = failing('a', throttled)
    const model = fallback([a], { unavailableModels: memory() })
    await failure(model.generate(request, quiet()))
    await failure(model.generate(request, quiet()))
    expect(a.calls).toBe(2)
  })

  it('a refused text says that the model lives', async () => {
    const a = fake('a').does(() => Promise.reject(error('CONTENT_REFUSED')))
    const model = fallback([a, fake('b')], { unavailableModels: memory() })
    await model.generate(request, quiet())
    const { model: mute } = slow()
    a.does(listener => mute.generate(request, listener).then(({ text }) => text))
    const call = new AbortController()
    setMaxListeners(0, call.signal)
    const work = Promise.allSettled(crowd(model, { signal: call.signal }))
    await settled()
    expect(a.calls).toBe(17)
    call.abort(cancelled())
    await work
  })

  it('what is known lasts for ten minutes from the last answer on', async () => {
    let time = 0
    const { model: a, go, answer } = slow()
    const model = fallback([a], { unavailableModels: memory(), now: () => time })
    const end = async () => {
      go()
      await settled()
      answer()
    }
    const first = model.generate(request, quiet())
    await settled()
    await end()
    await first
    for (const [at, calls] of [
      [599_000, 2],
      [1_199_001, 1],
    ] as const) {
      time = at
      a.calls = 0
      const works = [model.generate(request, quiet()), model.generate(request, quiet())]
      await settled()
      expect(a.calls).toBe(calls)
      await end()
      await settled()
      if (calls === 1) await end()
      await Promise.all(works)
    }
  })
})

describe('where all models fail', () => {
  const told = async (...failures: [string, SpeechError, string?][]) => {
    const models = failures.map(([name, with_, provider]) => failing(name, with_, provider))
    return failure(fallback(models, { unavailableModels: memory() }).generate(request, quiet()))
  }
  const refused = error('CONTENT_REFUSED')

  it('a single one speaks for itself', async () => {
    expect(await told(['a', throttled])).toBe(throttled)
  })

  it.each<[string, SpeechError, SpeechError, ErrorCode]>([
    ['a wrong key before all', refused, wrongKey, 'KEY_REFUSED'],
    ['a refused text before throttling', throttled, refused, 'CONTENT_REFUSED'],
    ['throttling before a model that is gone', gone, throttled, 'THROTTLED'],
    ['a failing provider before a model that is gone', gone, error('PROVIDER_FAILED'), 'PROVIDER_FAILED'],
    ['models that are gone, where all are', gone, gone, 'MODEL_NOT_FOUND'],
  ])('the error tells of %s', async (_, first, second, code) => {
    const failed = await told(['a', first], ['b', second, 'Gemini'])
    expect(failed.code).toBe(code)
    expect(failed.hint).toBe('Act.')
    expect([first, second]).toContain(failed.cause)
  })

  it('the others are named', async () => {
    const failed = await told(['a', gone], ['b', throttled], ['c', refused, 'Gemini'])
    expect(failed.message).toBe(
      'It is CONTENT_REFUSED. That was c; the others failed too (a: MODEL_NOT_FOUND, b: THROTTLED).',
    )
  })

  it('another request may succeed as long as one model was stopped by this one alone', async () => {
    expect(await told(['a', wrongKey], ['b', refused, 'Gemini'])).toMatchObject({
      code: 'KEY_REFUSED',
      scope: 'request',
      retryable: false,
    })
    expect(await told(['a', refused], ['b', throttled])).toMatchObject({ scope: 'request', retryable: true })
    expect(await told(['a', gone], ['b', wrongKey])).toMatchObject({ scope: 'account', retryable: false })
  })

  it('the error is the same while they are passed over', async () => {
    const model = fallback([failing('a', gone), failing('b', wrongKey)], { unavailableModels: memory() })
    await failure(model.generate(request, quiet()))
    const failed = await failure(model.generate(request, quiet()))
    expect(failed).toMatchObject({ code: 'KEY_REFUSED', hint: 'Act.', scope: 'account' })
  })
})
