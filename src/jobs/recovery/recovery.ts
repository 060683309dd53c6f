// What other processes do, or have left undone: jobs of dead ones are taken over, those of living ones followed.
import { access } from 'node:fs/promises'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import type { Queue } from '../../domain/queue.ts'
import { log } from '../../log.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import type { Changes } from '../records/changes.ts'
import type { Tidying } from '../records/cleanup.ts'
import { isAtHand, isForUs, ticketOf } from '../records/job-message.ts'
import type { Ledger } from '../records/job-repository.ts'
import { type Leases, lease, queueTime } from '../records/lease.ts'
import type { Forwarding } from '../submit/upload-recording.ts'
import { failureOf } from '../view/transcript-view.ts'
import { over } from '../worker/leased-job.ts'
import type { Worker } from '../worker/worker.ts'
import type { Unclaimed } from './redeliver.ts'

export interface Leftovers {
  resume(): void
  follow(owner: string, id: string): () => void
  /** Looks for nothing more, and leaves to others what waits here. */
  close(): Promise<void>
}

/** Milliseconds. A client may start a server only to ask what it is: one that lives shorter takes nothing over. */
const firstLook = 700
const lookInterval = 10_000
/** A look takes at most one part in so many of the time. */
const lookShare = 20
const sweepInterval = 3_600_000
const followInterval = 1_000
/** Nobody waits for what is older; it goes on when it is ordered again. */
export const oldest = 7 * 24 * 3600 * 1000

export interface House {
  name: string
  /** True where machines share the store. */
  shared: boolean
  leases: Leases
  forwarding: Forwarding
  unclaimed: Unclaimed
  store: Store
  ledger: Ledger
  queue: Queue
  pipeline: PipelinePorts
  worker: Worker
  changes: Changes
  tidying: Tidying
}

export function createLeftovers(house: House): Leftovers {
  const { name, shared, leases, forwarding, unclaimed, store, ledger } = house
  const { queue, pipeline, worker, changes, tidying } = house
  const timers = new Set<NodeJS.Timeout>()
  let closed = false

  async function look(): Promise<void> {
    const started = performance.now()
    try {
      await ledger.settle()
      for (const job of await store.unfinishedJobs()) await lookAt(job).catch(ofOne)
    } catch {
      // A store that cannot be read says so to whoever calls.
    }
    // Where many jobs wait, those who look must not be what the store is busy with.
    const pause = Math.max(lookInterval, lookShare * (performance.now() - started))
    if (!closed) start(setTimeout(look, pause))
  }

  async function lookAt(job: Job): Promise<void> {
    const { owner, id, lease: held, state } = job
    if (worker.live(owner, id) ?? forwarding.job(owner, id)) return
    if (!queue.shared && state === 'queued' && held?.worker === name) return renew(job)
    if (!leases.isFree(job)) return
    if (Date.now() - Date.parse(job.updatedAt) > oldest) return end(job)
    if (queue.shared) return unclaimed.lookAt(job)
    if (!isForUs(job, pipeline)) return
    // A file of another machine is left to whoever sees it.
    if (shared && !isAtHand(job) && !(await isThere(job.order.audio))) return
    log.info('resumed', { id })
    await queue.send(ticketOf(job, pipeline))
  }

  /** What waits here for its turn must not be taken for forgotten. */
  async function renew(job: Job): Promise<void> {
    const isDue = ({ lease: held }: Job) => held?.worker === name && held.until - Date.now() < queueTime / 2
    if (isDue(job))
      await ledger.update(job.owner, job.id, now =>
        now.state === 'queued' && isDue(now)
          ? { lease: lease(name, queueTime), progress: { done: 0, message: 'Waiting for its turn' } }
          : undefined,
      )
    await queue.send(ticketOf(job, pipeline))
  }

  async function handBack(): Promise<void> {
    const isWaiting = ({ state, lease: held }: Job) => state === 'queued' && held?.worker === name
    for (const { owner, id } of (await store.unfinishedJobs()).filter(isWaiting))
      await ledger.update(owner, id, now => (isWaiting(now) ? { lease: undefined } : undefined))
  }

  async function end({ owner, id, revision, tool }: Job): Promise<void> {
    const reason = new SpeechError('CANCELLED', 'It was left unfinished, and nobody came back for it.', {
      hint: `Call ${tool} again to go on; what is finished is not billed again.`,
    })
    const ended = await ledger.update(owner, id, now =>
      now.revision === revision ? { ...over('cancelled')(now), error: failureOf(reason) } : undefined,
    )
    if (isOver(ended.state)) await tidying.desert(ended)
  }

  async function sweep(): Promise<void> {
    await tidying.sweep(job => !isOver(job.state) && Date.now() - Date.parse(job.updatedAt) < oldest)
  }

  function start(timer: NodeJS.Timeout): NodeJS.Timeout {
    timers.add(timer)
    return timer.unref()
  }

  return {
    resume() {
      start(setTimeout(() => void look().then(sweep), firstLook))
      start(setInterval(sweep, sweepInterval))
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
          changes.tell({ owner, id, listChanged: !found || isOver(found.state) })
      }
      void look()
      const timer = start(setInterval(look, followInterval))
      return () => {
        clearInterval(timer)
        timers.delete(timer)
      }
    },
    async close() {
      closed = true
      for (const timer of timers) clearInterval(timer)
      if (!queue.shared) await handBack().catch(() => {})
    },
  }
}

/** What went wrong with one job is no reason to leave the others; a store that fails is. */
function ofOne(error: unknown): void {
  if (isSpeechError(error) && error.code.startsWith('STORE_')) throw error
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
