// Decodes a stretch of a recording again and cuts it smaller, for a chunk that has to be recognised again.
import type { Run } from '../../domain/run.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { type Chunk, cut } from '../audio/cut/cut.ts'
import { decode } from '../audio/decode.ts'
import type { Source } from '../source/source.ts'
import { type EncodingTools, encodeAll, type ReadyChunk } from './encode-all.ts'

/** A shorter part would hold no word, and is made of no whole steps of the level. */
const minPartSeconds = 0.5

/**
 * Chunks of a stretch of a voice, each at most `maxSeconds` long, with times in the whole recording. None where that is too
 * short.
 */
export type Recut = (stretch: Span & { channel?: number }, maxSeconds: number) => AsyncIterable<ReadyChunk>

export function createRecut(sources: readonly Source[], tools: EncodingTools, run: Run): Recut {
  return async function* recut(part, maxSeconds) {
    if (maxSeconds < minPartSeconds) return
    const { channel } = part
    const { samples } = decode(sources[channel ?? 0]!, tools.ffmpeg, run, { part })
    yield* encodeAll(shifted(cut(samples, { maxSeconds }), part.start, channel), tools, run)
  }
}

async function* shifted(
  chunks: AsyncIterable<Chunk>,
  offset: number,
  channel: number | undefined,
): AsyncGenerator<Chunk> {
  const shift = ({ start, end }: Span) => ({ start: roundToMs(start + offset), end: roundToMs(end + offset) })
  for await (const chunk of chunks) {
    const parts = chunk.parts.map(part => ({ ...part, start: roundToMs(part.start + offset) }))
    yield { ...chunk, channel, ...shift(chunk), speech: chunk.speech.map(shift), parts }
  }
}
