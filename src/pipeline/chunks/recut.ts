// Decodes a stretch of a recording once more and cuts it smaller, for a chunk that has to be asked again.
import type { Run } from '../../domain/run.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { type Chunk, cut } from '../audio/cut.ts'
import { decode } from '../audio/decode.ts'
import type { Source } from '../source/source.ts'
import { type EncodingTools, encodeAll, type ReadyChunk } from './encode-all.ts'

/** The chunks of a stretch of a channel, none longer than `maxSeconds`, with their places in the whole recording. */
export type Recut = (stretch: Span & { channel?: number }, maxSeconds: number) => AsyncIterable<ReadyChunk>

export function recut(source: Source, tools: EncodingTools, run: Run): Recut {
  return (part, maxSeconds) => {
    const channel = part.channel === undefined ? {} : { channel: part.channel }
    const { samples } = decode(source, tools.ffmpeg, run, { part, ...channel })
    return encodeAll(later(cut(samples, { maxSeconds }), part.start, channel), tools, run)
  }
}

async function* later(
  chunks: AsyncIterable<Chunk>,
  offset: number,
  channel: { channel?: number },
): AsyncGenerator<Chunk> {
  const move = ({ start, end }: Span) => ({ start: roundToMs(start + offset), end: roundToMs(end + offset) })
  for await (const chunk of chunks)
    yield { ...chunk, ...channel, ...move(chunk), speech: chunk.speech.map(move) }
}
