// Several text models as one: which one is asked, which are skipped and for how long, and the error when all fail.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  cancelled,
  type ErrorCode,
  type ErrorDetails,
  type SpeechError,
} from '../../../../src/domain/errors.ts'
import type { GenerateOptions } from '../../../../src/domain/text-model.ts'
import { fallback } from '../../../../src/drivers/llm/fallback.ts'
import { log } from '../../../../src/log.ts'
import { failure } from '../../../support/failure.ts'
import {
  burst,
  error,
  failing,
  fake,
  memory,
  request,
  throttled,
  unavailable,
  untilAborted,
  wrongKey,
} from '../../../support/servers/provider-models.ts'

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
    const [a, b] = [failing('a', unavailable), fake('b')]
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
    const [a, b] = [failing('a', unavailable), fake('b')]
    await Promise.all(burst(fallback([a, b], { unavailableModels })))
    expect(a.calls).toBe(1)
  })

  it('an unavailable model does not block another of its provider', async () => {
    const model = fallback([failing('a', unavailable), fake('b')], { unavailableModels: memory() })
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
    ['access to one model', error('ACCESS_DENIED', { scope: 'model' })],
    ['the free quota of one model', error('FREE_TIER_USED_UP', { scope: 'model' })],
  ])('a failure of one model alone does not block its provider: %s', async (_, denied) => {
    const [a, b] = [failing('a', denied), fake('b')]
    const model = fallback([a, b], { unavailableModels: memory() })
    expect(await model.generate(request, untilAborted())).toMatchObject({ model: 'b' })
    await model.generate(request, untilAborted())
    expect(a.calls).toBe(1)
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
    ['throttling before an unavailable model', unavailable, throttled, 'THROTTLED'],
    [
      'a failing provider before an unavailable model',
      unavailable,
      error('PROVIDER_FAILED'),
      'PROVIDER_FAILED',
    ],
    ['unavailable models, when all are', unavailable, unavailable, 'MODEL_NOT_FOUND'],
  ])('the error is about %s', async (_, first, second, code) => {
    const failed = await failureOf(['a', first], ['b', second, 'Gemini'])
    expect(failed.code).toBe(code)
    expect(failed.hint).toBe('Act.')
    expect([first, second]).toContain(failed.cause)
  })

  it('the error names the other failures', async () => {
    const failed = await failureOf(['a', unavailable], ['b', throttled], ['c', refused, 'Gemini'])
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
    expect(await failureOf(['a', unavailable], ['b', wrongKey])).toMatchObject({
      scope: 'account',
      retryable: false,
    })
  })

  it('the error stays the same while the models are skipped', async () => {
    const model = fallback([failing('a', unavailable), failing('b', wrongKey)], {
      unavailableModels: memory(),
    })
    await failure(model.generate(request, untilAborted()))
    const failed = await failure(model.generate(request, untilAborted()))
    expect(failed).toMatchObject({ code: 'KEY_REFUSED', hint: 'Act.', scope: 'account' })
  })
})
