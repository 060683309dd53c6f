// The worker: takes a job that nobody works on, carries it out, and writes down how far it is.
import { isSpeechError } from '../domain/errors.ts'
import { isOver, type Job } from '../domain/job.ts'
import type { Ticket } from '../domain/ports.ts'
import { log } from '../log.ts'
import { carryOut, type Live, type WorkerOptions } from './carry-out.ts'
import { isFree, lease, leaseTime } from './lease.ts'
import type { Ledger } from './ledger.ts'

export interface Worker {
  /** Looks at the job and carries it out if nobody else does; never rejects. */
  work(ticket: Ticket): Promise<void>
  live(owner: string, id: string): Live | undefined
  /** Gives all jobs back, and resolves when they are. */
  close(): Promise<void>
}

export function createWorker(options: WorkerOptions): Worker {
  const { name, ledger } = options
  const lives = new Map<string, Live>()
  const atWork = new Set<string>()
  /** Jobs for which another ticket came meanwhile: they may have been ordered again while they came to their end. */
  const again = new Set<string>()
  let closed = false

  async function attempt({ owner, id }: Ticket, key: string): Promise<void> {
    try {
      const claimed = await claim(ledger, owner, id, name)
      if (!claimed) return
      const live = carryOut(claimed, options)
      lives.set(key, live)
      if (closed) live.stop('given back')
      await live.ended
    } catch (error) {
      log.error('job-failed', { id, error: isSpeechError(error) ? error.code : (error as Error).name })
    } finally {
      lives.delete(key)
    }
  }

  return {
    async work(ticket) {
      const key = `${ticket.owner}/${ticket.id}`
      if (atWork.has(key)) {
        again.add(key)
        return
      }
      atWork.add(key)
      do {
        again.delete(key)
        if (!closed) await attempt(ticket, key)
      } while (again.has(key))
      atWork.delete(key)
    },
    live: (owner, id) => lives.get(`${owner}/${id}`),
    async close() {
      closed = true
      const running = [...lives.values()]
      for (const live of running) live.stop('given back')
      await Promise.allSettled(running.map(live => live.ended))
    },
  }
}

/** The job, if it is this worker's from now on. */
async function claim(ledger: Ledger, owner: string, id: string, name: string): Promise<Job | undefined> {
  let mine = false
  const job = await ledger.update(owner, id, job => {
    mine = !isOver(job.state) && (job.lease?.worker === name || isFree(job, name))
    return mine ? { state: 'running', lease: lease(name, leaseTime), error: undefined } : undefined
  })
  return mine ? job : undefined
}
