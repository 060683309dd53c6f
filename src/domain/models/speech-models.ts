// The table of speech models: international prices and limits, with their source and date.
import { hintLanguages } from '../languages.ts'
import type { Model } from './model.ts'

/** Language hints of fun-asr (Model Studio reference, 30 codes); qwen-audio has the same format. */
const funHints = [
  'zh', 'en', 'ja', 'ko', 'vi', 'th', 'id', 'ms', 'tl', 'hi', 'ar', 'fr', 'de', 'es', 'pt',
  'ru', 'it', 'nl', 'sv', 'da', 'fi', 'no', 'el', 'pl', 'cs', 'hu', 'ro', 'bg', 'hr', 'sk',
] as const // biome-ignore format: a table reads better than a column

const perSecond = { usdPerSecond: 0.000035 }
/** Limits of all file tasks (Model Studio reference). For speakers, fun-asr recommends at most two hours. */
const fileLimits = { maxSeconds: 12 * 3600, maxBytes: 2 * 1024 ** 3 }

/** The fun-asr family. With a speaker model its words serve only for alignment with better ones. */
const fun = {
  provider: 'dashscope',
  form: 'dashscope-file-list',
  roles: ['speakers', 'words'],
  price: perSecond,
  hintLanguages: funHints,
  speakerCount: true,
  ...fileLimits,
} as const satisfies Partial<Model>

/** The qwen-audio family: words, times and speakers in one pass. */
export const onePass = {
  provider: 'dashscope',
  form: 'dashscope-file-list',
  roles: ['words', 'speakers', 'one-pass'],
  perMinute: 600,
  hintLanguages: funHints,
  context: 'input',
  hotwords: true,
  speakerCount: true,
  ...fileLimits,
} as const satisfies Partial<Model>

/** Any server with OpenAI's transcription API: its own limits are learned from its errors. */
export const openAi = {
  provider: 'openai',
  form: 'openai-transcription',
  roles: ['chunk'],
  perMinute: 600,
  hintLanguages: undefined,
  context: 'prompt',
  maxSeconds: 150,
  maxBytes: 25_000_000,
  source: 'OpenAI API reference, November 2026',
} as const satisfies Partial<Model>

export const speechModels: readonly Model[] = [
  {
    name: 'qwen3-asr-flash',
    provider: 'dashscope',
    form: 'dashscope-message',
    roles: ['chunk'],
    price: perSecond,
    perMinute: 100,
    hintLanguages,
    context: 'system',
    // 300 s in newer documents, 180 s in older ones; chunks of 170 s are safe under both.
    maxSeconds: 170,
    maxBytes: 10_000_000,
    source: 'Model Studio, price list and model page, November 2026',
  },
  {
    name: 'qwen-audio-3.1-asr-flash',
    provider: 'dashscope',
    form: 'dashscope-input-audio',
    roles: ['chunk'],
    perMinute: 600,
    hintLanguages: funHints,
    maxSeconds: 300,
    maxBytes: 20_971_520,
    source: 'live answers and limits of others, September to November 2026; no international price seen',
  },
  {
    ...fun,
    name: 'fun-asr-mtl',
    perMinute: 100,
    retires: { date: '2026-10-10', successor: 'fun-asr' },
    source: 'Model Studio, retirement notice 118434 (China) and price list, 2026',
  },
  { ...fun, name: 'fun-asr', perMinute: 600, source: 'Model Studio, model page, November 2026' },
  {
    name: 'qwen3-asr-flash-filetrans',
    provider: 'dashscope',
    form: 'dashscope-file',
    roles: ['words'],
    price: perSecond,
    perMinute: 100,
    hintLanguages,
    context: 'corpus',
    ...fileLimits,
    source: 'Model Studio, price list and model page, November 2026',
  },
  {
    ...onePass,
    name: 'qwen-audio-3.0-asr-flash-filetrans',
    price: perSecond,
    source: 'Model Studio, model page, November 2026',
  },
  {
    ...onePass,
    name: 'qwen-audio-3.1-asr-flash-filetrans',
    price: { usdPerMillionInput: 0.15, usdPerMillionOutput: 0.47 },
    // 12.5 to 25 tokens a second of audio were inferred from answers; an hour of speech writes 12,000 to 15,000.
    tokensPerSecond: { input: 25, output: 4.2 },
    source: 'Model Studio, model page (en, ja), November 2026; tokens a second inferred',
  },
  { ...openAi, name: 'openai:whisper-1', price: { usdPerSecond: 0.0001 } },
]
