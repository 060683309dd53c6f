// The speech models: how each is asked, its price and its abilities.
import type { Price } from './price.ts'

export interface SpeechModel {
  name: string
  /**
   * `chunk`: synchronous, audio in the request. Files: `list` has `input.file_urls` and `output.results`, `single` has
   * `input.file_url` and `output.result`.
   */
  shape: 'chunk' | 'list' | 'single'
  price: Price
  /** A chunk is an `input_audio`, and the answer has no `choices`. */
  inputAudio?: true
  /** Place of the context that it takes: system message, `input.context` or `parameters.corpus.text`. */
  context: 'system' | 'input' | 'corpus' | 'none'
  /** Takes `parameters.vocabulary`. */
  hotwords: boolean
  /** Supports speaker diarization. */
  diarizes: boolean
  /** Recognises every word correctly. */
  accurate: boolean
  /** Languages in which it recognises no word correctly. */
  unintelligibleLanguages: readonly string[]
}

export type TaskModel = SpeechModel & { shape: 'list' | 'single' }

const perSecond = { perSecond: 0.000035 }
const common = { context: 'none', hotwords: false, diarizes: false, unintelligibleLanguages: [] } as const
const fun = { ...common, shape: 'list', price: perSecond, accurate: false, diarizes: true } as const
const audio = { ...fun, accurate: true, context: 'input', hotwords: true } as const
const qwen = { ...common, price: perSecond, accurate: true } as const

// International prices of November 2026 (model pages).
const MODELS: Record<string, Omit<SpeechModel, 'name'>> = {
  'qwen3-asr-flash': { ...qwen, shape: 'chunk', context: 'system' },
  // No price was published.
  'qwen-audio-3.1-asr-flash': { ...qwen, shape: 'chunk', price: { perSecond: 0 }, inputAudio: true },
  'qwen3-asr-flash-filetrans': { ...qwen, shape: 'single', context: 'corpus' },
  'fun-asr': fun,
  'fun-asr-mtl': { ...fun, unintelligibleLanguages: ['ru'] },
  'qwen-audio-3.0-asr-flash-filetrans': audio,
  'qwen-audio-3.1-asr-flash-filetrans': { ...audio, price: { input: 0.15, output: 0.47 } },
}

/** A dated snapshot has the model's name plus the date. */
export function speechModel(name: unknown): SpeechModel | undefined {
  if (typeof name !== 'string') return undefined
  const family = name.replace(/-\d{4}-\d{2}-\d{2}$/, '')
  return Object.hasOwn(MODELS, family) ? { ...MODELS[family]!, name } : undefined
}

/** A model for whole files. */
export function taskModel(name: unknown): TaskModel | undefined {
  const model = speechModel(name)
  return model && model.shape !== 'chunk' ? (model as TaskModel) : undefined
}
