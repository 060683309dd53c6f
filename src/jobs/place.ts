// Places an order: the same order of the same owner is the same job, wherever and whenever it is placed.
import { createHash } from 'node:crypto'
import { SpeechError } from '../domain/errors.ts'
import { isOver, type Job, type Order } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Queue, Store } from '../domain/ports.ts'
import { oneLine } from '../domain/text.ts'
import { type Identity, identify } from '../pipeline/source.ts'
import { type PipelinePorts, perhapsVoiceNote } from '../pipeline/transcribe.ts'
import { createCheckpoints } from './checkpoints.ts'
import { isWaiting, lease, queueTime } from './lease.ts'
import type { Ledger } from './ledger.ts'

export interface Placing {
  name: string
  ledger: Ledger
  store: Store
  queue: Queue
  pipeline: PipelinePorts
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
export async function place(
  wish: Order,
  { owner, signal }: { owner: string; signal: AbortSignal },
  { name, ledger, store, queue, pipeline }: Placing,
): Promise<Placed> {
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
  const id = idOf(owner, identity, order, pipeline.recogniser.model)
  const fresh = newJob(id, owner, order, identity, name)

  const found = await ledger.add(fresh)
  const isNew = found.createdAt === fresh.createdAt && found.lease?.until === fresh.lease?.until
  const ticket = { id, owner, brief: found.brief }
  if (isNew) {
    await queue.send(ticket)
    return { job: found, answered: false, started: true }
  }
  if (found.state === 'completed' && identity.certain) {
    const transcript = await ledger.transcript(owner, id)
    if (transcript?.status === 'completed') return { job: found, answered: true, started: false }
  }

  let started = false
  const job = await ledger.update(owner, id, now => {
    started = isOver(now.state)
    // The path of today is the one that exists; the title that was given last counts.
    const title = order.title ?? now.order.title
    return started
      ? {
          state: 'queued',
          order: { ...order, ...(title && { title }) },
          lease: fresh.lease,
          error: undefined,
        }
      : undefined
  })
  if (started || isWaiting(job, name)) await queue.send(ticket)
  return { job, answered: false, started }
}

function newJob(id: string, owner: string, order: Order, identity: Identity, worker: string): Job {
  const { hash, bytes = Number.POSITIVE_INFINITY } = identity
  const now = new Date().toISOString()
  return {
    ...{ id, owner, tool: 'transcribe_audio', order, state: 'queued', revision: 1 },
    brief: bytes <= perhapsVoiceNote,
    ...{ createdAt: now, updatedAt: now, lease: lease(worker, queueTime) },
    ...(hash !== undefined && { content: hash }),
  }
}

/** What the words depend on, and nothing else: not the title, nor the path. */
function idOf(owner: string, { content }: Identity, order: Order, model: string): string {
  // One that the model has no hint for changes no word, but what the reader is warned of.
  const language = languageHint(order.language).code ?? order.language?.trim().toLowerCase() ?? ''
  const context = order.context?.trim() ?? ''
  const words = order.timestamps === 'word'
  const facts = JSON.stringify([owner, 'transcribe_audio', content, model, language, context, words])
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  const bytes = createHash('sha256').update(facts).digest().subarray(0, 16)
  return `tr_${[...bytes].map(byte => alphabet[byte & 31]).join('')}`
}
