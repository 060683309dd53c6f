// Errors about a model of speech recognition, with its name and the setting that names it.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import { errorResponseOf } from '../http/dashscope-errors.ts'

export interface NamedModel {
  name: string
  setting: 'ASR_MODEL' | 'SPEAKER_MODEL' | 'FILE_MODEL'
  /** A model that serves this purpose. */
  example: string
}

/** Names the model in an error about it; other errors stay the same. */
export function withModel<E>(error: E, { name, setting, example }: NamedModel): E | SpeechError {
  if (!isSpeechError(error)) return error
  const isElsewhere = errorResponseOf(error)?.wrongRoute === true
  if (error.scope !== 'model' && !isElsewhere) return error
  const { code, message, hint, cause } = error
  const suggestion = example === name ? '' : `, such as ${example}`
  const namesAnother = code === 'MODEL_NOT_FOUND' || isElsewhere
  return new SpeechError(
    code,
    isElsewhere
      ? `The model ${name} is not for requests of this kind.`
      : message.replace(/\b(the|this) model\b/, `the model ${name}`),
    {
      hint: namesAnother ? `Set ${setting} to one that exists in the region${suggestion}.` : hint,
      scope: 'model',
      cause,
    },
  )
}
