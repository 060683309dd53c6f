// The budget of the chunks of a recording: an estimate before the first request, a charge for each, and its plausibility.
import { type BudgetPart, type Charge, isOverLimit, priceUnknown } from '../../domain/costs/budget.ts'
import { isSpeechError } from '../../domain/errors.ts'
import type { Recogniser, RecognitionRequest } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { type Chunk, cut } from '../audio/cut/cut.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { chunkKey, isCachedRecognition } from '../audio/fingerprint.ts'
import { ensurePlausibleSound, maxSoundSeconds } from '../audio/plausibility.ts'
import type { Source } from '../source/source.ts'
import { cutOptions } from './chunk-lengths.ts'
import type { EncodingTools } from './encode-all.ts'

export interface ChunkBudget extends Pick<BudgetPart, 'close'> {
  /**
   * Passes the chunks on once the estimate is within the limits. Throws the errors of a budget, and `IMPLAUSIBLE_LENGTH`
   * for more sound than the file can hold.
   */
  admit(chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk>
  /** Counts a request of so many seconds; throws above a limit, as the length in a header may be wrong. */
  charge(seconds: number): Promise<ChunkCharge>
  /** Counts a chunk that an earlier attempt of this job has paid. */
  payEarlier(usd: number): void
  /** Notes that a chunk is paid. False if an equal one was noted before: it comes from the cache, and is not paid again. */
  notePaid(key: string): boolean
}

export interface ChunkCharge extends Pick<Charge, 'settle'> {
  /** The same check for each model that is about to be asked: it may be dearer, or have no known price. */
  refuse: RecognitionRequest['refuse']
}

/** 8 kbit/s: a file whose header gives no length is rarely longer. Its running total is checked in any case. */
const usualBytesPerSecond = 1_000

/** `sources` and `audio` have the voices to send. */
export function createChunkBudget(
  sources: readonly Source[],
  audio: readonly Decoding[],
  { model, usdPerSecond: price, limits }: Recogniser,
  tools: EncodingTools,
  run: Run,
): ChunkBudget {
  const { needsPrices } = run.budget
  const { bytes } = sources[0]!
  if (price === undefined && needsPrices) throw priceUnknown(model)
  const part = run.budget.open()
  let soundSeconds = 0
  let areEarlierPaid = false
  const paidKeys = new Set<string>()

  /** One check for each price, started by the first chunk of any channel. */
  const checks = new Map<number, Promise<void>>()
  function check(price: number): Promise<void> {
    const checking = checks.get(price) ?? estimate(price)
    checks.set(price, checking)
    return checking
  }

  async function estimate(price: number): Promise<void> {
    const length = audio.map(each => each.headerSeconds()).find(seconds => seconds !== undefined)
    const isFree = !needsPrices || price === 0
    const longest = length ?? (isFree ? bytes / usualBytesPerSecond : undefined)
    // The whole length is an upper bound: if it is affordable, no closer estimate is needed.
    if (longest !== undefined && longest <= maxSoundSeconds(bytes)) {
      const isReserved = await part.reserve(longest * audio.length * price).then(
        () => true,
        error => {
          if (isOverLimit(error)) return false
          throw error
        },
      )
      if (isReserved) return
    }
    const { seconds, earlier } = await secondsToPay()
    if (!areEarlierPaid) part.payEarlier(earlier * price)
    areEarlierPaid = true
    await part.reserve((seconds + earlier) * price)
  }

  /** Decodes and cuts the recording once. Leaves out what other jobs have paid; `earlier` is paid by this one. */
  async function secondsToPay(): Promise<{ seconds: number; earlier: number }> {
    run.progress({ done: 0, message: 'Estimating the cost' })
    const samples = { sound: 0, new: 0, earlier: 0 }
    const silentRun = { ...run, warn: () => {} }
    for (const source of sources) {
      const decoding = decode(source, tools.ffmpeg, silentRun)
      for await (const chunk of cut(decoding.samples, cutOptions(decoding, limits))) {
        samples.sound += chunk.samples.length
        ensurePlausibleSound(samples.sound / sampleRate / audio.length, bytes)
        const stored = await run.checkpoints.get(await chunkKey(chunk.samples, tools.options))
        if (!isCachedRecognition(stored)) samples.new += chunk.samples.length
        else if (run.checkpoints.isFromThisJob(stored)) samples.earlier += chunk.samples.length
        chunk.release()
      }
    }
    return { seconds: samples.new / sampleRate, earlier: samples.earlier / sampleRate }
  }

  return {
    async *admit(chunks) {
      for await (const chunk of chunks) {
        soundSeconds += chunk.samples.length / sampleRate
        ensurePlausibleSound(soundSeconds / audio.length, bytes)
        await check(price ?? 0)
        yield chunk
      }
    },
    async charge(seconds) {
      const { raise, settle } = await part.charge(seconds * (price ?? 0))
      return {
        settle,
        async refuse({ model, usdPerSecond }) {
          if (usdPerSecond === undefined) return needsPrices ? priceUnknown(model) : undefined
          try {
            await check(usdPerSecond)
            await raise(seconds * usdPerSecond)
            return undefined
          } catch (error) {
            if (isSpeechError(error)) return error
            throw error
          }
        },
      }
    },
    payEarlier(usd) {
      if (!areEarlierPaid) part.payEarlier(usd)
    },
    notePaid(key) {
      const isNew = !paidKeys.has(key)
      paidKeys.add(key)
      return isNew
    },
    close: part.close,
  }
}
