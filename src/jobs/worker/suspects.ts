// Suspects: jobs that have not got on since their last process died. They run one at a time in a process, so that one that
// ends processes takes none of the others with it. From the third death in a row on they wait before they start: what kills
// processes for a minute may have nothing to do with them.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { Job } from '../../domain/job.ts'
import { isSameMachine } from '../records/worker-id.ts'

export type EndTurn = () => void
export type MustPause = (job: Job, deaths: number) => boolean

/** A turn ends after this time if the job has neither got on nor ended: it may wait for its provider for hours. */
const maxTurnMs = 30_000
/** A message that had no turn by then is left, perhaps to another process. */
const maxWaitMs = 10_000
/** Pauses by the number of deaths in a row: people who kill a process, or a crash, wait for none. */
const pausesMs = new Map([
  [3, 15_000],
  [4, 45_000],
])
const maxJobsSeen = 10_000

/** A sentence for the user while a job waits for its next start; undefined for others. */
export function pauseMessage({ attempts: { count } = { count: 0 } }: Job): string | undefined {
  return pausesMs.has(count) ? `Waiting a while, as ${count} processes in a row have died with it` : undefined
}

/** `stopping` ends the waits: nothing begins any more. */
export function createSuspects(self: string, stopping: AbortSignal) {
  const limit = pLimit(1)
  const seen = new LRUCache<string, { deaths: number; at: number }>({ max: maxJobsSeen })
  return {
    /**
     * True while it is too early for a further start. The pause begins with the last write of a process of this machine,
     * also for one that lives shorter than the pause. After one of another machine, whose clock may differ, it is
     * measured by the steady clock of this process from the moment it first saw the job so.
     */
    mustPause({ owner, id, lease, updatedAt }: Job, deaths: number): boolean {
      const pauseMs = pausesMs.get(deaths)
      if (pauseMs === undefined) return false
      const isOurClock = lease !== undefined && isSameMachine(lease.worker, self)
      if (isOurClock && Date.now() - Date.parse(updatedAt) >= pauseMs) return false
      const key = `${owner}/${id}`
      const now = performance.now()
      const before = seen.get(key)
      if (before?.deaths === deaths) return now - before.at < pauseMs
      seen.set(key, { deaths, at: now })
      return true
    },
    /** Resolves with a function that ends the turn; undefined where there was none in time, or the process stops. */
    takeTurn: () =>
      new Promise<EndTurn | undefined>(resolve => {
        let isLeft = false
        const leave = () => {
          isLeft = true
          clearTimeout(waiting)
          stopping.removeEventListener('abort', leave)
          resolve(undefined)
        }
        const waiting = setTimeout(leave, maxWaitMs)
        stopping.addEventListener('abort', leave)
        if (stopping.aborted) leave()
        void limit(async () => {
          if (isLeft) return
          clearTimeout(waiting)
          stopping.removeEventListener('abort', leave)
          await new Promise<void>(end => {
            const timer = setTimeout(end, maxTurnMs).unref()
            resolve(() => {
              clearTimeout(timer)
              end()
            })
          })
        })
      }),
  }
}
