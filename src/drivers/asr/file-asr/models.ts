// The models that hear whole files: how each wants to be asked, what it tells, how often it may be asked.
import { hintLanguages } from '../../../domain/languages.ts'
import type { FileRequest } from '../../../domain/ports.ts'
import { withoutSnapshotDate } from '../../../domain/prices.ts'

/** What a model is there for, where there is one for who speaks and one for what is said. */
export type FileRole = 'speakers' | 'text'

export interface FileModel {
  capabilities: { text: boolean; speakers: boolean }
  /** Submits a minute of one account (Model Studio rate limits, international region). */
  perMinute: number
  /** What is submitted beside the model's name. `parameters` must be there even if it were empty. */
  body(request: FileRequest): { input: object; parameters: object }
}

/**
 * Of all of them (Model Studio reference, file transcription). With speakers fun-asr recommends two hours at most: what
 * is longer is tried all the same, as the text of the other pass is kept where this one fails.
 */
export const fileLimits = { maxSeconds: 12 * 3600, maxBytes: 2 * 1024 ** 3 }

/** Codes that fun-asr takes as a hint (Model Studio reference of fun-asr, 30 codes); qwen-audio has the same form. */
const funHints = [
  'zh', 'en', 'ja', 'ko', 'vi', 'th', 'id', 'ms', 'tl', 'hi', 'ar', 'fr', 'de', 'es', 'pt',
  'ru', 'it', 'nl', 'sv', 'da', 'fi', 'no', 'el', 'pl', 'cs', 'hu', 'ro', 'bg', 'hr', 'sk',
] as const // biome-ignore format: a table reads better than a column

const speakerCounts = { least: 2, most: 100 }

/** fun-asr and its kin: the addresses are a list of one, options of another family are ignored. */
const listBody =
  (isDiarized: boolean): FileModel['body'] =>
  ({ url, language, speakers }) => {
    const hint = language === 'fil' ? 'tl' : language
    const parameters = {
      // Speakers are told apart in one channel only, and each channel is billed.
      channel_id: [0],
      ...(isDiarized && { diarization_enabled: true, ...speakerCount(speakers) }),
      ...(hint && (funHints as readonly string[]).includes(hint) && { language_hints: [hint] }),
    }
    return { input: { file_urls: [url] }, parameters }
  }

/** One, which the API refuses, says nothing that helps. */
function speakerCount(speakers: number | undefined): { speaker_count?: number } {
  const { least, most } = speakerCounts
  if (speakers === undefined || !Number.isInteger(speakers) || speakers < least || speakers > most) return {}
  return { speaker_count: speakers }
}

/** The times of words are good in zh, en, ja, ko, de, fr, es, it, pt and ru; elsewhere they may be inaccurate. */
const singleBody: FileModel['body'] = ({ url, language }) => ({
  input: { file_url: url },
  parameters: {
    channel_id: [0],
    ...(language && (hintLanguages as readonly string[]).includes(language) && { language }),
    enable_itn: false,
    enable_words: true,
  },
})

/** Its words are fit for being aligned with better ones; whoever names it for the text wants them all the same. */
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

/** A model that we do not know is asked like the one that its role is known by. */
export function fileModel(name: string, role: FileRole): FileModel {
  const model = withoutSnapshotDate(name)
  if (model === 'fun-asr-mtl') return fun(role, 100)
  if (model === 'fun-asr') return fun(role, 600)
  if (model === 'qwen3-asr-flash-filetrans') return filetrans
  if (/^qwen-audio-3\.\d+-asr-flash-filetrans$/.test(model)) return onePass
  return role === 'speakers' ? fun(role, 100) : filetrans
}
