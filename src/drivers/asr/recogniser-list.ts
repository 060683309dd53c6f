// Several chunk recognisers as one: the first whose model exists answers.
import type { SpeechError } from '../../domain/errors.ts'
import type { UnavailableModels } from '../../domain/models/model.ts'
import { estimatedUsd } from '../../domain/models/price.ts'
import { languageRefusal } from '../../domain/models/successors.ts'
import type { Recogniser } from '../../domain/ports.ts'
import { isOfModel, type ListedModel, modelList } from '../models/model-list.ts'

export interface ListedRecogniser extends Recogniser, ListedModel {
  /** ISO codes that it takes as a hint; absent: any. */
  readonly languages?: readonly string[]
  /** The error of any request to its provider without a key. */
  missingKey(): SpeechError | undefined
}

/** Chunks that are ready at once wait this long for the outcome of the first one. A refusal is quick, an answer is not. */
const probeTimeoutMs = 300

/** Takes at least one recogniser. The answer names the model that gave it; a recogniser that is alone is asked directly. */
export function recogniserList(
  recognisers: ListedRecogniser[],
  unavailableModels: UnavailableModels,
): Recogniser {
  const [first] = recognisers
  if (recognisers.length === 1) return first!
  // Another model helps only where the error is about the model.
  const options = { unavailableModels, setting: 'ASR_MODEL', movesOn: isOfModel, probeTimeoutMs }
  const list = modelList(recognisers, options)
  /** The first one that can be asked: its price is that of an order. */
  const usable = recognisers.find(one => !one.missingKey())
  const { usdPerSecond: _, ...withoutPrice } = first!
  const { usdPerSecond } = usable ?? first!
  const limits = recognisers.map(({ limits }) => limits)
  return {
    ...withoutPrice,
    ...(usdPerSecond !== undefined && { usdPerSecond }),
    limits: {
      // A member may learn its limit from a refusal.
      get maxSeconds() {
        return Math.min(...limits.map(({ maxSeconds }) => maxSeconds))
      },
      minSeconds: Math.max(...limits.map(({ minSeconds }) => minSeconds)),
      concurrency: Math.max(...limits.map(({ concurrency }) => concurrency)),
    },
    recognise(request, signal) {
      const refuse = (one: ListedRecogniser) =>
        (usable && one.missingKey()) ??
        languageRefusal(one, first!, request.language) ??
        request.refuse?.(one)
      return list.ask(
        async ({ model, usdPerSecond, recognise }) => {
          const recognition = await recognise(request, signal)
          const costUsd = recognition.costUsd ?? estimatedUsd(usdPerSecond, request.seconds)
          return { ...recognition, model, ...(costUsd !== undefined && { costUsd }) }
        },
        signal,
        refuse,
      )
    },
  }
}
