// Families of models that are too many for a table: facts that follow from a name.
import type { Model } from './model.ts'
import { onePass, openAi } from './speech-models.ts'

export interface ModelFamily {
  pattern: RegExp
  facts: Partial<Omit<Model, 'name'>>
}

const source = 'its family, API reference, November 2026'
const qwen = { provider: 'dashscope', form: 'qwen-text', roles: ['text'], perMinute: 600, source } as const

/** All that match count, the later ones first. None has a price. */
export const modelFamilies: readonly ModelFamily[] = [
  {
    pattern: /^gemini-/,
    facts: { provider: 'gemini', form: 'gemini', roles: ['text'], perMinute: 600, source },
  },
  { pattern: /^openai:/, facts: openAi },
  { pattern: /^gemini-2\.5-flash/, facts: { thinking: 'budget' } },
  { pattern: /^qwen-audio-3\.\d+-asr-flash-filetrans$/, facts: { ...onePass, source } },
  { pattern: /^qwen-turbo\b/, facts: { ...qwen, maxAnswerTokens: 16_384 } },
  { pattern: /^qwen-(?:flash|plus)\b/, facts: { ...qwen, maxAnswerTokens: 32_768 } },
  { pattern: /^qwen-max\b|^qwen3-\d/, facts: { ...qwen, maxAnswerTokens: 8_192 } },
  // From 3.5 on all Qwen models are multimodal; where this is wrong, a "url error" leads to the other route.
  { pattern: /^qwen(?:3\.[5-9]|[4-9])|-(?:vl|omni)\b/, facts: { ...qwen, form: 'qwen-multimodal' } },
  { pattern: /^qwq-|-thinking\b/, facts: { thinking: 'always' } },
]
