// Text models of one provider: their common type, and the checks and errors that they share.
import { SpeechError } from '../../domain/errors.ts'
import type { Model } from '../../domain/models/model.ts'
import { usdForUsage } from '../../domain/models/price.ts'
import type { GenerateOptions, TextAnswer, TextModel } from '../../domain/text-model.ts'
import type { RequestBody } from '../http/http.ts'
import type { ListedModel } from '../models/model-list.ts'

/** A model of one provider. */
export interface ProviderModel extends TextModel, ListedModel {}

export interface Draft {
  text: string
  /** Undefined if the provider never reported the end. */
  ending: 'whole' | 'cut' | undefined
  usage: TextAnswer['usage']
}

/** Throws for an answer that broke off or is empty. */
export function finished(model: Model, { text, ending, usage }: Draft): TextAnswer {
  if (!ending) throw brokenOff()
  // Empty texts are never sent, so an empty answer is a failure.
  if (text.trim() === '') throw emptyAnswer(ending === 'whole')
  const costUsd = usdForUsage(model, usage)
  return {
    text,
    whole: ending === 'whole',
    model: model.name,
    usage,
    ...(costUsd !== undefined && { costUsd }),
  }
}

export function unknownShape(setting: string): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The provider’s response has an unknown shape.', {
    hint: `Check ${setting} and FORMAT_MODELS; call again in a minute.`,
    retryable: true,
  })
}

function brokenOff(): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The provider’s response broke off.', {
    hint: 'This usually passes; call again in a minute.',
    retryable: true,
  })
}

/** An answer cut before its first word would be cut again. */
function emptyAnswer(retryable: boolean): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The model wrote nothing.', {
    hint: 'Call again in a minute, or put another model first in FORMAT_MODELS.',
    retryable,
  })
}

/** A request body in one chunk. */
export function jsonBody(value: object): RequestBody {
  const bytes = Buffer.from(JSON.stringify(value))
  return { byteLength: bytes.length, chunks: () => [bytes] }
}

/** Reports the acceptance of several attempts once: to the caller they are one request. */
export function acceptedOnce(options: GenerateOptions): GenerateOptions {
  let accepted = false
  return {
    ...options,
    onAccepted() {
      if (!accepted) options.onAccepted?.()
      accepted = true
    },
  }
}
