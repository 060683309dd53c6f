// Places an order: the same order of the same owner is the same job, wherever and whenever it is placed.
import { createHash } from 'node:crypto'
import { SpeechError } from '../../domain/errors.ts'
import { isOver, type Job, type JobTool, type TranscriptionRequest } from '../../domain/job.ts'
import { languageHint } from '../../domain/languages.ts'
import type { Store } from '../../domain/ports.ts'
import type { Queue } from '../../domain/queue.ts'
import type { Run } from '../../domain/run.ts'
import { oneLine } from '../../domain/text.ts'
import { maxVoiceNoteBytes } from '../../pipeline/chunks/transcribe-chunks.ts'
import { modelsOf } from '../../pipeline/select-pipeline.ts'
import { type Identity, identify } from '../../pipeline/source/source.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { isAtHand } from '../records/job-message.ts'
import type { JobChange, Ledger } from '../records/job-repository.ts'
import { type Leases, lease, leaseTime, queueTime } from '../records/lease.ts'
import type { Holders } from '../records/waiters.ts'
import { hung } from '../view/speaker-names.ts'
import type { Dispatch } from './dispatch.ts'
import type { Turns } from './keyed-mutex.ts'

export interface Placing {
  name: string
  leases: Leases
  dispatch: Dispatch
  ledger: Ledger
  store: Store
  queue: Queue
  pipeline: PipelinePorts
  holders: Holders
  inTurn: Turns
}

export interface Caller {
  tool: JobTool
  owner: string
  signal: AbortSignal
}

export interface Placed {
  job: Job
  /** True when the order had been carried out before, so that nothing is left to do. */
  answered: boolean
  /** True when this call has made the job or started it again. */
  started: boolean
}

/** So many jobs of one owner may be on their way at once in one process. */
const mostUnfinished = 200

/** Throws `SpeechError` where the recording cannot be had, or too many are on their way. */
export async function place(wish: TranscriptionRequest, caller: Caller, house: Placing): Promise<Placed> {
  const { tool, owner, signal } = caller
  const { name, store, queue, pipeline, holders, inTurn } = house
  if (queue.waiting(owner) >= mostUnfinished)
    throw new SpeechError('BUSY', `${mostUnfinished} recordings are waiting already.`, {
      hint: 'Wait for some of them to end; get_transcript tells how far each one is.',
      retryable: true,
    })
  const checkpoints = createCheckpoints(store, owner, '')
  const identity = await identify(wish.audio, pipeline, { signal, checkpoints })
  const given = oneLine(wish.title ?? '')
  const { title: _, ...rest } = wish
  const order = { ...rest, audio: identity.audio, ...(given && { title: given }) }
  const wanted = { tool, owner, order, models: modelsOf(tool, order, pipeline) }
  const fresh = ownedBy(name, newJob(wanted, identity), queue)
  const key = `${owner}/${fresh.id}`
  return inTurn(key, async () => {
    // From before it is looked at until it is watched: another caller who goes must not take it from this one.
    const release = holders.expect(key)
    try {
      const placed = await find(fresh, identity, house)
      if (placed.answered) release()
      // Who had the id of an attempt that is over has to ask again for this one.
      if (placed.started) holders.begin(key)
      return placed
    } catch (error) {
      release()
      throw error
    }
  })
}

/** The job that is there, or this one; started where nobody is at it. */
async function find(fresh: Job, identity: Identity, house: Placing): Promise<Placed> {
  const { leases, ledger, dispatch } = house
  const { owner, id, order } = fresh
  const found = await ledger.add(fresh)
  const isNew = found.createdAt === fresh.createdAt && found.lease?.until === fresh.lease?.until
  if (isNew) {
    await dispatch(found)
    return { job: found, answered: false, started: true }
  }
  if (found.state === 'completed' && identity.certain) {
    const transcript = await ledger.transcript(owner, id)
    if (transcript?.status === 'completed') return { job: found, answered: true, started: false }
  }

  // When more is heard, speakers may be numbered anew: names that hang on numbers alone are hung on who bears them now.
  const isByNumber = found.names !== undefined && !Array.isArray(found.names)
  const told = isByNumber ? await ledger.transcript(owner, id).catch(() => undefined) : undefined
  let started = false
  const job = await ledger.update(owner, id, now => {
    started = isOver(now.state)
    if (!started) return wishOf(order, now)
    // The path of today is the one that exists; the title that was given last counts.
    const title = order.title ?? now.order.title
    return {
      state: 'queued',
      models: fresh.models,
      error: undefined,
      sent: undefined,
      order: { ...order, ...(title && { title }) },
      ...(told && { names: hung(now.names, told) }),
      // Whoever was at it elsewhere must let go first, or what he has asked for would be asked twice.
      lease: leases.isElsewhere(now) ? now.lease : fresh.lease,
      // Whoever ended the attempt before was about to take it away.
      recording: undefined,
      laying: now.recording ?? now.laying,
    }
  })
  // The file of whoever ordered it before may lie on another machine; this one lies here.
  if (started || leases.isWaiting(job))
    await dispatch({ ...job, order: { ...job.order, audio: order.audio } })
  return { job, answered: false, started }
}

/** What is no other order, though it wishes for more: whoever is at it heeds that at the end. */
function wishOf({ format }: TranscriptionRequest, { order }: Job): JobChange | undefined {
  return format !== undefined && format !== order.format ? { order: { ...order, format } } : undefined
}

type Wanted = Pick<Job, 'tool' | 'owner' | 'order' | 'models'>

function newJob(wanted: Wanted, identity: Identity): Job {
  const { hash, bytes = Number.POSITIVE_INFINITY } = identity
  const now = new Date().toISOString()
  return {
    id: idOf(wanted, identity),
    ...wanted,
    state: 'queued',
    revision: 1,
    brief: bytes <= maxVoiceNoteBytes,
    createdAt: now,
    updatedAt: now,
    ...(hash !== undefined && { content: hash }),
  }
}

/** Waits here for its turn; or, for workers of any machine, until its recording is where they see it. */
function ownedBy(name: string, job: Job, queue: Queue): Job {
  if (!queue.shared) return { ...job, lease: lease(name, queueTime) }
  return isAtHand(job) ? job : { ...job, lease: lease(name, leaseTime) }
}

/** What the words depend on, and nothing else: not the title, nor the path. */
function idOf({ tool, owner, order, models }: Wanted, { content }: Identity): string {
  // One that the model has no hint for changes no word, but what the reader is warned of.
  const language = languageHint(order.language).code ?? order.language?.trim().toLowerCase() ?? ''
  const context = order.context?.trim() ?? ''
  const words = order.timestamps === 'word'
  const speakers = tool === 'diarize_audio' ? [order.speakers ?? 0] : []
  const facts = JSON.stringify([owner, tool, content, ...models, language, context, words, ...speakers])
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  const bytes = createHash('sha256').update(facts).digest().subarray(0, 16)
  return `tr_${[...bytes].map(byte => alphabet[byte & 31]).join('')}`
}

/** A file has its hash; of an address only its server can say whether it is still what was ordered. */
export async function ensureUnchanged(job: Job, pipeline: PipelinePorts, run: Run): Promise<void> {
  const { tool, order, models = [pipeline.recogniser.model], content } = job
  if (content !== undefined) return
  const identity = await identify(order.audio, pipeline, run)
  if (idOf({ ...job, models }, identity) !== job.id)
    throw new SpeechError('RECORDING_CHANGED', 'The address no longer gives what was ordered.', {
      hint: `Call ${tool} again to have it heard as it is now.`,
    })
}
