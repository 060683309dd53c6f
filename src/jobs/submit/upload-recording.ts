// Lays the recordings of queued jobs where workers on other machines find them, while the caller is told how far that is.
import { cancelled, isSpeechError } from '../../domain/errors.ts'
import type { Job, Progress } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import type { Changes } from '../records/changes.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { Tidying } from '../records/cleanup.ts'
import { isAtHand } from '../records/job-message.ts'
import type { Ledger } from '../records/job-repository.ts'
import { type Leases, lease, leaseRenewal, leaseTime } from '../records/lease.ts'
import { failureOf } from '../view/transcript-view.ts'
import { over } from '../worker/leased-job.ts'

export interface Forwarding {
  /** Begins to lay a recording that lies here; `laid` is called with the job when workers can have it. */
  begin(job: Job, laid: (job: Job) => Promise<void>): void
  /** The job whose recording is on its way, with the progress of this moment. */
  job(owner: string, id: string): Job | undefined
  /** Stops the way of one recording, and resolves when nothing of it is left. */
  stop(owner: string, id: string): Promise<void>
  /** Stops all; whoever sees the files goes on later. */
  close(): Promise<void>
}

export interface ForwardingHouse {
  name: string
  leases: Leases
  store: Store
  ledger: Ledger
  pipeline: PipelinePorts
  changes: Changes
  tidying: Tidying
}

interface Parcel {
  job: Job
  abort: AbortController
  ended: Promise<void>
}

export function createForwarding(house: ForwardingHouse): Forwarding {
  const { name, leases, store, ledger, pipeline, changes, tidying } = house
  const { recordings } = pipeline.blobs
  const parcels = new Map<string, Parcel>()
  let closed = false

  const isOurs = ({ state, lease }: Job) => state === 'queued' && lease?.worker === name

  async function forward(job: Job, parcel: Parcel, laid: (job: Job) => Promise<void>): Promise<void> {
    const { owner, id } = job
    const { signal } = parcel.abort
    let left: string | undefined
    if (!isOurs(job) && !(await isHere(job, signal))) return
    const ours = await ledger.update(owner, id, now => {
      left = now.laying
      const isOpen = isOurs(now) || (now.state === 'queued' && !isAtHand(now) && leases.isFree(now))
      // The path of today is the one that exists, and it exists here.
      const order = { ...now.order, audio: job.order.audio }
      return isOpen ? { order, lease: lease(name, leaseTime), sent: undefined } : undefined
    })
    if (!isOurs(ours)) return
    const renewal = setInterval(() => void renew(parcel), leaseRenewal)
    try {
      // Whoever had it before has died over it.
      if (left !== undefined) await tidying.takeRecordingAway(job, left)
      const key = await recordings!.upload(
        job.order.audio,
        { owner, job: id },
        { signal, onKey: note, onBytes: tell },
      )
      clearInterval(renewal)
      const progress: Progress = { done: 0, message: 'Waiting for a worker' }
      const ready = await ledger.update(owner, id, now =>
        isOurs(now) ? { recording: key, laying: undefined, lease: undefined, progress } : undefined,
      )
      if (ready.recording === key) await laid(ready)
      else await tidying.takeRecordingAway(job, key)
    } finally {
      clearInterval(renewal)
    }

    /** Known before it is there, so that it is found when this process dies over it. */
    async function note(key: string): Promise<void> {
      await ledger.update(owner, id, now => (isOurs(now) ? { laying: key } : undefined))
    }

    function tell(bytes: number): void {
      const message = `Sending the recording: ${(bytes / 1e6).toFixed(1)} MB`
      parcel.job = { ...parcel.job, progress: { done: 0, message } }
      changes.moved(owner, id)
    }
  }

  /** True where the path of another process means the same file on this machine. */
  async function isHere({ owner, order, content }: Job, signal: AbortSignal): Promise<boolean> {
    const checkpoints = createCheckpoints(store, owner, '')
    const found = await identify(order.audio, pipeline, { signal, checkpoints }).catch(() => undefined)
    return found?.hash !== undefined && found.hash === content
  }

  /** A store that fails for a while is no reason to stop. */
  async function renew({ job, abort }: Parcel): Promise<void> {
    try {
      const { owner, id, progress } = job
      const facts = { lease: lease(name, leaseTime), ...(progress && { progress }) }
      const now = await ledger.update(owner, id, now => (isOurs(now) ? facts : undefined))
      if (!isOurs(now)) abort.abort(cancelled())
    } catch (error) {
      if (isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND') abort.abort(cancelled())
    }
  }

  /** What was stopped is nobody's from now on; what cannot be sent has failed. */
  async function end({ owner, id }: Job, { abort }: Parcel, error: unknown): Promise<void> {
    const isLeft = ({ state, lease }: Job) =>
      lease?.worker === name && (state === 'queued' || state === 'cancelled')
    if (abort.signal.aborted) {
      await ledger.update(owner, id, now => (isLeft(now) ? { lease: undefined } : undefined))
      return
    }
    log.warn('recording-not-sent', { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
    await ledger.update(owner, id, now =>
      isOurs(now) ? { ...over('failed')(now), error: failureOf(error) } : undefined,
    )
  }

  async function perform(job: Job, parcel: Parcel, laid: (job: Job) => Promise<void>): Promise<void> {
    const { owner, id } = job
    try {
      await forward(job, parcel, laid)
    } catch (error) {
      // Where the store does not take it, the lease runs out, and the file is found by the next look.
      await end(job, parcel, error).catch(() => {})
    } finally {
      parcels.delete(`${owner}/${id}`)
      changes.tell({ owner, id, listChanged: false })
    }
  }

  return {
    begin(job, laid) {
      const key = `${job.owner}/${job.id}`
      if (closed || !recordings || parcels.has(key)) return
      const parcel: Parcel = { job, abort: new AbortController(), ended: Promise.resolve() }
      parcels.set(key, parcel)
      parcel.ended = perform(job, parcel, laid)
    },
    job: (owner, id) => parcels.get(`${owner}/${id}`)?.job,
    async stop(owner, id) {
      const parcel = parcels.get(`${owner}/${id}`)
      parcel?.abort.abort(cancelled())
      await parcel?.ended
    },
    async close() {
      closed = true
      const all = [...parcels.values()]
      for (const { abort } of all) abort.abort(cancelled())
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}
