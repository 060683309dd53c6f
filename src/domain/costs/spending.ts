// Contract of the record of costs: what each owner has spent on a day, and what orders under way may still spend.

/** The amount that an order or a batch may still spend, in US dollars. */
export interface Reservation {
  usd: number
  /** A living process renews it before then (milliseconds since 1970). Later it counts no longer for the limit of the day. */
  until: number
  /** Of a batch and of each of its recordings: the batch's id. Then it stays after `until`, and goes on to limit them. */
  batch?: string
}

/** US dollars of one owner on one day. */
export interface DaySpending {
  usd: number
  /** By order or batch. */
  held: Record<string, Reservation>
}

export interface OwnerSpending extends DaySpending {
  owner: string
  /** UTC, such as `2026-11-29`. */
  day: string
}

export interface SpendingStore {
  /**
   * Replaces an owner's record of a day (UTC) in one step, also beside other processes and machines. `change` runs again
   * after a concurrent write; where it throws, nothing is written.
   */
  updateSpending(owner: string, day: string, change: (before: DaySpending) => DaySpending): Promise<void>
  /** Records of all owners in a month such as `2026-11`, by day. Does not create a missing store. */
  listSpending(month: string): Promise<OwnerSpending[]>
}

export const nothingSpent: DaySpending = { usd: 0, held: {} }

/** The day (UTC) of a time in milliseconds since 1970; its first seven characters are the month. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
