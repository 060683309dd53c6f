// Cost of requests in US dollars: estimated from the length of a recording, and exactly from a response's usage.
import type { Model, TokenPrice } from './model.ts'

/** Of the models in the tables, for a model whose price a user gave by tokens. */
const usualTokensPerSecond = { input: 25, output: 4.2 }

/** Usage as a response reports it. */
export interface BilledUsage {
  /** Seconds of audio. */
  seconds?: number
  inputTokens?: number
  outputTokens?: number
}

/** Price of a second of audio; for a price by tokens the upper estimate. Undefined if unknown. */
export function usdPerSecond({ price, tokensPerSecond = usualTokensPerSecond }: Model): number | undefined {
  if (!price) return undefined
  if ('usdPerSecond' in price) return price.usdPerSecond
  const { input, output } = tokensPerSecond
  return (input * price.usdPerMillionInput + output * price.usdPerMillionOutput) / 1e6
}

/** Tokens in and out to format an hour of speech, prompts included. */
export const hourOfText = { inputTokens: 20_000, outputTokens: 18_000 }

/** An estimate for an hour of speech: recognised, or formatted. Undefined if the price is unknown. */
export function usdPerHour(model: Model): number | undefined {
  if (model.roles.includes('text')) return usdForUsage(model, hourOfText)
  return estimatedUsd(usdPerSecond(model), 3600)
}

/** The price of a text model; undefined if unknown. */
export function tokenPrice({ price }: Model): TokenPrice | undefined {
  if (price && 'usdPerMillionInput' in price) return price
  return price?.usdPerSecond === 0 ? { usdPerMillionInput: 0, usdPerMillionOutput: 0 } : undefined
}

/** To a billionth, so that many of them add up. Undefined if the price is unknown, or if the response does not report what the price counts. */
export function usdForUsage({ price }: Model, usage: BilledUsage): number | undefined {
  if (!price) return undefined
  if ('usdPerSecond' in price) {
    if (price.usdPerSecond === 0) return 0
    return usage.seconds === undefined ? undefined : toBillionths(usage.seconds * price.usdPerSecond)
  }
  const { inputTokens = 0, outputTokens = 0 } = usage
  const { usdPerMillionInput, usdPerMillionOutput, maxInputTokens = Number.POSITIVE_INFINITY } = price
  if (inputTokens > maxInputTokens || inputTokens + outputTokens === 0) return undefined
  return toBillionths((inputTokens * usdPerMillionInput + outputTokens * usdPerMillionOutput) / 1e6)
}

function toBillionths(usd: number): number {
  return Math.round(usd * 1e9) / 1e9
}

/** Undefined where the price is unknown. */
export function estimatedUsd(usdPerSecond: number | undefined, seconds: number): number | undefined {
  return seconds === 0 ? 0 : usdPerSecond === undefined ? undefined : usdPerSecond * seconds
}

/** The sum, rounded; without a cost where one of them is unknown. */
export function totalUsd(costs: (number | undefined)[]): { costUsd?: number } {
  if (costs.includes(undefined)) return {}
  return { costUsd: roundUsd(costs.reduce<number>((sum, cost) => sum + cost!, 0)) }
}

/** For the reader of a result whose cost is not known. */
export function unknownPrice(models: string[]): string {
  return `The price of ${models.join(' and ')} is not known, so the cost is not; SPEECH_MODELS can give it.`
}

/** Rounds to millionths. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6
}
