// A queue of several owners: the one with the fewest works under way comes first, and of its jobs the one with the fewest.

/** A request for a job. */
export interface Owned {
  /** Owners take turns at what is limited. Absent: it is of no owner. */
  owner?: string
}

export interface Waiting {
  owner: string
  /** The same object for the works of one job. */
  job: object
}

export interface FairQueue<Work extends Waiting> {
  add(work: Work): void
  /** Removes work that waits. */
  remove(work: Work): void
  /** Takes the next work of an owner that may start one; it is under way from then on. */
  take(mayStart?: (owner: string) => boolean): Work | undefined
  /** Work that was taken is under way no more. */
  end(work: Work): void
  /** Number of works of an owner that are under way. */
  running(owner: string): number
  /** Owners with waiting work. */
  owners(): string[]
}

/** Works under way, and which start was the last one. */
interface Share {
  running: number
  lastStart: number
}

export function createFairQueue<Work extends Waiting>(): FairQueue<Work> {
  const waiting: Work[] = []
  const owners = new Map<string, Share>()
  const jobs = new WeakMap<object, Share>()
  let startCount = 0

  const none: Share = { running: 0, lastStart: 0 }
  const shareOfOwner = ({ owner }: Work) => owners.get(owner) ?? none
  const shareOfJob = ({ job }: Work) => jobs.get(job) ?? none

  /** Less than 0 where `one` comes first. */
  function compare(one: Work, other: Work): number {
    return (
      compareShares(shareOfOwner(one), shareOfOwner(other)) ||
      compareShares(shareOfJob(one), shareOfJob(other))
    )
  }

  function change(work: Work, by: 1 | -1): void {
    const changed = ({ running, lastStart }: Share) => ({
      running: running + by,
      lastStart: by > 0 ? startCount : lastStart,
    })
    owners.set(work.owner, changed(shareOfOwner(work)))
    jobs.set(work.job, changed(shareOfJob(work)))
  }

  /** Owners are many in time. One that is idle counts while another waits that began before it. */
  function forgetIdle(): void {
    const left = new Set(ownersOf(waiting))
    const least = Math.min(...[...left].map(owner => owners.get(owner)?.lastStart ?? 0))
    for (const [owner, { running, lastStart }] of owners)
      if (running === 0 && !left.has(owner) && lastStart <= least) owners.delete(owner)
  }

  return {
    add: work => void waiting.push(work),
    remove(work) {
      const at = waiting.indexOf(work)
      if (at >= 0) waiting.splice(at, 1)
      forgetIdle()
    },
    take(mayStart = () => true) {
      const may = new Map(ownersOf(waiting).map(owner => [owner, mayStart(owner)]))
      const able = waiting.filter(({ owner }) => may.get(owner))
      if (able.length === 0) return undefined
      const next = able.reduce((first, other) => (compare(other, first) < 0 ? other : first))
      waiting.splice(waiting.indexOf(next), 1)
      startCount++
      change(next, 1)
      return next
    },
    end(work) {
      change(work, -1)
      forgetIdle()
    },
    running: owner => owners.get(owner)?.running ?? 0,
    owners: () => ownersOf(waiting),
  }
}

function ownersOf(waiting: Waiting[]): string[] {
  return [...new Set(waiting.map(({ owner }) => owner))]
}

/** The fewest under way first; among such the one that has waited longest for its turn. */
function compareShares(one: Share, other: Share): number {
  return one.running - other.running || one.lastStart - other.lastStart
}
