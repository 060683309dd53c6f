// What the text models of all providers share: one name each, and one way to say that an answer is none.
import { SpeechError } from '../../domain/errors.ts'
import { usdForTokens } from '../../domain/prices.ts'
import type { GenerateOptions, TextAnswer, TextModel } from '../../domain/text-model.ts'
import type { RequestBody } from '../http/http.ts'

/** A model of one provider. */
export interface ProviderModel extends TextModel {
  readonly name: string
  /** Models of the same provider share their key and their address. */
  readonly provider: string
  /** Name and address: by this it is remembered that a model is gone. */
  readonly key: string
}

export interface Draft {
  text: string
  /** Undefined where the provider never said how the answer ended. */
  ending: 'whole' | 'cut' | undefined
  usage: TextAnswer['usage']
}

/** Throws for an answer that broke off or says nothing. */
export function finished(model: string, { text, ending, usage }: Draft): TextAnswer {
  if (!ending) throw brokenOff()
  // Nobody asks about a text that is empty.
  if (text.trim() === '') throw saidNothing(ending === 'whole')
  const costUsd = usdForTokens(model, usage)
  return { text, whole: ending === 'whole', model, usage, ...(costUsd !== undefined && { costUsd }) }
}

export function unknownShape(setting: string): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The provider’s answer has an unknown shape.', {
    hint: `Check ${setting} and FORMAT_MODELS; call again in a minute.`,
    retryable: true,
  })
}

function brokenOff(): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The provider’s answer broke off.', {
    hint: 'This passes as a rule; call again in a minute.',
    retryable: true,
  })
}

/** One that was cut before its first word would be cut again. */
function saidNothing(retryable: boolean): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'The model wrote nothing.', {
    hint: 'Call again in a minute, or put another model first in FORMAT_MODELS.',
    retryable,
  })
}

/** A request as one piece. */
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
