// The worker: takes a job that nobody works on, and carries it out.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Delivery, Disposition, JobMessage, Queue } from '../../domain/queue.ts'
import { log } from '../../log.ts'
import { isAtHand, isForUs } from '../records/job-message.ts'
import { type Leases, lease, leaseTime } from '../records/lease.ts'
import { failureOf } from '../view/transcript-view.ts'
import { over } from './leased-job.ts'
import { type Claim, carryOut, type Live, type WorkerOptions } from './run-job.ts'

export interface Worker {
  /** Looks at the job and carries it out if nobody else does; never rejects. */
  work(ticket: JobMessage, hand: Delivery): Promise<Disposition>
  live(owner: string, id: string): Live | undefined
  /** How many jobs are under way. */
  atWork(): number
  /** Resolves when what is under way has ended, or the time is up. */
  finish(seconds: number): Promise<void>
  /** Gives all jobs back, and resolves when they are. */
  close(): Promise<void>
}

export interface ClaimOptions extends WorkerOptions {
  leases: Leases
  queue: Queue
}

export function createWorker(options: ClaimOptions): Worker {
  const lives = new Map<string, Live>()
  const atWork = new Set<string>()
  /** Jobs for which another ticket came meanwhile: they may have been ordered again while they came to their end. */
  const again = new Set<string>()
  let closed = false

  async function attempt({ owner, id }: JobMessage, key: string, hand: Delivery): Promise<Disposition> {
    try {
      const claimed = await claim(owner, id, options)
      if (typeof claimed === 'string') return claimed
      const live = carryOut(claimed, options, hand)
      lives.set(key, live)
      if (closed) live.stop('given back')
      return await live.ended
    } catch (error) {
      if (isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND') return 'ack'
      log.error('job-failed', { id, error: isSpeechError(error) ? error.code : (error as Error).name })
      return 'delay'
    } finally {
      lives.delete(key)
    }
  }

  return {
    async work(ticket, hand) {
      const key = `${ticket.owner}/${ticket.id}`
      if (atWork.has(key)) {
        again.add(key)
        return 'delay'
      }
      atWork.add(key)
      let verdict: Disposition = 'release'
      do {
        again.delete(key)
        if (!closed) verdict = await attempt(ticket, key, hand)
      } while (again.has(key))
      atWork.delete(key)
      return verdict
    },
    live: (owner, id) => lives.get(`${owner}/${id}`),
    atWork: () => lives.size,
    async finish(seconds) {
      const ended = Promise.allSettled([...lives.values()].map(live => live.ended))
      const time = new AbortController()
      const timeUp = sleep(seconds * 1000, undefined, { signal: time.signal, ref: false }).catch(() => {})
      await Promise.race([ended, timeUp])
      time.abort()
    },
    async close() {
      closed = true
      const running = [...lives.values()]
      for (const live of running) live.stop('given back')
      await Promise.allSettled(running.map(live => live.ended))
    },
  }
}

/** A job that was ordered here needs no second look at its recording for so long, in milliseconds. */
const freshness = 60_000

/** Whoever has died over it so often, one after the other and nobody further than those before, has most likely died of it. */
const mostTries = 5

/** The job, if it is this worker's from now on; else what becomes of the ticket. */
async function claim(owner: string, id: string, options: ClaimOptions): Promise<Claim | Disposition> {
  const { name, ledger, leases, queue, pipeline, tidying, changes } = options
  let found: Job | undefined
  let isPoison = false
  const job = await ledger.update(owner, id, now => {
    const isOpen = !isOver(now.state) && (now.lease?.worker === name || leases.isFree(now))
    const canBegin = isForUs(now, pipeline) && (!queue.shared || isAtHand(now))
    found = isOpen && canBegin ? now : undefined
    if (!found) return undefined
    const tries = triesOf(now)
    isPoison = now.state === 'running' && tries.count > mostTries
    if (isPoison) return { ...over('failed')(now), error: failureOf(poison(now)) }
    return { state: 'running', lease: lease(name, leaseTime), error: undefined, sent: undefined, tries }
  })
  if (isPoison) {
    log.error('poison', { id })
    await tidying.desert(job)
    changes.tell({ owner, id, listChanged: true })
    return 'ack'
  }
  if (found) return { job, before: found, resumed: !isFresh(found, name) }
  // Whoever has it may die over it; of what is over, its last worker may have died before all was taken away.
  if (!isOver(job.state)) return 'delay'
  if (job.recording !== undefined && leases.isFree(job)) await tidying.takeAway(owner, id)
  return 'ack'
}

/** This one included. Who got further than all before begins a new count. */
function triesOf({ tries = { count: 0, done: 0 }, progress }: Job): NonNullable<Job['tries']> {
  const done = progress?.done ?? 0
  return done > tries.done ? { count: 1, done } : { ...tries, count: tries.count + 1 }
}

function poison({ tool }: Job): SpeechError {
  return new SpeechError(
    'POISON',
    `${mostTries} processes ended, one after the other, at the same place of it.`,
    {
      hint: `Convert the recording to another format, or look into the log of the server for why it ended; then call ${tool} again. What is finished is not billed again.`,
    },
  )
}

/** What has waited long, or was begun before, has progress. */
function isFresh({ lease, progress, updatedAt }: Job, name: string): boolean {
  return lease?.worker === name && !progress && Date.now() - Date.parse(updatedAt) < freshness
}
