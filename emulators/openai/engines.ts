// Engines with OpenAI's transcription API: how each one's requests and responses deviate, as recorded in November 2026.
import type { RecognisedAudio } from '../audio-matching/match-audio.ts'

export interface TranscriptionForm {
  model: string
  /** `response_format`; `json` unless given. */
  format: string
  /** Of `timestamp_granularities[]`, with its brackets. */
  granularities: string[]
  language?: string
  prompt?: string
  bytes: number
}

export interface Heard extends RecognisedAudio {
  /** Length of the audio. */
  seconds: number
}

export interface Engine {
  /** Names of the models that it serves; others are refused. Absent: any. */
  models?: RegExp
  maxSeconds: number
  maxBytes: number
  needsKey: boolean
  /** The formats that it takes; any other is refused. */
  formats: RegExp
  respond(heard: Heard, form: TranscriptionForm): object
  refusals: {
    format(form: TranscriptionForm): Refusal
    tooLong(seconds: number): Refusal
    tooLarge: Refusal
    model(form: TranscriptionForm): Refusal
  }
}

export interface Refusal {
  status: number
  body: object
}

interface Timed {
  start: number
  end: number
  text: string
}

const english: Record<string, string> = { en: 'english', ru: 'russian', zh: 'chinese', de: 'german' }
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const englishName = ({ language = 'en' }: Heard) => english[language] ?? 'english'

/** OpenAI's and vLLM's shape of an error. */
function refusal(status: number, message: string, code: string | number | null = null, param = ''): Refusal {
  return { status, body: { error: { message, type: 'invalid_request_error', param: param || null, code } } }
}

/** FastAPI's shape of an error: Speaches, qwen3-asr-service and funasr-server. */
const detail = (status: number, text: string): Refusal => ({ status, body: { detail: text } })

/** Words grouped into sentences. */
function segmentsOf({ words, joiner }: Heard): (Timed & { words: Timed[] })[] {
  const groups: Timed[][] = [[]]
  for (const word of words) {
    groups.at(-1)!.push(word)
    if (/[.!?。！？]$/.test(word.text)) groups.push([])
  }
  return groups
    .filter(group => group.length > 0)
    .map(group => ({
      start: group[0]!.start,
      end: group.at(-1)!.end,
      text: group.map(({ text }) => text).join(joiner),
      words: group,
    }))
}

const hundredths = (seconds: number) => Math.round(Math.max(0, seconds) * 100) / 100
const rounded = ({ start, end }: Timed) => ({ start: hundredths(start), end: hundredths(end) })

function verbose(heard: Heard, form: TranscriptionForm, segmentText = (text: string) => text) {
  return {
    task: 'transcribe',
    language: heard.language ?? 'en',
    duration: hundredths(heard.seconds),
    text: heard.text,
    segments: segmentsOf(heard).map((segment, id) => ({
      id,
      seek: 0,
      ...rounded(segment),
      text: segmentText(segment.text),
      tokens: [],
      temperature: 0,
      avg_logprob: -0.2,
      compression_ratio: 1.3,
      no_speech_prob: 0.01,
    })),
    ...(form.granularities.includes('word') && {
      words: heard.words.map(word => ({ word: word.text, ...rounded(word) })),
    }),
  }
}

const common = {
  maxSeconds: 24 * 3600,
  maxBytes: 25 * 1024 * 1024,
  needsKey: false,
  formats: /^(json|verbose_json)$/,
}

const openAiRefusals: Engine['refusals'] = {
  format: ({ format, model }) =>
    refusal(
      400,
      `response_format '${format}' is not compatible with model '${model}-api-ev3'. Use 'json' or 'text' instead.`,
      'unsupported_value',
      'response_format',
    ),
  tooLong: seconds =>
    refusal(
      400,
      `audio duration ${seconds} seconds is longer than 1400 seconds which is the maximum for this model`,
      'invalid_value',
    ),
  tooLarge: refusal(413, 'Maximum content size limit (26214400) exceeded (bytes read)'),
  model: ({ model }) => refusal(404, `The model \`${model}\` does not exist`, 'model_not_found'),
}

const fastApiRefusals: Engine['refusals'] = {
  format: ({ format }) => detail(422, `response_format: unexpected value '${format}'`),
  tooLong: () => detail(400, 'Audio too long'),
  tooLarge: detail(413, 'Audio file too large'),
  model: ({ model }) => detail(404, `Model '${model}' is not installed locally.`),
}

