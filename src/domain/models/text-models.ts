// The table of text models: prices by tokens, limits and thinking, with their source and date.
import type { Model } from './model.ts'

const qwen = { provider: 'dashscope', roles: ['text'], perMinute: 600 } as const
const gemini = { provider: 'gemini', form: 'gemini', roles: ['text'], perMinute: 600 } as const

/** A request with more input tokens costs more (Model Studio price list). */
const maxInputTokens = 256_000

export const textModels: readonly Model[] = [
  {
    ...qwen,
    name: 'qwen-turbo',
    form: 'qwen-text',
    price: { usdPerMillionInput: 0.05, usdPerMillionOutput: 0.2, maxInputTokens },
    maxAnswerTokens: 16_384,
    retires: { date: '2026-10-10', successor: 'qwen-flash' },
    source: 'Model Studio, notice 731 (Beijing and Singapore) and price list, autumn 2026',
  },
  {
    ...qwen,
    name: 'qwen-flash',
    form: 'qwen-text',
    price: { usdPerMillionInput: 0.05, usdPerMillionOutput: 0.4, maxInputTokens },
    maxAnswerTokens: 32_768,
    source: 'Model Studio, price list, November 2026',
  },
  {
    ...qwen,
    name: 'qwen-plus',
    form: 'qwen-text',
    price: { usdPerMillionInput: 0.4, usdPerMillionOutput: 1.2, maxInputTokens },
    maxAnswerTokens: 32_768,
    source: 'Model Studio, price list (without thinking), November 2026',
  },
  {
    ...qwen,
    name: 'qwen-max',
    form: 'qwen-text',
    price: { usdPerMillionInput: 1.6, usdPerMillionOutput: 6.4 },
    maxAnswerTokens: 8_192,
    source: 'Model Studio, price list, November 2026',
  },
  {
    ...qwen,
    name: 'qwen3.8-flash',
    form: 'qwen-multimodal',
    source: 'live answers of others, 2026; no international price seen',
  },
  {
    ...gemini,
    name: 'gemini-2.5-flash',
    price: { usdPerMillionInput: 0.3, usdPerMillionOutput: 2.5 },
    thinking: 'budget',
    retires: { date: '2026-12-01', successor: 'gemini-3.5-flash-lite' },
    source: 'Gemini API price list; retirement as read on 2026-11-10; new keys are refused since summer 2026',
  },
  {
    ...gemini,
    name: 'gemini-3.5-flash-lite',
    price: { usdPerMillionInput: 0.3, usdPerMillionOutput: 2.5 },
    source: 'Gemini API model list, November 2026; price as resellers list it since July 2026',
  },
]
