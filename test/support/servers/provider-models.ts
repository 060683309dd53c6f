// Fake text models of providers, errors that they fail with, and bursts of requests.
import { setMaxListeners } from 'node:events'
import { type ErrorCode, type ErrorDetails, SpeechError } from '../../../src/domain/errors.ts'
import type { UnavailableModels } from '../../../src/domain/models/model.ts'
import type { GenerateOptions, TextAnswer } from '../../../src/domain/text-model.ts'
import type { ProviderModel } from '../../../src/drivers/llm/provider-model.ts'

export const request = { system: 's', user: 'u', maxTokens: 10 }
export const untilAborted = () => {
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  return { signal }
}
export const usage = { inputTokens: 1, outputTokens: 1 }
export const error = (code: ErrorCode, details: Partial<ErrorDetails> = {}) =>
  new SpeechError(code, `It is ${code}.`, { hint: 'Act.', ...details })
export const unavailable = error('MODEL_NOT_FOUND', { scope: 'model' })
export const throttled = error('THROTTLED', { retryable: true })
export const wrongKey = error('KEY_REFUSED', { scope: 'account' })

export interface Fake extends ProviderModel {
  calls: number
  /** Responds to requests in this way from now on. */
  respondWith(responder: (options: GenerateOptions) => Promise<string>): Fake
}

export function fake(name: string, provider = 'DashScope'): Fake {
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
export const failing = (name: string, thrown: unknown, provider?: string) =>
  fake(name, provider).respondWith(() => Promise.reject(thrown))

export function memory(): UnavailableModels & { added: string[] } {
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
export const idle = () => new Promise(resolve => setImmediate(resolve))

/** Sixteen requests at the same moment. */
export const burst = (model: Pick<ProviderModel, 'generate'>, options = untilAborted()) =>
  Array.from({ length: 16 }, () => model.generate(request, options))
