// Bodies of the requests for file tasks, by the form of the model.
import { contextFor } from '../../../domain/models/context.ts'
import type { Model, ModelRole } from '../../../domain/models/model.ts'
import type { FileRecogniser, FileRequest } from '../../../domain/ports.ts'

/** The purpose of a model: one recognises the speakers, another one the text. */
export type FileRole = Extract<ModelRole, 'speakers' | 'words'>

/** The submitted body, without the model's name. `parameters` is required even when it is empty. */
interface FileBody {
  input: object
  parameters: object
}

const minSpeakers = 2
const maxSpeakers = 100

/** As speaker model, the words of fun-asr serve only for alignment with better ones; as text model, they are the text. */
export function capabilitiesOf({ roles }: Model, role: FileRole): FileRecogniser['capabilities'] {
  if (roles.includes('one-pass')) return { text: true, speakers: true }
  if (!roles.includes('speakers')) return { text: true, speakers: false }
  return { text: role === 'words', speakers: role === 'speakers' }
}

export function requestBody(model: Model, role: FileRole, request: FileRequest): FileBody {
  if (model.form === 'dashscope-file') return singleBody(model, request)
  return listBody(model, capabilitiesOf(model, role).speakers, request)
}

/** The addresses are a list of one, and options of another family are ignored. */
function listBody(model: Model, isDiarized: boolean, request: FileRequest): FileBody {
  const { hintLanguages, speakerCount } = model
  const { url, language, speakers, context } = request
  const { text, vocabulary } = contextFor(model.name, model, context)
  const hint = language === 'fil' ? 'tl' : language
  const parameters = {
    // Diarization works on one channel only, and each channel is billed.
    channel_id: [0],
    ...(isDiarized && { diarization_enabled: true, ...(speakerCount && countOf(speakers)) }),
    ...(hint && (hintLanguages ?? [hint]).includes(hint) && { language_hints: [hint] }),
    ...(vocabulary && { vocabulary }),
  }
  const messages = text && [{ role: 'user', content: [{ type: 'input_text', text }] }]
  return { input: { file_urls: [url], ...(messages && { context: messages }) }, parameters }
}

/** The API refuses a count of one, which would not help anyway. */
function countOf(speakers: number | undefined): { speaker_count?: number } {
  if (speakers === undefined || !Number.isInteger(speakers)) return {}
  if (speakers < minSpeakers || speakers > maxSpeakers) return {}
  return { speaker_count: speakers }
}

/** Word times are accurate in zh, en, ja, ko, de, fr, es, it, pt and ru, and may not be in other languages. */
function singleBody(model: Model, { url, language, context }: FileRequest): FileBody {
  const { hintLanguages } = model
  const { text } = contextFor(model.name, model, context)
  return {
    input: { file_url: url },
    parameters: {
      channel_id: [0],
      ...(language && (hintLanguages ?? [language]).includes(language) && { language }),
      enable_itn: false,
      enable_words: true,
      ...(text && { corpus: { text } }),
    },
  }
}
