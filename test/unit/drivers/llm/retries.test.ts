// Retries of text models: which errors are repeated, how often, and after which pauses.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import { retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { textRetries } from '../../../../src/drivers/llm/text-models.ts'
import { log } from '../../../../src/log.ts'
import { never } from '../../../support/servers/dashscope-client.ts'

const options = { signal: never }
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }

/** A model that fails with each of these in turn, then succeeds. */
function failing(...errors: unknown[]): TextModel & { calls: number } {
  return {
    models: ['fake'],
    concurrency: 1,
    calls: 0,
    async generate() {
      const error = errors[this.calls++]
      if (error) throw error
      return { text: 'ok', whole: true, model: 'fake', usage: { inputTokens: 1, outputTokens: 1 } }
    },
  }
}

const error = (code: ErrorCode, retryable: boolean, cause?: object) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable, cause })

const withRetries = (model: TextModel, firstDelaySeconds = 1e-6) =>
  wrap(model, ['generate'], retrying({ ...textRetries, firstDelaySeconds }))

beforeEach(() => {
  vi.restoreAllMocks()
  vi.spyOn(log, 'info').mockImplementation(() => {})
})

describe('retries of text models', () => {
  it.each<[ErrorCode, boolean, number]>([
    ['THROTTLED', true, 3],
    ['PROVIDER_FAILED', true, 3],
    ['PROVIDER_UNREACHABLE', true, 2],
    ['PROVIDER_TIMEOUT', true, 1],
    ['PROVIDER_FAILED', false, 1],
    ['CONTENT_REFUSED', false, 1],
    ['MODEL_NOT_FOUND', false, 1],
  ])('after %s (retryable: %s) a text model is asked %i times in all', async (code, retryable, attempts) => {
    const last = error(code, retryable)
    const inner = failing(...Array(9).fill(last))
    await expect(withRetries(inner).generate(request, options)).rejects.toBe(last)
    expect(inner.calls).toBe(attempts)
  })

  it('a text model is asked again after doubled and jittered pauses, until it answers', async () => {
    const pauses: number[] = []
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms: number) => {
      pauses.push(ms)
      return setImmediate(end)
    }) as unknown as typeof setTimeout)
    const inner = failing(error('THROTTLED', true), error('PROVIDER_FAILED', true))
    expect(await withRetries(inner, 1).generate(request, options)).toMatchObject({ text: 'ok' })
    expect(pauses).toEqual([750, 1500])
  })

  it('a text model waits as long as the provider asks, up to a bound', async () => {
    const short = failing(error('THROTTLED', true, { retryAfter: 0.05 }))
    const started = performance.now()
    await withRetries(short).generate(request, options)
    expect(performance.now() - started).toBeGreaterThan(45)
    const long = error('THROTTLED', true, { retryAfter: 34 })
    await expect(withRetries(failing(long)).generate(request, options)).rejects.toThrow('34 seconds')
  })

  it('a pause between attempts ends when the signal aborts', async () => {
    const call = new AbortController()
    const reason = cancelled()
    vi.mocked(log.info).mockImplementation(() => setImmediate(() => call.abort(reason)))
    const inner = failing(error('PROVIDER_FAILED', true))
    const work = withRetries(inner, 1000).generate(request, { signal: call.signal })
    await expect(work).rejects.toBe(reason)
    expect(inner.calls).toBe(1)
  })
})
