// Models that recognise whole files: request format, capabilities and rate limit of each.
import { hintLanguages } from '../../../domain/languages.ts'
import type { FileRequest } from '../../../domain/ports.ts'
import { withoutSnapshotDate } from '../../../domain/prices.ts'

/** The purpose of a model: one recognises the speakers, another one the text. */
export type FileRole = 'speakers' | 'text'

export interface FileModel {
  capabilities: { text: boolean; speakers: boolean }
  /** Submits a minute of one account (Model Studio rate limits, international region). */
  perMinute: number
  /** The submitted body, without the model's name. `parameters` is required even when it is empty. */
  body(request: FileRequest): { input: object; parameters: object }
}

/**
 * Limits of all models (Model Studio reference, file transcription). For speakers, fun-asr recommends at most two hours;
 * longer recordings are tried too, since the text of the other pass is kept if this one fails.
 */
export const fileLimits = { maxSeconds: 12 * 3600, maxBytes: 2 * 1024 ** 3 }

/** Language hints of fun-asr (Model Studio reference, 30 codes); qwen-audio has the same format. */
const funHints = [
  'zh', 'en', 'ja', 'ko', 'vi', 'th', 'id', 'ms', 'tl', 'hi', 'ar', 'fr', 'de', 'es', 'pt',
  'ru', 'it', 'nl', 'sv', 'da', 'fi', 'no', 'el', 'pl', 'cs', 'hu', 'ro', 'bg', 'hr', 'sk',
] as const // biome-ignore format: a table reads better than a column

const minSpeakers = 2
const maxSpeakers = 100

/** The fun-asr family: the addresses are a list of one, and options of another family are ignored. */
const listBody =
  (isDiarized: boolean): FileModel['body'] =>
  ({ url, language, speakers }) => {
    const hint = language === 'fil' ? 'tl' : language
    const parameters = {
      // Diarization works on one channel only, and each channel is billed.
      channel_id: [0],
      ...(isDiarized && { diarization_enabled: true, ...speakerCount(speakers) }),
      ...(hint && (funHints as readonly string[]).includes(hint) && { language_hints: [hint] }),
    }
    return { input: { file_urls: [url] }, parameters }
  }

/** The API refuses a count of one, which would not help anyway. */
function speakerCount(speakers: number | undefined): { speaker_count?: number } {
  if (speakers === undefined || !Number.isInteger(speakers)) return {}
  if (speakers < minSpeakers || speakers > maxSpeakers) return {}
  return { speaker_count: speakers }
}

/** Word times are accurate in zh, en, ja, ko, de, fr, es, it, pt and ru, and may not be in other languages. */
const singleBody: FileModel['body'] = ({ url, language }) => ({
  input: { file_url: url },
  parameters: {
    channel_id: [0],
    ...(language && (hintLanguages as readonly string[]).includes(language) && { language }),
    enable_itn: false,
    enable_words: true,
  },
})

/** As speaker model, its words serve only for alignment with better ones; as text model, they are the text. */
const fun = (role: FileRole, perMinute: number): FileModel => ({
  capabilities: role === 'text' ? { text: true, speakers: false } : { text: false, speakers: true },
  perMinute,
  body: listBody(role === 'speakers'),
})

const filetrans: FileModel = {
  capabilities: { text: true, speakers: false },
  perMinute: 100,
  body: singleBody,
}

const onePass: FileModel = {
  capabilities: { text: true, speakers: true },
  perMinute: 600,
  body: listBody(true),
}

/** An unknown model is requested like the default model of its role. */
export function fileModel(name: string, role: FileRole): FileModel {
  const model = withoutSnapshotDate(name)
  if (model === 'fun-asr-mtl') return fun(role, 100)
  if (model === 'fun-asr') return fun(role, 600)
  if (model === 'qwen3-asr-flash-filetrans') return filetrans
  if (/^qwen-audio-3\.\d+-asr-flash-filetrans$/.test(model)) return onePass
  return role === 'speakers' ? fun(role, 100) : filetrans
}
