// Reads from the structure of a file if its end is missing, where ffmpeg does not report it, and if it has a clock.
import { open } from 'node:fs/promises'
import { readVint } from '../audio/ebml.ts'

type Read = (length: number, position: number) => Promise<Buffer>

const maxOggPageBytes = 65_307

export interface Container {
  /** True where the container itself shows that bytes are missing at its end. */
  isTruncated: boolean
  /** True where packets have times of their own; in the other formats a sample's number is its time. */
  hasClock: boolean
}

/** Reads a few bytes at the start and the end of the file. */
export async function readContainer(file: string, size: number): Promise<Container> {
  const handle = await open(file)
  try {
    const read: Read = async (length, position) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const head = await read(64, 0)
    return { isTruncated: await isTruncated(head, read, size), hasClock: hasClock(head) }
  } finally {
    await handle.close()
  }
}

async function isTruncated(head: Buffer, read: Read, size: number): Promise<boolean> {
  const magic = head.toString('latin1', 0, 4)
  if (magic === 'OggS') return await isOggTruncated(read, size)
  if (magic === 'RIFF') return isRiffTruncated(head, size)
  if (head.length >= 16 && head.readUInt32BE(0) === 0x1a45dfa3) return await isMatroskaTruncated(read, size)
  return false
}

/** WAV, AIFF, Core Audio, Sun and FLAC files; MP3 and AAC by a tag or the sync word of their first frame. */
function hasClock(head: Buffer): boolean {
  const isPlain = /^(?:RIFF....WAVE|RF64|FORM|caff|\.snd|fLaC|ID3|\xff[\xe0-\xff])/s
  return !isPlain.test(head.toString('latin1'))
}

/** An Ogg stream flags its last page (RFC 3533: header type 0x04 at byte 5). */
async function isOggTruncated(read: Read, size: number): Promise<boolean> {
  const from = Math.max(0, size - maxOggPageBytes)
  const tail = await read(size - from, from)
  const page = tail.lastIndexOf('OggS')
  return page < 0 || page + 27 > tail.length || (tail[page + 5]! & 4) === 0
}

/** WAV and AVI declare their length; 0 and 0xFFFFFFFF mean a stream that was never finished. */
function isRiffTruncated(head: Buffer, size: number): boolean {
  const declared = head.length >= 8 ? head.readUInt32LE(4) : 0
  return declared > 0 && declared < 0xffff_ff00 && declared + 8 > size + 1
}

/** Matroska and WebM: the Segment after the EBML header declares its length, unless all its size bits are ones. */
async function isMatroskaTruncated(read: Read, size: number): Promise<boolean> {
  const header = readVint(await read(8, 4), 0)
  const segment = header && 4 + header.width + header.value
  if (segment === undefined) return false
  const bytes = await read(12, segment)
  const length = bytes.toString('hex', 0, 4) === '18538067' ? readVint(bytes, 4) : undefined
  return length !== undefined && !length.unknown && segment + 4 + length.width + length.value > size
}
