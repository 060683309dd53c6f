// Shares of the owners in a limit: where there are several, one of them alone never uses all of it.

/** Of a limit, kept for owners that have not used their share. */
const reserve = 1 / 8
/** One is kept of a limit from this on. */
const minShared = 4

/** After so long without a request of another owner, one has all of the limit again. */
const recentMs = 10 * 60_000

export function createOwnerShares() {
  /** When each owner made its last request, the one longest ago first. */
  const seen = new Map<string, number>()

  const withoutReserve = (total: number) =>
    total - Math.max(Math.floor(total * reserve), total >= minShared ? 1 : 0)

  return {
    /** An owner makes a request at this time (milliseconds). Without a name it is of no owner. */
    note(owner: string, time: number): void {
      if (owner === '') return
      seen.delete(owner)
      seen.set(owner, time)
      for (const [other, at] of seen) if (time - at > recentMs) seen.delete(other)
    },
    withoutReserve,
    /** True where an owner has used its share; none is larger than half, since another owner may come at any time. */
    isOver: (total: number, used: number, owners: number): boolean =>
      (seen.size > 1 || owners > 1) && used >= withoutReserve(total) / Math.max(2, owners),
  }
}
