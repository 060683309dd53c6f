// Keeps an order within the money it may cost: the estimate before the first request, and a stop while it runs.
import { SpeechError } from '../../domain/errors.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { type Chunk, cut } from '../audio/cut.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { chunkKey, isCachedRecognition } from '../audio/fingerprint.ts'
import type { Source } from '../source/source.ts'
import type { EncodingTools } from './encode-all.ts'

export interface Budget {
  /** Passes the chunks on once it is known that they may be paid for; throws `COST_TOO_HIGH` with the figure. */
  admit(chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk>
  /** Throws `COST_TOO_HIGH` when these seconds more would pass the limit: lengths in headers may lie. */
  charge(seconds: number): void
}

/** `audio` is what is heard of the recording: its mix, or channels of it. */
export function createBudget(
  source: Source,
  audio: readonly Decoding[],
  { recogniser, maxCostUsd }: { recogniser: Recogniser; maxCostUsd?: number },
  tools: EncodingTools,
  run: Run,
): Budget {
  const price = recogniser.usdPerSecond
  let spent = 0
  if (maxCostUsd === undefined || price === undefined) return { admit: chunks => chunks, charge: () => {} }

  async function check(): Promise<void> {
    const expected = audio.map(each => each.headerSeconds()).find(length => length !== undefined)
    // The whole length is more than what is sent: if that can be paid for, there is nothing to look into.
    if (expected !== undefined && expected * audio.length * price! <= maxCostUsd!) return
    let unheard = 0
    for (const { channel } of audio) unheard += await unheardSeconds(source, channel, recogniser, tools, run)
    const cost = price! * unheard
    if (cost > maxCostUsd!) throw costTooHigh(cost, maxCostUsd!)
  }
  let checking: Promise<void> | undefined

  return {
    async *admit(chunks) {
      for await (const chunk of chunks) {
        // Once for all channels: whichever has a chunk first.
        checking ??= check()
        await checking
        yield chunk
      }
    },
    charge(seconds) {
      spent += seconds * price
      if (spent > maxCostUsd + 1e-9) throw costTooHigh(spent, maxCostUsd)
    },
  }
}

/** What would have to be sent: decodes and cuts the recording once, and looks each chunk up. */
async function unheardSeconds(
  source: Source,
  channel: number | undefined,
  { limits }: Recogniser,
  { ffmpeg, options }: EncodingTools,
  run: Run,
): Promise<number> {
  run.progress({ done: 0, message: 'Working out the cost' })
  let samples = 0
  const quiet = { ...run, warn: () => {} }
  const decodeOptions = channel === undefined ? {} : { channel }
  for await (const chunk of cut(decode(source, ffmpeg, quiet, decodeOptions).samples, limits)) {
    if (!isCachedRecognition(await run.checkpoints.get(chunkKey(chunk.samples, options))))
      samples += chunk.samples.length
    chunk.release()
  }
  return samples / sampleRate
}

export function costTooHigh(cost: number, limit: number): SpeechError {
  return new SpeechError(
    'COST_TOO_HIGH',
    `This would cost $${figure(cost)}, more than the limit of $${figure(limit)}.`,
    {
      hint: 'Give a shorter recording, or raise SPEECH_MAX_COST_USD in the server’s settings.',
      scope: 'account',
    },
  )
}

function figure(usd: number): string {
  return usd >= 1 ? usd.toFixed(2) : usd.toFixed(4)
}
