// DashScope's errors in terms of formatting: messages and hints about texts instead of recordings.
import { type ErrorCode, isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { errorResponseOf } from '../../http/dashscope-errors.ts'

const terms: Partial<Record<ErrorCode, (model: string) => { message?: string; hint: string }>> = {
  MODEL_NOT_FOUND: model => ({
    message: `DashScope does not know the model ${model}, or has retired it.`,
    hint: 'Set FORMAT_MODELS to models that exist in the region.',
  }),
  ACCESS_DENIED: model => ({
    message: `The DashScope key may not use the model ${model}.`,
    hint: 'Activate it for the key’s workspace in the Model Studio console, or remove it from FORMAT_MODELS.',
  }),
  CONTENT_REFUSED: model => ({
    message: `The content check of ${model} refused this text.`,
    hint: 'Another provider in FORMAT_MODELS may accept it.',
  }),
  THROTTLED: model => ({
    message: `DashScope limits the rate of requests to ${model}.`,
    hint: 'Wait a minute and call again.',
  }),
  PROVIDER_REFUSED: () => ({
    hint: 'Look the code up in Model Studio’s error reference, or put another model first in FORMAT_MODELS.',
  }),
}

/** Other errors stay the same. */
export function inFormattingTerms(error: unknown, model: string): unknown {
  if (!isSpeechError(error)) return error
  if (errorResponseOf(error)?.wrongRoute)
    return new SpeechError(error.code, `The model ${model} is not for texts.`, {
      hint: 'Remove it from FORMAT_MODELS.',
      scope: 'model',
      cause: error.cause,
    })
  const term = terms[error.code]?.(model)
  // An error of a proxy or firewall has its own hint.
  if (!term || (error.code === 'PROVIDER_REFUSED' && error.scope === 'account')) return error
  const { code, message, retryable, scope, cause } = error
  return new SpeechError(code, term.message ?? message, { hint: term.hint, retryable, scope, cause })
}
