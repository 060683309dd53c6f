// Shares of the owners in a limit: where there are several, one of them alone never uses all of it.

/** Of a limit, kept for owners that have not used their share. */
const reserve = 1 / 8

export function createOwnerShares() {
  let first: string | undefined
  let areSeveral = false

  const withoutReserve = (total: number) => total - Math.floor(total * reserve)

  return {
    /** An owner makes a request. Without a name it is of no owner. */
    note(owner: string): void {
      if (owner === '') return
      first ??= owner
      areSeveral ||= owner !== first
    },
    withoutReserve,
    /** True where an owner has used its share; none is larger than half, since another owner may come at any time. */
    isOver: (total: number, used: number, owners: number): boolean =>
      areSeveral && used >= withoutReserve(total) / Math.max(2, owners),
  }
}
