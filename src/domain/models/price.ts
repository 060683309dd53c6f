// Cost of requests in US dollars: estimated from the length of a recording, and exactly from a response's usage.
import type { Model, TokenPrice } from './model.ts'

/** Usage as a response reports it. */
export interface BilledUsage {
  /** Seconds of audio. */
  seconds?: number
  inputTokens?: number
  outputTokens?: number
}

/** Price of a second of audio; for a price by tokens the upper estimate. Undefined if unknown. */
export function usdPerSecond({ price, tokensPerSecond }: Model): number | undefined {
  if (!price) return undefined
  if ('usdPerSecond' in price) return price.usdPerSecond
  if (!tokensPerSecond) return undefined
  const { input, output } = tokensPerSecond
  return (input * price.usdPerMillionInput + output * price.usdPerMillionOutput) / 1e6
}

/** The price of a text model; undefined if unknown. */
export function tokenPrice({ price }: Model): TokenPrice | undefined {
  return price && 'usdPerMillionInput' in price ? price : undefined
}

/** Undefined if the price is unknown, or if the response does not report what the price counts. */
export function usdForUsage({ price }: Model, usage: BilledUsage): number | undefined {
  if (!price) return undefined
  if ('usdPerSecond' in price)
    return usage.seconds === undefined ? undefined : roundUsd(usage.seconds * price.usdPerSecond)
  const { inputTokens = 0, outputTokens = 0 } = usage
  const { usdPerMillionInput, usdPerMillionOutput, maxInputTokens = Number.POSITIVE_INFINITY } = price
  if (inputTokens > maxInputTokens || inputTokens + outputTokens === 0) return undefined
  return roundUsd((inputTokens * usdPerMillionInput + outputTokens * usdPerMillionOutput) / 1e6)
}

/** Rounds to millionths. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6
}
