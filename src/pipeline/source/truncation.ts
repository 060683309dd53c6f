// Detects from the structure of a file that its end is missing, for containers where ffmpeg does not report it.
import { open } from 'node:fs/promises'

type Read = (length: number, position: number) => Promise<Buffer>

const maxOggPageBytes = 65_307

/** True where the container itself shows that bytes are missing at its end. */
export async function isTruncated(file: string, size: number): Promise<boolean> {
  const handle = await open(file)
  try {
    const read: Read = async (length, position) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const head = await read(64, 0)
    const magic = head.toString('latin1', 0, 4)
    if (magic === 'OggS') return await isOggTruncated(read, size)
    if (magic === 'RIFF') return isRiffTruncated(head, size)
    if (head.length >= 16 && head.readUInt32BE(0) === 0x1a45dfa3) return await isMatroskaTruncated(read, size)
    return false
  } finally {
    await handle.close()
  }
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
  const header = await readVint(read, 4)
  const segment = header && header.end + header.value
  if (segment === undefined || (await read(4, segment)).toString('hex') !== '18538067') return false
  const length = await readVint(read, segment + 4)
  return length !== undefined && !length.unknown && length.end + length.value > size
}

/** An EBML integer of one to eight bytes (RFC 8794): the first bit set in the first byte gives the width. */
async function readVint(read: Read, position: number) {
  const bytes = await read(8, position)
  const width = Math.clz32(bytes[0] ?? 0) - 23
  if (width > 8 || bytes.length < width) return undefined
  const digits = Buffer.from(bytes.subarray(0, width))
  digits[0]! &= 0xff >> width
  const value = Number(BigInt(`0x${digits.toString('hex')}`))
  return { value, end: position + width, unknown: value === 2 ** (7 * width) - 1 }
}
