// Families of models that are too many for a table: what is known of every member by its name.
import type { TableEntry } from './speech-models.ts'

export interface ModelFamily {
  pattern: RegExp
  facts: Omit<TableEntry, 'name'>
}

const source = 'its family, DashScope API reference, November 2026'
const qwen = { provider: 'dashscope', roles: ['text'], perMinute: 600, source } as const

/** The first match counts. None has a price. */
export const modelFamilies: readonly ModelFamily[] = [
  {
    pattern: /^openai:/,
    facts: {
      provider: 'openai',
      form: 'openai-transcription',
      roles: ['chunk'],
      perMinute: 100,
      context: 'prompt',
      maxBytes: 25_000_000,
      source: 'OpenAI API reference; servers differ',
    },
  },
  {
    pattern: /^gemini-/,
    facts: {
      provider: 'gemini',
      form: 'gemini',
      roles: ['text'],
      perMinute: 600,
      source: 'Gemini API reference, November 2026',
    },
  },
  {
    pattern: /^qwen-audio-3\.\d+-asr-flash-filetrans$/,
    facts: {
      provider: 'dashscope',
      form: 'dashscope-file-list',
      roles: ['words', 'speakers', 'one-pass'],
      perMinute: 600,
      context: 'input',
      hotwords: true,
      speakerCount: true,
      maxSeconds: 12 * 3600,
      maxBytes: 2 * 1024 ** 3,
      source,
    },
  },
  { pattern: /^qwq-|-thinking\b/, facts: { ...qwen, form: 'qwen-text', thinking: 'always' } },
  // From 3.5 on all Qwen models are multimodal; where this is wrong, a "url error" leads to the other route.
  { pattern: /^qwen(?:3\.[5-9]|[4-9])|-(?:vl|omni)\b/, facts: { ...qwen, form: 'qwen-multimodal' } },
  { pattern: /^qwen-turbo\b/, facts: { ...qwen, form: 'qwen-text', maxAnswerTokens: 16_384 } },
  { pattern: /^qwen-(?:flash|plus)\b/, facts: { ...qwen, form: 'qwen-text', maxAnswerTokens: 32_768 } },
  { pattern: /^qwen-max\b|^qwen3-\d/, facts: { ...qwen, form: 'qwen-text', maxAnswerTokens: 8_192 } },
]
