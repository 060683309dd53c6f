// Which model is asked where, and how much it may write: the one place that knows models by their names.

export type QwenRoute = 'text-generation' | 'multimodal-generation'

export function isGemini(model: string): boolean {
  return /^gemini-/.test(model)
}

/**
 * Models that see or hear are reached by a route of their own, and from 3.5 on all Qwen models do (Model Studio, DashScope
 * API reference). Where this is wrong, the provider's "url error" leads to the other route.
 */
export function qwenRoute(model: string): QwenRoute {
  return /^qwen(?:3\.[5-9]|[4-9])|-(?:vl|omni)\b/.test(model) ? 'multimodal-generation' : 'text-generation'
}

/** Most tokens of an answer (Model Studio, text models): a wish for more is refused. The first that fits counts. */
const longestAnswers: [RegExp, number][] = [
  [/^qwen-turbo\b/, 16_384],
  [/^qwen-(?:flash|plus)\b/, 32_768],
  [/^qwen-max\b|^qwen3-\d/, 8_192],
]

/** Infinite where it is not known. */
export function longestAnswer(model: string): number {
  return longestAnswers.find(([pattern]) => pattern.test(model))?.[1] ?? Number.POSITIVE_INFINITY
}

/** Those that think unless they are told not to, and can be told by a budget of nothing. */
export function takesNoThinking(model: string): boolean {
  return /^gemini-2\.5-flash/.test(model)
}

/** Models that do nothing but think must not be told not to. */
export function mustThink(model: string): boolean {
  return /-thinking\b|^qwq-/.test(model)
}
