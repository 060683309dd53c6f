// Prices of the models in US dollars: international prices of November 2026 (Model Studio price list).

/** For a second of submitted audio. Snapshots (`…-2026-02-10`) cost the same as their model. */
const audio: Record<string, number> = {
  'qwen3-asr-flash': 0.000035,
  'qwen3-asr-flash-filetrans': 0.000035,
  'fun-asr-mtl': 0.000035,
  'fun-asr': 0.000035,
  'qwen-audio-3.0-asr-flash-filetrans': 0.000035,
  'qwen-audio-3.1-asr-flash-filetrans': 0.000035,
}

/** For a million tokens of input and output, in requests of up to 256,000 tokens; longer ones cost more. */
const tokens: Record<string, { input: number; output: number }> = {
  'qwen-turbo': { input: 0.05, output: 0.2 },
  'qwen-flash': { input: 0.05, output: 0.4 },
  'gemini-2.5-flash': { input: 0.3, output: 2.5 },
}

/** The model of a snapshot, or the name itself. */
export function withoutSnapshotDate(model: string): string {
  return model.replace(/-\d{4}-\d\d-\d\d$/, '')
}

/** Undefined for a model whose price is unknown. */
export function usdPerSecond(model: string): number | undefined {
  return audio[withoutSnapshotDate(model)]
}

/** Undefined for a model whose price is unknown. */
export function usdPerMillionTokens(model: string): { input: number; output: number } | undefined {
  return tokens[withoutSnapshotDate(model)]
}

/** Undefined if the price or the number of tokens is unknown. */
export function usdForTokens(
  model: string,
  { inputTokens, outputTokens }: { inputTokens: number; outputTokens: number },
): number | undefined {
  const price = usdPerMillionTokens(model)
  if (!price || inputTokens > 256_000 || inputTokens + outputTokens === 0) return undefined
  return roundUsd((inputTokens * price.input + outputTokens * price.output) / 1e6)
}

/** Rounds to millionths. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6
}
