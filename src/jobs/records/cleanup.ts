// Cleanup after jobs that are over or removed: uploads in the cloud, and transcripts that still say `running`.
import { codeOf } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Checkpoints, StoredUpload } from '../../domain/ports.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { stopTasks } from '../../pipeline/file-tasks/own-tasks.ts'
import { isUploadCheckpoint, uploadCheckpointKey } from '../../pipeline/file-tasks/upload.ts'
import type { Cleanup, JobBasis } from '../context.ts'
import { createCheckpoints } from './checkpoints.ts'

/** A cloud that does not answer must not block the caller. */
const deleteTimeoutMs = 10_000
const sweepTimeoutMs = 600_000
/** Another installation may share the bucket: an upload whose job only that one knows is kept for this long. */
const minForeignUploadAgeMs = 24 * 3600 * 1000

export function createCleanup({ store, repository, pipeline, changes, closing }: JobBasis): Cleanup {
  const { objectStorage, speakerRecognisers, fileRecognisers } = pipeline
  const recognisers = [...speakerRecognisers.members, ...fileRecognisers.members]

  async function deleteUploads(owner: string, id: string): Promise<void> {
    const checkpoints = createCheckpoints(store, owner, id)
    const stopping = stopTasks(id, { recognisers, checkpoints }, timeout(deleteTimeoutMs))
    await Promise.all([
      stopping.catch(error => logFailure('tasks-not-stopped', error)),
      deleteUpload(id, checkpoints),
      deleteRecordingsOf(owner, id),
    ])
  }

  /** An unfinished job still needs its recording. */
  async function deleteRecordingsOf(owner: string, id: string): Promise<void> {
    const job = await repository.get(owner, id).catch(() => undefined)
    if (!job || !isOver(job.state)) return
    for (const key of [job.recording, job.uploadKey]) if (key !== undefined) await deleteRecording(job, key)
  }

  async function deleteRecording({ owner, id }: Pick<Job, 'owner' | 'id'>, key: string): Promise<void> {
    try {
      await objectStorage.delete({ way: 'bucket', keys: { recording: key } }, timeout(deleteTimeoutMs))
      await repository.update(owner, id, now => {
        if (!isOver(now.state) || (now.recording !== key && now.uploadKey !== key)) return undefined
        const unlessDeleted = (one: string | undefined) => (one === key ? undefined : one)
        return { recording: unlessDeleted(now.recording), uploadKey: unlessDeleted(now.uploadKey) }
      })
    } catch (error) {
      if (codeOf(error) !== 'TRANSCRIPT_NOT_FOUND') logFailure('recording-not-removed', error)
    }
  }

  async function deleteUpload(id: string, checkpoints: Checkpoints): Promise<void> {
    const kept = await checkpoints.get(uploadCheckpointKey(id))
    if (!isUploadCheckpoint(kept) || !kept.upload) return
    const { upload, ...rest } = kept
    try {
      await objectStorage.delete(upload, timeout(deleteTimeoutMs))
      await checkpoints.put(uploadCheckpointKey(id), rest)
    } catch (error) {
      logFailure('upload-not-removed', error)
    }
  }

  function timeout(milliseconds: number): AbortSignal {
    return AbortSignal.any([closing, AbortSignal.timeout(milliseconds)])
  }

  /** An upload stays unless it is certain that its job does not need it. */
  async function isStillWanted(upload: StoredUpload, isWanted: (job: Job) => boolean): Promise<boolean> {
    const isYoung = Date.now() - upload.storedAt < minForeignUploadAgeMs
    if (!upload.isOwn) return isYoung
    try {
      const job = await repository.get(upload.owner, upload.job)
      return job ? isWanted(job) : isYoung
    } catch {
      return true
    }
  }

  return {
    async cleanUpJob({ owner, id, state }) {
      const transcript = await repository.getTranscript(owner, id).catch(() => undefined)
      if (transcript?.status === 'running') {
        await repository.saveTranscript(owner, { ...transcript, status: state as Transcript['status'] })
        changes.publish({ owner, id, listChanged: true })
      }
      await deleteUploads(owner, id)
    },
    deleteUploads,
    deleteRecording,
    async sweep(isWanted) {
      if (objectStorage.way !== 'bucket' || closing.aborted) return
      try {
        const removed = await objectStorage.sweep(
          upload => isStillWanted(upload, isWanted),
          timeout(sweepTimeoutMs),
        )
        if (removed > 0) log.info('swept', { removed })
      } catch (error) {
        if (!closing.aborted) logFailure('not-swept', error)
      }
    },
  }
}

function logFailure(event: string, error: unknown): void {
  log.warn(event, { code: codeOf(error) })
}
