// Allowances: what the recordings of a batch may still reserve together, held in the record of costs of its day.
import { costTooHigh, dayLimitReached, formatUsd } from '../../domain/costs/budget.ts'
import type { DaySpending, Reservation, SpendingStore } from '../../domain/costs/spending.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { BatchTerms, Job } from '../../domain/job.ts'

/** In US dollars; absent: none. */
export interface CostLimits {
  orderUsd?: number
  dayUsd?: number
  /** True where the user has set one of them. */
  isStrict?: boolean
}

/** Allows for rounding errors of running totals. */
export const toleranceUsd = 1e-9
/** A reservation of a process that has died ends after this time. */
export const holdMs = 15 * 60_000
/** Longer than clocks of machines differ, and within `holdMs`. */
export const renewalMs = 5 * 60_000

/**
 * Moves an amount from the allowance of a batch to one of its recordings, or back where it is negative. A batch that is
 * over has none. With `isLimited` it throws `COST_TOO_HIGH` beyond it: what is paid already is always recorded, and may
 * leave less than nothing.
 */
export function takeFrom(held: Held, batch: string, usd: number, isLimited: boolean): Held {
  const own = held[batch]
  if (!own) return held
  if (isLimited && usd > own.usd + toleranceUsd)
    throw beyondAllowance(
      `of the price agreed for the batch, ${formatUsd(Math.max(0, own.usd))} are left`,
      usd,
    )
  return { ...held, [batch]: { ...own, usd: own.usd - usd } }
}

/** Throws `COST_TOO_HIGH` where a recording would cost more than its part of a batch that nothing holds together any more. */
export function ensureWithinShare(usd: number, shareUsd: number): void {
  if (usd > shareUsd + toleranceUsd)
    throw beyondAllowance(`its part of the price agreed for the batch is ${formatUsd(shareUsd)}`, usd)
}

function beyondAllowance(limit: string, usd: number): SpeechError {
  return new SpeechError('COST_TOO_HIGH', `This would cost up to ${formatUsd(usd)}; ${limit}.`, {
    hint: 'Order the batch again: what is done costs nothing, and the plan has a new price for the rest.',
  })
}

type Held = DaySpending['held']

/** Without those of dead processes, except where they limit a batch. */
export function withoutExpired(held: Held, now: number): Held {
  const isKept = ({ until, batch }: Reservation) => until > now || batch !== undefined
  return Object.fromEntries(Object.entries(held).filter(([, one]) => isKept(one)))
}

/** The sum that living processes hold, in US dollars. */
export function heldUsdOf(held: Held, now: number): number {
  return sum(Object.values(held).map(({ usd, until }) => (until > now ? Math.max(0, usd) : 0)))
}

/** Without a batch and its recordings. */
function withoutBatch(held: Held, batch: string): Held {
  return Object.fromEntries(Object.entries(held).filter(([id, one]) => id !== batch && one.batch !== batch))
}

export type Allowances = ReturnType<typeof createAllowances>

type Batch = Pick<Job, 'owner' | 'id'> & { terms: BatchTerms }

export function createAllowances(store: SpendingStore, limits: CostLimits, now = Date.now) {
  const { orderUsd = Number.POSITIVE_INFINITY, dayUsd } = limits
  const change = ({ owner, terms: { day } }: Batch, to: (held: Held, spentUsd: number) => Held) =>
    store.updateSpending(owner, day, before => ({
      ...before,
      held: to(withoutExpired(before.held, now()), before.usd),
    }))

  return {
    isStrict: limits.isStrict ?? false,
    /** No order may cost more; undefined without a limit. */
    mostUsd:
      limits.orderUsd === undefined && dayUsd === undefined
        ? undefined
        : Math.min(orderUsd, dayUsd ?? orderUsd),
    /** Throws `COST_TOO_HIGH` where an order may not cost as much. */
    check(usd: number): void {
      if (usd > orderUsd + toleranceUsd) throw costTooHigh(usd, orderUsd)
    },
    /** The part of an agreed amount that an order may cost. */
    within: (usd: number) => Math.min(usd, orderUsd),
    /**
     * Holds the price of a new batch; where the limit of the day has no room for it, what is left, but not less than
     * `leastUsd`. Returns what it holds, in US dollars. Throws `DAY_LIMIT_REACHED`, and then holds nothing.
     */
    async open(batch: Batch, leastUsd = batch.terms.usd ?? 0): Promise<number> {
      const { usd: wishedUsd = 0, day } = batch.terms
      let usd = wishedUsd
      await change(batch, (before, spentUsd) => {
        // Its recordings that are under way take from the new price.
        const others = withoutBatch(before, batch.id)
        const heldUsd = heldUsdOf(others, now())
        const roomUsd = (dayUsd ?? Number.POSITIVE_INFINITY) - spentUsd - heldUsd
        if (dayUsd !== undefined && leastUsd > 0 && leastUsd > roomUsd + toleranceUsd)
          throw dayLimitReached(leastUsd, { day, limitUsd: dayUsd, spentUsd, heldUsd })
        usd = Math.min(wishedUsd, Math.max(leastUsd, roomUsd))
        return { ...others, [batch.id]: { usd, until: now() + holdMs, batch: batch.id } }
      })
      return usd
    },
    /** Keeps it for longer. */
    async renew(batch: Batch): Promise<void> {
      await change(batch, held => {
        const own = held[batch.id]
        return own ? { ...held, [batch.id]: { ...own, until: now() + holdMs, batch: batch.id } } : held
      })
    },
    /** Gives back what was not used, and returns it, in US dollars. */
    async close(batch: Batch): Promise<number> {
      let leftUsd = 0
      await change(batch, held => {
        leftUsd = sum(Object.values(held).map(one => (one.batch === batch.id ? one.usd : 0)))
        const stays = ([id, one]: [string, Reservation]) =>
          id !== batch.id && (one.batch !== batch.id || one.until > now())
        return Object.fromEntries(Object.entries(held).filter(stays))
      })
      return leftUsd
    },
    /** Ends it for the limit of the day; recordings that go on elsewhere keep to what is left of it. */
    async endForDay(batch: Batch): Promise<void> {
      await change(batch, held => {
        const own = held[batch.id]
        return own ? { ...held, [batch.id]: { ...own, until: 0 } } : held
      })
    },
  }
}

export function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
