// Allowances: what the recordings of a batch may still reserve together, held in the record of costs of its day.
import { costTooHigh, dayLimitReached, formatUsd } from '../../domain/costs/budget.ts'
import type { DaySpending, SpendingStore } from '../../domain/costs/spending.ts'
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
 * over has none. With `isLimited` it throws `COST_TOO_HIGH` beyond it: what is paid already is always recorded.
 */
export function takeFrom(before: DaySpending, batch: string, usd: number, isLimited: boolean): DaySpending {
  const own = before.held[batch]
  if (!own) return before
  if (isLimited && usd > own.usd + toleranceUsd) throw beyondAllowance(usd, own.usd)
  return { ...before, held: { ...before.held, [batch]: { ...own, usd: Math.max(0, own.usd - usd) } } }
}

export function beyondAllowance(usd: number, leftUsd: number): SpeechError {
  return new SpeechError(
    'COST_TOO_HIGH',
    `This would cost up to ${formatUsd(usd)}; of the price agreed for the batch, ${formatUsd(leftUsd)} are left.`,
    { hint: 'Order the batch again: what is done costs nothing, and the plan has a new price for the rest.' },
  )
}

export type Allowances = ReturnType<typeof createAllowances>

type Batch = Pick<Job, 'owner' | 'id'> & { terms: BatchTerms }

export function createAllowances(store: SpendingStore, limits: CostLimits, now = Date.now) {
  const { orderUsd = Number.POSITIVE_INFINITY, dayUsd } = limits
  const change = ({ owner, terms: { day } }: Batch, to: (before: DaySpending) => DaySpending['held']) =>
    store.updateSpending(owner, day, before => ({ ...before, held: to(before) }))
  const heldNow = ({ held }: DaySpending) =>
    Object.fromEntries(Object.entries(held).filter(([, { until }]) => until > now()))

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
    /** Holds the whole price of a new batch. Throws `DAY_LIMIT_REACHED`, and then holds nothing. */
    async open(batch: Batch): Promise<void> {
      const { usd = 0, day } = batch.terms
      await change(batch, before => {
        const others = heldNow(before)
        delete others[batch.id]
        const heldUsd = sum(Object.values(others).map(one => one.usd))
        if (dayUsd !== undefined && before.usd + heldUsd + usd > dayUsd + toleranceUsd)
          throw dayLimitReached(usd, { day, limitUsd: dayUsd, spentUsd: before.usd, heldUsd })
        return { ...others, [batch.id]: { usd, until: now() + holdMs } }
      })
    },
    /** Keeps it for longer. One that has ended begins again without what was paid, and what `recordings` hold by now. */
    async renew(batch: Batch, paidUsd: number, recordings: Iterable<string>): Promise<void> {
      const { usd = 0 } = batch.terms
      await change(batch, before => {
        const held = heldNow(before)
        const theirs = sum([...recordings].map(id => held[id]?.usd ?? 0))
        const leftUsd = held[batch.id]?.usd ?? Math.max(0, usd - paidUsd - theirs)
        return { ...held, [batch.id]: { usd: leftUsd, until: now() + holdMs } }
      })
    },
    /** Gives back what was not used. */
    async close(batch: Batch): Promise<void> {
      await change(batch, before => {
        const { [batch.id]: _, ...others } = heldNow(before)
        return others
      })
    },
  }
}

export function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
