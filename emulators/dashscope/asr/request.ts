// Parses a recognition request, with the checks of the service.
import { dashscopeErrors, Refusal } from '../errors.ts'
import type { Forms } from '../forms.ts'
import { speechModel } from '../models/speech.ts'
import { tokensOf } from '../text/answer.ts'
import { invalidInput } from '../wording.ts'

export interface AsrRequest {
  model: string
  context: string | undefined
  language: string | undefined
  mime: string
  audio: Buffer
  /** True where speakers are asked for. */
  hasSpeakers: boolean
}

const LANGUAGES = 'zh yue en ja de ko ru fr pt ar it es hi id th tr uk vi cs da fil fi is ms no pl sv'.split(
  ' ',
)

// Formats documented for the synchronous call; mp4, m4a and mov are not among them.
const FORMATS =
  /^(audio|video)\/(x-)?(aac|amr|avi|msvideo|aiff|flac|flv|matroska|mp3|mpeg|ogg|opus|wav|wave|webm|ms-wma|ms-wmv)$/

const maxContextTokens = 10_000

interface Message {
  role?: unknown
  content?: unknown
}

interface Body {
  model?: unknown
  input?: { messages?: unknown }
  parameters?: {
    asr_options?: { language?: string }
    format?: unknown
    language_hints?: string[]
    speaker_diarization_enabled?: unknown
  }
}

interface ReadingOptions {
  /** Of the data URI. */
  maxBytes: number
  forms: Forms
}

/** Throws a `Refusal` for an invalid body; undefined means it was not JSON. */
export function readAsrRequest(body: unknown, options: ReadingOptions): AsrRequest {
  if (body === undefined) {
    throw new Refusal(
      dashscopeErrors.roleOrContent,
      'Required body invalid, please check the request body format.',
    )
  }
  const json = body as Body | null
  const model = typeof json?.model === 'string' ? json.model : ''
  const known = speechModel(model)
  if (known?.shape !== 'chunk') {
    const isOfFiles = known && options.forms.wrongRoute === 'urlError'
    throw new Refusal(isOfFiles ? dashscopeErrors.urlError : dashscopeErrors.modelNotExist)
  }
  if (known.inputAudio) return { model, ...readInputAudio(json as Body, options) }
  const { context, audio } = readMessages(json?.input?.messages)
  if (context && tokensOf(context) > maxContextTokens) {
    // The limit is documented, the refusal is not.
    throw new Refusal(invalidInput(`Context must not exceed ${maxContextTokens} tokens`, options.forms))
  }
  const language = json?.parameters?.asr_options?.language ?? undefined
  if (language !== undefined && !LANGUAGES.includes(language)) {
    // The code is documented, the wording is not.
    throw new Refusal(invalidInput(`Unsupported language: ${JSON.stringify(language)}`, options.forms))
  }
  return { model, context, language, hasSpeakers: false, ...readAudio(audio, options) }
}

/** One user message with one `input_audio`; the format must be given. */
function readInputAudio(
  { input, parameters = {} }: Body,
  options: ReadingOptions,
): Omit<AsrRequest, 'model'> {
  const [message, ...more] = (Array.isArray(input?.messages) ? input.messages : []) as Message[]
  const [part] = (Array.isArray(message?.content) ? message.content : []) as {
    input_audio?: { data?: unknown }
  }[]
  const data = part?.input_audio?.data
  if (message?.role !== 'user' || more.length > 0 || typeof data !== 'string')
    throw new Refusal(dashscopeErrors.roleOrContent)
  if (typeof parameters.format !== 'string') throw new Refusal(invalidInput('format is empty', options.forms))
  return {
    context: undefined,
    language: parameters.language_hints?.[0],
    hasSpeakers: parameters.speaker_diarization_enabled === true,
    ...readAudio(data, options),
  }
}

// An optional system message with text, then one user message with audio; each content is a list of one-key objects.
function readMessages(messages: unknown): { context: string | undefined; audio: string } {
  if (!Array.isArray(messages) || messages.length === 0) throw new Refusal(dashscopeErrors.emptyInput)
  const roles = messages.map((message: Message) => message?.role)
  if (!['user', 'system,user'].includes(roles.join())) throw new Refusal(dashscopeErrors.roleOrContent)
  const system = roles.length === 2 ? readContent(messages[0], 'text') : undefined
  const audio = readContent(messages.at(-1), 'audio')
  if (audio === '') throw new Refusal(dashscopeErrors.audioEmpty)
  return { context: system, audio }
}

function readContent(message: Message, key: 'text' | 'audio'): string {
  const { content } = message
  const ok =
    Array.isArray(content) &&
    content.length > 0 &&
    content.every(part => part && typeof part === 'object' && Object.keys(part).length === 1)
  if (!ok) throw new Refusal(dashscopeErrors.roleOrContent)
  const part = content.find(candidate => typeof candidate[key] === 'string')
  if (!part) throw new Refusal(dashscopeErrors.roleOrContent)
  return part[key]
}

function readAudio(audio: string, { maxBytes, forms }: ReadingOptions): { mime: string; audio: Buffer } {
  if (/^https?:\/\//.test(audio)) throw new Refusal(dashscopeErrors.invalidUrl)
  const head = /^data:([^;,]*);base64,/.exec(audio)
  if (!head) throw new Refusal(dashscopeErrors.urlError)
  if (audio.length > maxBytes) {
    throw new Refusal(dashscopeErrors.tooLarge, `Exceeded limit on max bytes per data-uri item : ${maxBytes}`)
  }
  const mime = head[1]!.toLowerCase()
  if (!FORMATS.test(mime)) throw unreadable(forms)
  const bytes = Buffer.from(audio.slice(head[0].length), 'base64')
  if (bytes.length === 0) throw new Refusal(dashscopeErrors.audioEmpty)
  return { mime, audio: bytes }
}

/** The refusal of audio that cannot be decoded, and of a format that the call does not take. */
export function unreadable(forms: Forms): Refusal {
  const message = 'The audio format is illegal and cannot be opened'
  return new Refusal(invalidInput(message, forms, dashscopeErrors.unsupportedFormat))
}
