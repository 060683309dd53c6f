// Reads from the structure of a file if its end is missing, where ffmpeg does not report it, and if it has a clock.
import { open } from 'node:fs/promises'
import { readVint } from '../audio/ebml.ts'

type Read = (length: number, position: number) => Promise<Buffer>

const maxOggPageBytes = 65_307
const oggHeaderBytes = 27
/** A fragmented MP4 of a day, with a fragment each second, has as many. */
const maxBoxes = 200_000

export interface Container {
  /** Whether bytes are missing at the end; undefined where the container does not show it. */
  isTruncated: boolean | undefined
  /** True where packets have times of their own; in the other formats a sample's number is its time. */
  hasClock: boolean
}

/** Reads a few bytes at the start and the end of the file, and the headers of its parts. */
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

async function isTruncated(head: Buffer, read: Read, size: number): Promise<boolean | undefined> {
  const text = head.toString('latin1')
  if (text.startsWith('OggS')) return await isOggTruncated(read, size)
  if (text.startsWith('RIFF')) return isRiffTruncated(head, size)
  if (text.startsWith('\x1a\x45\xdf\xa3')) return await isMatroskaTruncated(read, size)
  if (/^.{4}(?:ftyp|moov|mdat|wide|free|skip)/s.test(text)) return await isMp4Truncated(read, size)
  return undefined
}

/** WAV, AIFF, Core Audio, Sun and FLAC files; MP3 and AAC by a tag or the sync word of their first frame. */
function hasClock(head: Buffer): boolean {
  const isPlain = /^(?:RIFF....WAVE|RF64|FORM|caff|\.snd|fLaC|ID3|\xff[\xe0-\xff])/s
  return !isPlain.test(head.toString('latin1'))
}

/** RFC 3533: a page's length is in its header. Many recorders write no end mark. */
async function isOggTruncated(read: Read, size: number): Promise<boolean> {
  const from = Math.max(0, size - maxOggPageBytes)
  const tail = await read(size - from, from)
  const page = tail.subarray(Math.max(0, tail.lastIndexOf('OggS')))
  const segments = page.subarray(oggHeaderBytes, oggHeaderBytes + (page[oggHeaderBytes - 1] ?? 255))
  return segments.reduce((sum, length) => sum + length, oggHeaderBytes + segments.length) > page.length
}

/** MP4 and MOV: boxes that each declare their length; 0 means up to the end of the file. */
async function isMp4Truncated(read: Read, size: number): Promise<boolean> {
  let at = 0
  for (let i = 0; i < maxBoxes && at + 8 <= size; i++) {
    const box = await read(16, at)
    const short = box.readUInt32BE(0)
    if (short === 0) return false
    const length = short === 1 && box.length === 16 ? Number(box.readBigUInt64BE(8)) : short
    if (length < 8) return false
    at += length
  }
  return at > size
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
