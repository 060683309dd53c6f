// Several chunk recognisers as one: the first that lives answers.
import type { SpeechError } from '../../domain/errors.ts'
import type { UnavailableModels } from '../../domain/models/model.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { CircuitBreakerOptions } from '../models/circuit-breaker.ts'
import { isOfModel, type ListedModel, modelList } from '../models/model-list.ts'

export interface ListedRecogniser extends Recogniser, ListedModel {}

export interface RecogniserListOptions extends CircuitBreakerOptions {
  unavailableModels: UnavailableModels
}

/** Requests that arrive at once wait this long for the outcome of the first one: a refusal is quick. */
const probeTimeoutMs = 1_000

/** Takes at least one recogniser. The answer names the model that gave it. */
export function recogniserList(recognisers: ListedRecogniser[], options: RecogniserListOptions): Recogniser {
  const [first] = recognisers
  const list = modelList(recognisers, { probeTimeoutMs, ...options, setting: 'ASR_MODEL', movesOn })
  const limits = recognisers.map(({ limits }) => limits)
  return {
    ...first!,
    models: recognisers.flatMap(({ models }) => models),
    limits: {
      maxSeconds: Math.min(...limits.map(({ maxSeconds }) => maxSeconds)),
      minSeconds: Math.max(...limits.map(({ minSeconds }) => minSeconds)),
      concurrency: Math.max(...limits.map(({ concurrency }) => concurrency)),
    },
    recognise(request, signal) {
      const attempt = async (recogniser: ListedRecogniser) => {
        const recognition = await recogniser.recognise(request, signal)
        return { model: recogniser.model, ...recognition }
      }
      return list.ask(attempt, signal)
    },
  }
}

/** Another model of the same provider helps only where the error is about the model; a rate limit is waited for. */
function movesOn(error: SpeechError, from: ListedModel, to: ListedModel): boolean {
  if (isOfModel(error)) return true
  return from.provider !== to.provider && error.code !== 'THROTTLED' && error.code !== 'NOT_AUDIO'
}
