// Properties of text models by name: provider, route, longest answer, thinking.

export type QwenRoute = 'text-generation' | 'multimodal-generation'

export function isGemini(model: string): boolean {
  return /^gemini-/.test(model)
}

/**
 * Multimodal models have their own route, and from 3.5 on all Qwen models are multimodal (Model Studio, DashScope API
 * reference). If this is wrong, the provider's "url error" leads to the other route.
 */
export function qwenRoute(model: string): QwenRoute {
  return /^qwen(?:3\.[5-9]|[4-9])|-(?:vl|omni)\b/.test(model) ? 'multimodal-generation' : 'text-generation'
}

/** Most tokens of an answer (Model Studio, text models); a higher limit is refused. The first match counts. */
const answerLimits: [RegExp, number][] = [
  [/^qwen-turbo\b/, 16_384],
  [/^qwen-(?:flash|plus)\b/, 32_768],
  [/^qwen-max\b|^qwen3-\d/, 8_192],
]

/** Infinite if unknown. */
export function maxAnswerTokens(model: string): number {
  return answerLimits.find(([pattern]) => pattern.test(model))?.[1] ?? Number.POSITIVE_INFINITY
}

/** Models that think by default, and stop with a thinking budget of 0. */
export function acceptsNoThinking(model: string): boolean {
  return /^gemini-2\.5-flash/.test(model)
}

/** Models that always think reject a request not to. */
export function mustThink(model: string): boolean {
  return /-thinking\b|^qwq-/.test(model)
}
