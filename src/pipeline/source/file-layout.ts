// Walks through the parts of a file that each declare their length: WAV, AIFF, Core Audio, MP4.

/** Fewer bytes at the end of the file. `into` is used again by those who read much. */
export type Read = (length: number, position: number, into?: Buffer) => Promise<Buffer>

export interface Part {
  name: string
  start: number
  /** Where it ends by its length. */
  end: number
  /** Its length says that the writer did not know it: it goes on to the end of the file. */
  isOpen: boolean
  /** False where the bytes are no part: what comes before goes on beyond its length. */
  isKnown: boolean
}

interface Layout {
  /** Position of the first part. */
  first: number
  headerBytes: number
  /** Name of a part that holds others; its header is that of the file. */
  wrapper?: string
  /** A byte follows a part of odd length. */
  isPadded?: boolean
  /** Name and length, without the header. */
  read(header: Buffer): { name: string; length: number }
  isOpen(part: { name: string; length: number }): boolean
}

/** Lengths near 2 and 4 GB, beyond the end of the file, are those of programs that write to a pipe. */
const isStreamed = (length: number) => length >= 0x7f00_0000
const name = (header: Buffer, at = 0) => header.toString('latin1', at, at + 4)

export const layouts = {
  riff: {
    first: 12,
    headerBytes: 8,
    wrapper: 'RIFF',
    isPadded: true,
    read: header => ({ name: name(header), length: header.readUInt32LE(4) }),
    isOpen: part => part.name === 'data' && (part.length === 0 || isStreamed(part.length)),
  },
  aiff: {
    first: 12,
    headerBytes: 8,
    isPadded: true,
    read: header => ({ name: name(header), length: header.readUInt32BE(4) }),
    isOpen: part => part.name === 'SSND' && (part.length === 0 || isStreamed(part.length)),
  },
  caf: {
    first: 8,
    headerBytes: 12,
    read: header => ({ name: name(header), length: Number(header.readBigInt64BE(4)) }),
    isOpen: part => part.length < 0,
  },
  mp4: {
    first: 0,
    headerBytes: 16,
    read: header => {
      const length = header.readUInt32BE(0)
      return {
        name: name(header, 4),
        length: (length === 1 ? Number(header.readBigUInt64BE(8)) : length) - 16,
      }
    },
    isOpen: part => part.length === -16,
  },
} as const satisfies Record<string, Layout>

/** A fragmented MP4 of a day, with a fragment each second, has as many. */
const maxParts = 200_000

const isName = (bytes: string) => /^[\w\xa9][\w .-]{3}$/.test(bytes)

/** The parts up to the last byte of the file; none where it has no such parts. */
export async function readParts(read: Read, size: number, layout: Layout): Promise<Part[]> {
  const parts: Part[] = []
  for (let start = layout.first; parts.length < maxParts && start + 8 <= size; ) {
    const header = Buffer.alloc(layout.headerBytes)
    ;(await read(layout.headerBytes, start)).copy(header)
    const part = layout.read(header)
    const isKnown = isName(part.name)
    if (part.name === layout.wrapper) {
      start += layout.first
      continue
    }
    const end = start + layout.headerBytes + part.length
    const isOpen = isKnown && layout.isOpen(part) && (part.length <= 0 || end > size)
    parts.push({ name: part.name, start, end, isOpen, isKnown })
    if (isOpen || !isKnown || end <= start) break
    start = end
    // Some writers leave the byte out.
    const isPadded = layout.isPadded && part.length % 2 === 1
    if (isPadded && !isName((await read(4, end)).toString('latin1'))) start++
  }
  return parts
}
