// What other processes do, or have left undone: jobs of dead ones are taken over, those of living ones followed.
import { isOver } from '../domain/job.ts'
import type { Queue, Store } from '../domain/ports.ts'
import { log } from '../log.ts'
import type { Changes } from './changes.ts'
import { isFree } from './lease.ts'
import type { Ledger } from './ledger.ts'
import type { Worker } from './worker.ts'

export interface Leftovers {
  resume(): void
  follow(owner: string, id: string): () => void
  close(): void
}

/** Milliseconds. A client may start a server only to ask what it is: one that lives shorter takes nothing over. */
const firstLook = 700
const lookInterval = 10_000
const followInterval = 1_000
/** Nobody waits for what is older; it goes on when it is ordered again. */
const oldest = 7 * 24 * 3600 * 1000

export function createLeftovers({
  name,
  store,
  ledger,
  queue,
  worker,
  changes,
}: {
  name: string
  store: Store
  ledger: Ledger
  queue: Queue
  worker: Worker
  changes: Changes
}): Leftovers {
  const timers = new Set<NodeJS.Timeout>()

  async function look(): Promise<void> {
    try {
      for (const job of await store.unfinishedJobs()) {
        const age = Date.now() - Date.parse(job.updatedAt)
        if (age > oldest || !isFree(job, name) || worker.live(job.owner, job.id)) continue
        log.info('resumed', { id: job.id })
        await queue.send({ id: job.id, owner: job.owner, brief: job.brief })
      }
    } catch {
      // A store that cannot be read says so to whoever calls.
    }
  }

  function start(timer: NodeJS.Timeout): NodeJS.Timeout {
    timers.add(timer)
    return timer.unref()
  }

  return {
    resume() {
      start(setTimeout(look, firstLook))
      start(setInterval(look, lookInterval))
    },
    follow(owner, id) {
      let seen: number | undefined
      const look = async () => {
        const found = await ledger.job(owner, id).catch(() => undefined)
        // One that is not there is as good as a revision: it may come, or have gone.
        const revision = found?.revision ?? 0
        const isNew = seen !== undefined && revision !== seen
        seen = revision
        // What happens here is told without being looked for.
        if (isNew && !worker.live(owner, id))
          changes.tell({ owner, id, listed: !found || isOver(found.state) })
      }
      void look()
      const timer = start(setInterval(look, followInterval))
      return () => {
        clearInterval(timer)
        timers.delete(timer)
      }
    },
    close() {
      for (const timer of timers) clearInterval(timer)
    },
  }
}
