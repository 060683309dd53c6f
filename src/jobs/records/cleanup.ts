// What is left of jobs that nobody carries out any more: recordings in the cloud, transcripts that seem to run.
import { isSpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Checkpoints, Store, StoredUpload } from '../../domain/ports.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { stopTasks } from '../../pipeline/file-tasks/own-tasks.ts'
import { isUploadCheckpoint, uploadCheckpointKey } from '../../pipeline/file-tasks/upload.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import type { Changes } from './changes.ts'
import { createCheckpoints } from './checkpoints.ts'
import type { Ledger } from './job-repository.ts'

export interface Tidying {
  /** Ends what a job has left that is over without its worker having known. Never rejects. */
  desert(job: Job): Promise<void>
  /** Takes away what a job has laid in the cloud, and stops its tasks, if its worker has not. Never rejects. */
  takeAway(owner: string, id: string): Promise<void>
  /** Takes away a recording that was laid for workers, and the job's word of it if that is over. Never rejects. */
  takeRecordingAway(job: Pick<Job, 'owner' | 'id'>, key: string): Promise<void>
  /** Removes from the bucket what belongs to no job that is wanted. Never rejects. */
  sweep(isWanted: (job: Job) => boolean): Promise<void>
}

export interface TidyingPorts {
  store: Store
  ledger: Ledger
  pipeline: PipelinePorts
  changes: Changes
  /** Aborted when the process stops. */
  closing: AbortSignal
}

/** Milliseconds. Nobody waits for a cloud that does not answer. */
const takingAwayTime = 10_000
const sweepTime = 600_000
/** An installation with a store of its own may share the bucket: what only it can judge is left alone for so long. */
const strangersTime = 24 * 3600 * 1000

export function createTidying({ store, ledger, pipeline, changes, closing }: TidyingPorts): Tidying {
  const { blobs, speakerRecogniser, fileRecogniser } = pipeline
  const recognisers = [speakerRecogniser, fileRecogniser]

  async function takeAway(owner: string, id: string): Promise<void> {
    const checkpoints = createCheckpoints(store, owner, id)
    const stopping = stopTasks(id, { recognisers, checkpoints }, limited(takingAwayTime))
    await Promise.all([
      stopping.catch(error => complain('tasks-not-stopped', error)),
      takeUploadAway(id, checkpoints),
      takeRecordingOf(owner, id),
    ])
  }

  /** A job that is not over needs it still. */
  async function takeRecordingOf(owner: string, id: string): Promise<void> {
    const job = await ledger.job(owner, id).catch(() => undefined)
    if (!job || !isOver(job.state)) return
    for (const key of [job.recording, job.laying]) if (key !== undefined) await takeRecordingAway(job, key)
  }

  async function takeRecordingAway({ owner, id }: Pick<Job, 'owner' | 'id'>, key: string): Promise<void> {
    try {
      await blobs.delete({ way: 'bucket', keys: { recording: key } }, limited(takingAwayTime))
      await ledger.update(owner, id, now => {
        if (!isOver(now.state) || (now.recording !== key && now.laying !== key)) return undefined
        const [recording, laying] = [now.recording, now.laying].map(one => (one === key ? undefined : one))
        return { recording, laying }
      })
    } catch (error) {
      if (!isSpeechError(error) || error.code !== 'TRANSCRIPT_NOT_FOUND')
        complain('recording-not-removed', error)
    }
  }

  async function takeUploadAway(id: string, checkpoints: Checkpoints): Promise<void> {
    const kept = await checkpoints.get(uploadCheckpointKey(id))
    if (!isUploadCheckpoint(kept) || !kept.upload) return
    const { upload, ...rest } = kept
    try {
      await blobs.delete(upload, limited(takingAwayTime))
      await checkpoints.put(uploadCheckpointKey(id), rest)
    } catch (error) {
      complain('upload-not-removed', error)
    }
  }

  function limited(time: number): AbortSignal {
    return AbortSignal.any([closing, AbortSignal.timeout(time)])
  }

  /** What is not known for certain is left where it is. */
  async function isLeftWanted(left: StoredUpload, isWanted: (job: Job) => boolean): Promise<boolean> {
    const isYoung = Date.now() - left.storedAt < strangersTime
    if (!left.isOwn) return isYoung
    try {
      const job = await ledger.job(left.owner, left.job)
      return job ? isWanted(job) : isYoung
    } catch {
      return true
    }
  }

  return {
    async desert({ owner, id, state }) {
      const transcript = await ledger.transcript(owner, id).catch(() => undefined)
      if (transcript?.status === 'running') {
        await ledger.keep(owner, { ...transcript, status: state as Transcript['status'] })
        changes.tell({ owner, id, listChanged: true })
      }
      await takeAway(owner, id)
    },
    takeAway,
    takeRecordingAway,
    async sweep(isWanted) {
      if (blobs.way !== 'bucket' || closing.aborted) return
      try {
        const removed = await blobs.sweep(left => isLeftWanted(left, isWanted), limited(sweepTime))
        if (removed > 0) log.info('swept', { removed })
      } catch (error) {
        if (!closing.aborted) complain('not-swept', error)
      }
    },
  }
}

function complain(event: string, error: unknown): void {
  log.warn(event, { code: isSpeechError(error) ? error.code : 'INTERNAL' })
}
