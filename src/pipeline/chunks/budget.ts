// Enforces the cost limit of a job: an estimate before the first request, and a running total.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Recogniser, RecognitionRequest } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { type Chunk, cut } from '../audio/cut.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { chunkKey, isCachedRecognition } from '../audio/fingerprint.ts'
import type { Source } from '../source/source.ts'
import type { EncodingTools } from './encode-all.ts'

export interface Budget {
  /** Passes the chunks on once the estimate is within the limit; otherwise throws `COST_TOO_HIGH` with the figure. */
  admit(chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk>
  /**
   * Adds seconds to the running total; throws `COST_TOO_HIGH` above the limit, as the length in a header may be wrong.
   * Returns the same check for each model that is about to be asked: it may be dearer, or have no known price.
   */
  charge(seconds: number): RecognitionRequest['refuse']
}

/** Allows for rounding errors of the running total. */
const toleranceUsd = 1e-9

/** `audio` is the audio to send: the mix of the recording, or some of its channels. */
export function createBudget(
  source: Source,
  audio: readonly Decoding[],
  { recogniser, maxCostUsd }: { recogniser: Recogniser; maxCostUsd?: number },
  tools: EncodingTools,
  run: Run,
): Budget {
  const price = recogniser.usdPerSecond
  let spentUsd = 0
  if (maxCostUsd === undefined) return { admit: chunks => chunks, charge: () => undefined }
  if (price === undefined) throw priceUnknown(recogniser.model)

  /** One check for each price, started by the first chunk of any channel. */
  const checks = new Map<number, Promise<void>>()
  function check(price: number): Promise<void> {
    const checking = checks.get(price) ?? estimate(price)
    checks.set(price, checking)
    return checking
  }

  async function estimate(price: number): Promise<void> {
    const duration = audio.map(each => each.headerSeconds()).find(length => length !== undefined)
    // The whole length is an upper bound: if it is affordable, no closer estimate is needed.
    if (duration !== undefined && duration * audio.length * price <= maxCostUsd!) return
    let seconds = 0
    for (const { channel } of audio) seconds += await secondsToSend(source, channel, recogniser, tools, run)
    const cost = price * seconds
    if (cost > maxCostUsd!) throw costTooHigh(cost, maxCostUsd!)
  }

  function spend(usd: number): void {
    if (spentUsd + usd > maxCostUsd! + toleranceUsd) throw costTooHigh(spentUsd + usd, maxCostUsd!)
    spentUsd += usd
  }

  return {
    async *admit(chunks) {
      for await (const chunk of chunks) {
        await check(price)
        yield chunk
      }
    },
    charge(seconds) {
      let charged = price
      spend(seconds * price)
      return async ({ model, usdPerSecond }) => {
        if (usdPerSecond === undefined) return priceUnknown(model)
        try {
          await check(usdPerSecond)
          spend(seconds * Math.max(0, usdPerSecond - charged))
          charged = Math.max(charged, usdPerSecond)
          return undefined
        } catch (error) {
          if (isSpeechError(error)) return error
          throw error
        }
      }
    },
  }
}

/** Seconds that would be sent: decodes and cuts the recording once, and leaves out cached chunks. */
async function secondsToSend(
  source: Source,
  channel: number | undefined,
  { limits }: Recogniser,
  { ffmpeg, options }: EncodingTools,
  run: Run,
): Promise<number> {
  run.progress({ done: 0, message: 'Estimating the cost' })
  let samples = 0
  const silentRun = { ...run, warn: () => {} }
  const decoding = decode(source, ffmpeg, silentRun, { channel })
  for await (const chunk of cut(decoding.samples, limits)) {
    if (!isCachedRecognition(await run.checkpoints.get(chunkKey(chunk.samples, options))))
      samples += chunk.samples.length
    chunk.release()
  }
  return samples / sampleRate
}

/** A limit cannot be kept without a price. */
export function priceUnknown(model: string): SpeechError {
  return new SpeechError(
    'PRICE_UNKNOWN',
    `The price of ${model} is not known, so the limit of SPEECH_MAX_COST_USD cannot be kept.`,
    {
      hint: `Give it in SPEECH_MODELS: ${model} usd_per_second=…, or usd_per_million_input=… usd_per_million_output=…`,
      scope: 'account',
    },
  )
}

export function costTooHigh(cost: number, limit: number): SpeechError {
  return new SpeechError(
    'COST_TOO_HIGH',
    `This would cost $${formatUsd(cost)}, more than the limit of $${formatUsd(limit)}.`,
    {
      hint: 'Use a shorter recording, or raise SPEECH_MAX_COST_USD in the server’s settings.',
      scope: 'account',
    },
  )
}

function formatUsd(usd: number): string {
  return usd >= 1 ? usd.toFixed(2) : usd.toFixed(4)
}
