// The recogniser's answer for one chunk: from the cache, or from the provider, and then cached before anything else.
import { estimatedUsd } from '../../domain/models/price.ts'
import type { Recogniser, Recognition } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { encodedMime } from '../audio/encode.ts'
import { type AsrOptions, isCachedRecognition } from '../audio/fingerprint.ts'
import type { ChunkBudget } from './budget.ts'
import type { ReadyChunk } from './encode-all.ts'

/** The cache is looked at again before a request, if the last look is older than this. */
const maxLookAgeMs = 1_000

interface AnswerContext {
  recogniser: Recogniser
  options: AsrOptions
  budget: ChunkBudget
}

type CachedChunk = Pick<
  Extract<ReadyChunk, { recognition: unknown }>,
  'key' | 'recognition' | 'isFromThisJob'
>

/** Resolves with the answer and its cost. Throws the errors of the recogniser and of the budget. */
export async function answerOf(chunk: ReadyChunk, context: AnswerContext, run: Run) {
  if ('recognition' in chunk) return fromCache(chunk, context)
  const { key, lookedAt } = chunk
  // A process that stood still may have lost the job to another one, which has paid for the answer meanwhile.
  if (Math.abs(Date.now() - lookedAt) > maxLookAgeMs) {
    const recognition = await run.checkpoints.get(key)
    if (isCachedRecognition(recognition)) {
      const isFromThisJob = run.checkpoints.isFromThisJob(recognition)
      return fromCache({ key, recognition, isFromThisJob }, context)
    }
  }
  return fromProvider(chunk, context, run)
}

function fromCache({ key, recognition, isFromThisJob }: CachedChunk, { recogniser, budget }: AnswerContext) {
  const { seconds, ...found } = recognition
  if (!isFromThisJob || !budget.notePaid(key)) return { ...found, sent: 0, cached: seconds, costUsd: 0 }
  const bill = paid(seconds, found, recogniser)
  budget.payEarlier(bill.costUsd ?? 0)
  return { ...found, ...bill }
}

/** The cost of an answer that reports none is estimated, unless it is of a successor, whose price is its own. */
function paid(seconds: number, { costUsd: reported, model }: Recognition, recogniser: Recogniser) {
  const isOfFirst = model === undefined || model === recogniser.model
  const costUsd = reported ?? (isOfFirst ? estimatedUsd(recogniser.usdPerSecond, seconds) : undefined)
  return { sent: seconds, cached: 0, ...(costUsd !== undefined && { costUsd }) }
}

/** Caches the recognition before anything else, also before its cost is recorded: it is paid for. */
async function fromProvider(
  { key, audio, seconds, reuseAudio }: Extract<ReadyChunk, { audio: unknown }>,
  { recogniser, options, budget }: AnswerContext,
  run: Run,
) {
  const { refuse, settle } = await budget.charge(seconds)
  const { language, context } = options
  const hints = { ...(language && { language }), ...(context && { context }), ...(refuse && { refuse }) }
  let usd = 0
  try {
    const recognition = await recogniser.recognise(
      { audio, mime: encodedMime, seconds, owner: run.owner, ...hints },
      run.signal,
    )
    const bill = paid(seconds, recognition, recogniser)
    usd = bill.costUsd ?? 0
    budget.notePaid(key)
    run.answered()
    await run.checkpoints.put(key, { ...recognition, seconds })
    return { ...recognition, ...bill }
  } finally {
    // Nothing is billed for a request that failed, and an answer is even if it cannot be kept.
    settle(usd)
    reuseAudio?.()
  }
}
