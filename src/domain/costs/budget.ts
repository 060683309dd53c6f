// Contract of a budget: what an order may still cost, in US dollars. An order is a job with its formatting, or one text.
import { isSpeechError, SpeechError } from '../errors.ts'

export interface Budget {
  /** True where the user has set a limit: it cannot be kept for a model without a price, which is then refused. */
  readonly needsPrices: boolean
  /** Opens a part of the order, such as its recognition or its formatting; `close` it. */
  open(): BudgetPart
}

/** Where a method throws (`COST_TOO_HIGH`, `DAY_LIMIT_REACHED`, `STORE_*` if a limit a day is set), it has reserved nothing. */
export interface BudgetPart {
  /** Reserves what the part will cost in all, unless as much is reserved. */
  reserve(usd: number): Promise<void>
  /** Counts a request before it is sent; beyond the reserved amount it reserves more. */
  charge(usd: number): Promise<Charge>
  /** Counts and records what was paid; negative where less was paid than recorded. */
  pay(usd: number): void
  /** Counts what an earlier attempt of this order has paid and recorded. */
  payEarlier(usd: number): void
  /** Gives back what is reserved and was not paid. */
  close(): void
}

/** A request under way. */
export interface Charge {
  /** Counts at least so much for it: a dearer model is asked. */
  raise(usd: number): Promise<void>
  /** Ends it with what was paid: 0 for a request that is not billed. Later calls do nothing. */
  settle(usd: number): void
}

/** True where the order would cost more than is left of a limit. */
export function isOverLimit(error: unknown): boolean {
  return isSpeechError(error) && (error.code === 'COST_TOO_HIGH' || error.code === 'DAY_LIMIT_REACHED')
}

/** A limit cannot be kept without a price. */
export function priceUnknown(model: string): SpeechError {
  return new SpeechError(
    'PRICE_UNKNOWN',
    `The price of ${model} is not known, so the limit of costs cannot be kept.`,
    {
      hint: `Give it in SPEECH_MODELS: ${model} usd_per_second=…, or usd_per_million_input=… usd_per_million_output=…`,
      scope: 'account',
    },
  )
}

export function costTooHigh(cost: number, limit: number): SpeechError {
  return new SpeechError(
    'COST_TOO_HIGH',
    `This would cost ${formatUsd(cost)}, more than the limit of ${formatUsd(limit)}.`,
    {
      hint: 'Use a shorter recording, or raise SPEECH_MAX_COST_USD in the server’s settings.',
      scope: 'account',
    },
  )
}

export interface DayLimit {
  day: string
  limitUsd: number
  spentUsd: number
  /** Held by other orders that are under way. */
  heldUsd: number
}

export function dayLimitReached(cost: number, { day, limitUsd, spentUsd, heldUsd }: DayLimit): SpeechError {
  const held = heldUsd > 0 ? ` and ${formatUsd(heldUsd)} reserved by others under way` : ''
  const isRoomComing = heldUsd > 0 && spentUsd + cost <= limitUsd
  const first = isRoomComing ? 'Call again when the recordings under way are done. ' : ''
  const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
  return new SpeechError(
    'DAY_LIMIT_REACHED',
    `This would cost up to ${formatUsd(cost)}; of the limit of ${formatUsd(limitUsd)} a day, ${formatUsd(spentUsd)} are spent${held}.`,
    {
      hint: `${first}The limit begins anew at 00:00 UTC on ${next}; or raise SPEECH_MAX_COST_USD_PER_DAY in the server’s settings.`,
      scope: 'account',
    },
  )
}

export function formatUsd(usd: number): string {
  return `$${usd >= 1 || usd === 0 ? usd.toFixed(2) : usd.toFixed(4)}`
}
