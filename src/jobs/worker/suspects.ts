// Suspects: jobs that have not got on since their last process died. They run one at a time in a process, so that one that
// ends processes takes none of the others with it. From the third death in a row on they wait before they start: what kills
// processes for a minute may have nothing to do with them.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { Job } from '../../domain/job.ts'

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

export function createSuspects(closing: AbortSignal) {
  const limit = pLimit(1)
  const seen = new LRUCache<string, { deaths: number; at: number }>({ max: maxJobsSeen })
  return {
    /**
     * True while it is too early for a further start. The pause is measured by the steady clock of this process from the
     * moment it first saw the job so, as the clocks of machines differ.
     */
    mustPause({ owner, id }: Job, deaths: number): boolean {
      const pauseMs = pausesMs.get(deaths)
      if (pauseMs === undefined) return false
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
          closing.removeEventListener('abort', leave)
          resolve(undefined)
        }
        const waiting = setTimeout(leave, maxWaitMs)
        closing.addEventListener('abort', leave)
        if (closing.aborted) leave()
        void limit(async () => {
          if (isLeft) return
          clearTimeout(waiting)
          closing.removeEventListener('abort', leave)
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
