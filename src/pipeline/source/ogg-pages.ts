// Reads from when to when the pages of an Ogg last: the packets within a page have no times.
import type { Span } from '../../domain/transcript.ts'

interface Stream {
  /** Samples a second of its positions; 0 where they count something else. */
  rate: number
  /** Samples that a decoder leaves out at the start. */
  skipped: number
  /** Seconds; undefined before the second page with sound. */
  lastEnd?: number
  pages: Span[]
}

/** A shorter page hides no gap of note. */
const minPageSeconds = 0.1

export class OggPages {
  readonly #streams = new Map<number, Stream>()

  /** The long pages of each stream, in the order of the streams; none of streams that are not sound. */
  get pages(): Span[][] {
    return [...this.#streams.values()].map(({ pages }) => pages)
  }

  /** Takes the next page, of which no more than its head and that of its first packet is read. */
  add(bytes: Buffer, at: number): void {
    const serial = bytes.readUInt32LE(at + 14)
    const stream = this.#streams.get(serial)
    if (!stream) {
      this.#streams.set(serial, { ...readHead(bytes, at + 27 + bytes[at + 26]!), pages: [] })
      return
    }
    const position = bytes.readBigInt64LE(at + 6)
    // Below 0 no packet ends in the page.
    if (position <= 0n || stream.rate === 0) return
    const end = (Number(position) - stream.skipped) / stream.rate
    const start = stream.lastEnd ?? end
    if (end - start >= minPageSeconds) stream.pages.push({ start, end })
    // Positions do not go back: those before it were wrong, or a chained stream begins.
    else while (end < (stream.pages.at(-1)?.end ?? end)) stream.pages.pop()
    stream.lastEnd = end
  }
}

/** The first packet of a stream names its codec. */
function readHead(bytes: Buffer, at: number): Pick<Stream, 'rate' | 'skipped'> {
  const text = bytes.toString('latin1', at, at + 8)
  if (text === 'OpusHead') return { rate: 48_000, skipped: bytes.readUInt16LE(at + 10) }
  if (text.startsWith('\x01vorbis')) return { rate: bytes.readUInt32LE(at + 12), skipped: 0 }
  if (text === 'Speex   ') return { rate: bytes.readUInt32LE(at + 36), skipped: 0 }
  if (text.startsWith('\x7fFLAC')) return { rate: bytes.readUIntBE(at + 27, 3) >> 4, skipped: 0 }
  return { rate: 0, skipped: 0 }
}
