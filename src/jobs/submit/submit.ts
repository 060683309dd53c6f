// Submits a request: the same request of the same owner is always the same job.
import { SpeechError } from '../../domain/errors.ts'
import { isOver, type Job, type JobTool, type TranscriptionRequest } from '../../domain/job.ts'
import type { Queue } from '../../domain/queue.ts'
import { oneLine } from '../../domain/text.ts'
import { maxVoiceNoteBytes } from '../../pipeline/audio/encode.ts'
import { modelsOf } from '../../pipeline/select-pipeline.ts'
import { parseSource } from '../../pipeline/source/parse-source.ts'
import { type Identity, identify } from '../../pipeline/source/source.ts'
import type { JobContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { isReachable } from '../records/job-message.ts'
import type { JobChange } from '../records/job-repository.ts'
import { type Leases, leaseMs, newLease, queueLeaseMs } from '../records/lease.ts'
import { jobId } from './job-id.ts'

export interface Caller {
  tool: JobTool
  owner: string
  signal: AbortSignal
  /** True where the recording is transcribed even if nothing can be stored. */
  allowUnsaved?: boolean | undefined
  /** The batch that orders it. */
  batch?: Job['batch']
  /** Id that the plan has for it: content of another id is not what its price was agreed for. */
  plannedId?: string | undefined
}

export interface Submitted {
  job: Job
  /** True when the transcript was complete before, so that nothing is left to do. */
  cached: boolean
  /** True when this call has created the job or started it again. */
  started: boolean
}

/** Unfinished jobs of one owner in one process. */
const maxUnfinishedJobs = 200

/** Throws `SpeechError` where the recording cannot be read or is not the planned one, `BUSY`, or why nothing is kept. */
export async function submit(
  request: TranscriptionRequest,
  caller: Caller,
  context: JobContext,
): Promise<Submitted> {
  const { tool, owner, signal, batch, plannedId } = caller
  const { workerId, store, queue, pipeline, waiters, mutex } = context
  if (queue.waiting(owner) >= maxUnfinishedJobs)
    throw new SpeechError('BUSY', `${maxUnfinishedJobs} recordings are waiting already.`, {
      hint: 'Wait for some of them to end; get_transcript shows the progress of each.',
      retryable: true,
    })
  const checkpoints = createCheckpoints(store, owner, '')
  const identity = await identify(request.audio, pipeline, { owner, signal, checkpoints })
  const given = oneLine(request.title ?? '')
  const { title: _, ...rest } = request
  const resolved = { ...rest, audio: identity.audio, ...(given && { title: given }) }
  const facts = { tool, owner, request: resolved, models: modelsOf(tool, resolved, pipeline) }
  const fresh = withLease(workerId, { ...newJob(facts, identity), ...(batch && { batch }) }, queue)
  if (plannedId !== undefined && plannedId !== fresh.id) throw notAsPlanned()
  const key = `${owner}/${fresh.id}`
  return mutex(key, async () => {
    // Reserved until the caller watches it: another caller that disconnects must not cancel it meanwhile.
    const release = waiters.reserve(key)
    try {
      const submitted = await findOrStart(fresh, identity, caller, context)
      if (submitted.cached) release()
      // A caller that knows the id from an earlier attempt has to ask again for this one.
      if (submitted.started) waiters.markStarted(key)
      return submitted
    } catch (error) {
      release()
      throw error
    }
  })
}

function notAsPlanned(): SpeechError {
  return new SpeechError(
    'RECORDING_CHANGED',
    'The recording, or the model of the server, has changed since it was planned.',
    {
      hint: 'Nothing of it was sent. Do the same again: the price is then the present one.',
    },
  )
}

/** The existing job or the new one; started unless it is under way. */
async function findOrStart(
  fresh: Job,
  identity: Identity,
  { allowUnsaved }: Caller,
  context: JobContext,
): Promise<Submitted> {
  const { leases, repository, dispatch } = context
  const { owner, id, request } = fresh
  const found = await repository.add(fresh, allowUnsaved)
  const isNew = found.createdAt === fresh.createdAt && found.lease?.until === fresh.lease?.until
  if (isNew) {
    await dispatch(found)
    return { job: found, cached: false, started: true }
  }
  if (found.state === 'completed' && identity.certain) {
    const transcript = await repository.getTranscript(owner, id)
    if (transcript?.status === 'completed') {
      await notePath(found, request, repository)
      return { job: found, cached: true, started: false }
    }
  }

  let started = false
  const job = await repository.update(owner, id, now => {
    started = isOver(now.state)
    if (!started) return joined(fresh, now, leases)
    // The newest path is the one that exists; the newest title counts.
    const title = request.title ?? now.request.title
    return {
      state: 'queued',
      models: fresh.models,
      batch: fresh.batch,
      error: undefined,
      redeliveries: undefined,
      request: { ...request, ...(title && { title }) },
      // A worker elsewhere must let go first; otherwise the provider would be asked twice.
      lease: leases.isHeldElsewhere(now) ? now.lease : fresh.lease,
      // The process that ended the attempt before may still be deleting its upload.
      recording: undefined,
      uploadKey: now.recording ?? now.uploadKey,
    }
  })
  // The file of the earlier request may be on another machine; this one is here.
  if (started || leases.canStartHere(job))
    await dispatch({ ...job, request: { ...job.request, audio: request.audio } })
  return { job, cached: false, started }
}

/** A recording that was moved, or uploaded again, is known where it is now, for clips of it. */
async function notePath(
  { owner, id, request: { audio } }: Job,
  request: TranscriptionRequest,
  { update }: JobContext['repository'],
): Promise<void> {
  if (audio === request.audio || !/^(?:path|upload)$/.test(parseSource(request.audio).kind)) return
  const moved = ({ request: now }: Job) => ({ request: { ...now, audio: request.audio } })
  // The transcript is there, whatever the store takes.
  await update(owner, id, moved).catch(() => {})
}

/** Changes that a further order makes in a job that is not over; undefined: none. */
function joined({ request, batch }: Job, now: Job, leases: Leases): JobChange | undefined {
  const { format } = request
  // No new job: the worker formats the text at the end.
  const isFormatNew = format !== undefined && format !== now.request.format
  // The limit of the newest order holds for one that no process runs.
  const isLimitNew = batch?.id !== now.batch?.id && (batch ? leases.canStartHere(now) : leases.isFree(now))
  if (!isFormatNew && !isLimitNew) return undefined
  return { ...(isFormatNew && { request: { ...now.request, format } }), ...(isLimitNew && { batch }) }
}

function newJob(facts: Pick<Job, 'tool' | 'owner' | 'request' | 'models'>, identity: Identity): Job {
  const { hash, bytes = Number.POSITIVE_INFINITY } = identity
  const now = new Date().toISOString()
  return {
    id: jobId(facts, identity),
    ...facts,
    state: 'queued',
    revision: 1,
    short: bytes <= maxVoiceNoteBytes,
    createdAt: now,
    updatedAt: now,
    content: hash,
  }
}

/** Holds the job while it waits in this process; with a shared queue, until its recording is uploaded. */
function withLease(workerId: string, job: Job, queue: Queue): Job {
  if (!queue.shared) return { ...job, lease: newLease(workerId, queueLeaseMs) }
  return isReachable(job) ? job : { ...job, lease: newLease(workerId, leaseMs) }
}