export type EngineName = keyof typeof engines

export const engines = {
  /** whisper-1: words without punctuation, and the language as an English word. */
  openai: {
    ...common,
    needsKey: true,
    models: /^whisper-1$/,
    respond: (heard, form) =>
      form.format === 'json'
        ? { text: heard.text, usage: { type: 'duration', seconds: Math.ceil(heard.seconds) } }
        : {
            ...verbose(heard, form, text => ` ${text}`),
            language: englishName(heard),
            ...(form.granularities.includes('word') && {
              words: heard.words.map(word => ({
                word: word.text.replace(/[^\p{L}\p{N}'’-]/gu, ''),
                ...rounded(word),
              })),
            }),
          },
    refusals: openAiRefusals,
  },
  'openai-gpt-4o': {
    ...common,
    needsKey: true,
    models: /^gpt-4o(-mini)?-transcribe$/,
    formats: /^json$/,
    maxSeconds: 1400,
    respond: ({ text }) => ({
      text,
      usage: { type: 'tokens', total_tokens: 110, input_tokens: 100, output_tokens: 10 },
    }),
    refusals: openAiRefusals,
  },
  /** Refuses verbose_json for Qwen3-ASR, and leaves the model's own header in the text. */
  vllm: {
    ...common,
    models: /^Qwen\/Qwen3-ASR-(0\.6|1\.7)B$/,
    formats: /^(json|text)$/,
    maxSeconds: 600,
    respond: heard => ({
      text: heard.text
        ? `language ${capital(englishName(heard))}<asr_text>${heard.text}`
        : 'language None<asr_text>',
      usage: { type: 'duration', seconds: Math.ceil(heard.seconds) },
    }),
    refusals: {
      ...openAiRefusals,
      format: ({ model }) => refusal(400, `Currently do not support verbose_json for ${model}`, 400),
      tooLong: () => refusal(400, 'Maximum clip duration (600s) exceeded.', 400),
      tooLarge: refusal(400, 'Maximum file size exceeded.', 400),
      model: ({ model }) => refusal(404, `The model \`${model}\` does not exist.`, 404),
    },
  },
  /** Returns nothing but the text, in each format. */
  'llama.cpp': { ...common, formats: /./, respond: ({ text }) => ({ text }), refusals: openAiRefusals },
  /** Words begin with a space, and come only for `timestamp_granularities[]` with its brackets. */
  speaches: {
    ...common,
    models: /whisper/i,
    respond: (heard, form) =>
      form.format === 'json'
        ? { text: heard.text }
        : {
            ...verbose(heard, form, text => ` ${text}`),
            ...(form.granularities.includes('word') && {
              words: heard.words.map(word => ({
                word: `${heard.joiner}${word.text}`,
                ...rounded(word),
                probability: 0.9,
              })),
            }),
          },
    refusals: fastApiRefusals,
  },
  /** Segments without words. */
  localai: {
    ...common,
    formats: /./,
    respond: (heard, form) =>
      form.format === 'json' ? { text: heard.text } : { ...verbose(heard, { ...form, granularities: [] }) },
    refusals: openAiRefusals,
  },
  /** Has only the text, and spreads the time over its characters. */
  'funasr-server': {
    ...common,
    respond(heard, form) {
      if (form.format === 'json') return { text: heard.text }
      const segments = segmentsOf(heard)
      const characters = segments.reduce((sum, { text }) => sum + text.length, 0)
      let at = 0
      return {
        ...verbose(heard, { ...form, granularities: [] }),
        segments: segments.map(({ text }, id) => {
          const start = at
          at += (heard.seconds * text.length) / characters
          return { id, start: hundredths(start), end: hundredths(at), text }
        }),
      }
    },
    refusals: fastApiRefusals,
  },
  /** Full answers with placeholders for what it does not measure; `prompt` is ignored. */
  'qwen3-asr-service': {
    ...common,
    maxSeconds: 4 * 3600,
    respond: (heard, form) =>
      form.format === 'json'
        ? { text: heard.text }
        : { ...verbose(heard, form), language: englishName(heard) },
    refusals: fastApiRefusals,
  },
} as const satisfies Record<string, Engine>
