// Uploads the recordings of queued jobs for workers on other machines, and reports how far each upload is.
import { cancelled, codeOf } from '../../domain/errors.ts'
import type { Job, Progress } from '../../domain/job.ts'
import { log } from '../../log.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { RecordingUploads, WorkerContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { isReachable } from '../records/job-message.ts'
import { leaseMs, leaseRenewalMs, newLease } from '../records/lease.ts'
import { failJob } from '../records/transitions.ts'

interface Transfer {
  job: Job
  abort: AbortController
  ended: Promise<void>
}

type OnUploaded = (job: Job) => Promise<void>

export function createRecordingUploads(context: WorkerContext): RecordingUploads {
  const { workerId, leases, store, repository, pipeline, changes, cleanup } = context
  const { recordings } = pipeline.objectStorage
  const transfers = new Map<string, Transfer>()
  let closed = false

  const isHeld = ({ state, lease }: Job) => state === 'queued' && lease?.worker === workerId

  async function upload(job: Job, transfer: Transfer, onUploaded: OnUploaded): Promise<void> {
    const { owner, id } = job
    const { signal } = transfer.abort
    let abandonedKey: string | undefined
    if (!isHeld(job) && !(await isHere(job, signal))) return
    const held = await repository.update(owner, id, now => {
      abandonedKey = now.uploadKey
      const isOpen = isHeld(now) || (now.state === 'queued' && !isReachable(now) && leases.isFree(now))
      // The path of the newest request exists, and it exists on this machine.
      const request = { ...now.request, audio: job.request.audio }
      return isOpen ? { request, lease: newLease(workerId, leaseMs), redeliveries: undefined } : undefined
    })
    if (!isHeld(held)) return
    const renewal = setInterval(() => void renew(transfer), leaseRenewalMs)
    try {
      // An earlier process has died during its upload.
      if (abandonedKey !== undefined) await cleanup.deleteRecording(job, abandonedKey)
      const options = { signal, onKey: writeKey, onBytes: report }
      const key = await recordings!.upload(job.request.audio, { owner, job: id }, options)
      clearInterval(renewal)
      const progress: Progress = { done: 0, message: 'Waiting for a worker' }
      const ready = await repository.update(owner, id, now =>
        isHeld(now) ? { recording: key, uploadKey: undefined, lease: undefined, progress } : undefined,
      )
      if (ready.recording === key) await onUploaded(ready)
      else await cleanup.deleteRecording(job, key)
    } finally {
      clearInterval(renewal)
    }

    /** Writes the key before the object exists, so that another process can delete it if this one crashes. */
    async function writeKey(key: string): Promise<void> {
      await repository.update(owner, id, now => (isHeld(now) ? { uploadKey: key } : undefined))
    }

    function report(bytes: number): void {
      const message = `Sending the recording: ${(bytes / 1e6).toFixed(1)} MB`
      transfer.job = { ...transfer.job, progress: { done: 0, message } }
      changes.progressed(owner, id)
    }
  }

  /** True where the path of another process means the same file on this machine. */
  async function isHere({ owner, request, content }: Job, signal: AbortSignal): Promise<boolean> {
    const checkpoints = createCheckpoints(store, owner, '')
    const found = await identify(request.audio, pipeline, { owner, signal, checkpoints }).catch(
      () => undefined,
    )
    return found?.hash !== undefined && found.hash === content
  }

  /** A store that fails for a while does not stop an upload. */
  async function renew({ job, abort }: Transfer): Promise<void> {
    try {
      const { owner, id, progress } = job
      const facts = { lease: newLease(workerId, leaseMs), ...(progress && { progress }) }
      const now = await repository.update(owner, id, now => (isHeld(now) ? facts : undefined))
      if (!isHeld(now)) abort.abort(cancelled())
    } catch (error) {
      if (codeOf(error) === 'TRANSCRIPT_NOT_FOUND') abort.abort(cancelled())
    }
  }

  /** Frees a job whose upload was stopped; fails one whose recording cannot be sent. */
  async function endTransfer({ owner, id }: Job, { abort }: Transfer, error: unknown): Promise<void> {
    const isStopped = ({ state, lease }: Job) =>
      lease?.worker === workerId && (state === 'queued' || state === 'cancelled')
    if (abort.signal.aborted) {
      await repository.update(owner, id, now => (isStopped(now) ? { lease: undefined } : undefined))
      return
    }
    log.warn('recording-not-sent', { id, code: codeOf(error) })
    await repository.update(owner, id, now => (isHeld(now) ? failJob(error)(now) : undefined))
  }

  async function run(job: Job, transfer: Transfer, onUploaded: OnUploaded): Promise<void> {
    const { owner, id } = job
    try {
      await upload(job, transfer, onUploaded)
    } catch (error) {
      // If the store fails here, the lease runs out and the next look finds the file.
      await endTransfer(job, transfer, error).catch(() => {})
    } finally {
      transfers.delete(`${owner}/${id}`)
      changes.publish({ owner, id, listChanged: false })
    }
  }

  return {
    start(job, onUploaded) {
      const key = `${job.owner}/${job.id}`
      if (closed || !recordings || transfers.has(key)) return
      const transfer: Transfer = { job, abort: new AbortController(), ended: Promise.resolve() }
      transfers.set(key, transfer)
      transfer.ended = run(job, transfer, onUploaded)
    },
    uploading: (owner, id) => transfers.get(`${owner}/${id}`)?.job,
    async stop(owner, id) {
      const transfer = transfers.get(`${owner}/${id}`)
      transfer?.abort.abort(cancelled())
      await transfer?.ended
    },
    async close() {
      closed = true
      const all = [...transfers.values()]
      for (const { abort } of all) abort.abort(cancelled())
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}
