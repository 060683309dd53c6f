// Reads from the structure of a file if its end is missing, where ffmpeg does not report it, and if it has a clock.
import { open } from 'node:fs/promises'
import { readVint } from './ebml.ts'
import { lastPart, layouts, type Part, type Read } from './file-layout.ts'

const maxOggPageBytes = 65_307
const oggHeaderBytes = 27
/** Fewer bytes behind the declared end are padding. */
const minSoundBytes = 1_000
const maxTags = 20
const maxJoined = 1_000
const gsmFrameBytes = 33
const ebmlMark = '\x1a\x45\xdf\xa3'
/** Program streams and Flash have no list of tracks: one that begins after the first five seconds would not be found. */
const longLook = ['-analyzeduration', '60000000', '-probesize', '50000000']

export interface Container {
  /** True where bytes are missing at the end; undefined where the container does not show it. */
  isTruncated: boolean | undefined
  /** True where packets have times of their own; in the other formats a sample's number is its time. */
  hasClock: boolean
  /** Matroska files joined to one: the bytes of the lengths behind which older ffmpegs read nothing. */
  joinedLengths?: { start: number; end: number }[]
  /** ffmpeg options in front of the file, for what its header hides. */
  inputOptions?: string[]
}

/** Reads a few bytes at the start and the end of the file, and the headers of its parts. */
export async function readContainer(file: string, size: number): Promise<Container> {
  const handle = await open(file)
  try {
    const read: Read = async (length, position) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const head = (await read(64, 0)).toString('latin1')
    return { hasClock: hasClock(head), ...(await readEnd(head, read, size)) }
  } finally {
    await handle.close()
  }
}

async function readEnd(head: string, read: Read, size: number): Promise<Omit<Container, 'hasClock'>> {
  if (head.startsWith('ID3')) return readTags(read)
  if (/^RIFF.{4}WAVE/s.test(head)) return wavEnd(await lastPart(read, size, layouts.riff), size)
  if (head.startsWith(ebmlMark)) return matroskaEnd(read, size)
  if (head.startsWith('\0\0\x01\xba') || head.startsWith('FLV'))
    return { isTruncated: undefined, inputOptions: longLook }
  if (isGsm(await read(gsmFrameBytes * 10, 0))) return { isTruncated: false, inputOptions: ['-f', 'gsm'] }
  return { isTruncated: await isEndMissing(head, read, size) }
}

/** GSM has no header; each of its frames begins with the same four bits. */
function isGsm(bytes: Buffer): boolean {
  if (bytes.length < gsmFrameBytes * 10) return false
  return Array.from({ length: 10 }, (_, i) => bytes[i * gsmFrameBytes]!).every(byte => byte >> 4 === 0xd)
}

async function isEndMissing(head: string, read: Read, size: number): Promise<boolean | undefined> {
  if (head.startsWith('OggS')) return await isOggTruncated(read, size)
  if (head.startsWith('RIFF')) return isRiffTruncated(Buffer.from(head, 'latin1'), size)
  const layout = /^FORM.{4}AIF[FC]/s.test(head)
    ? layouts.aiff
    : head.startsWith('caff')
      ? layouts.caf
      : /^.{4}(?:ftyp|moov|mdat|wide|free|skip)/s.test(head)
        ? layouts.mp4
        : undefined
  const last = layout && (await lastPart(read, size, layout))
  // An MP4 that is open to its end may be cut: its table of samples shows it, and ffmpeg says so.
  if (!last || (last.isOpen && layout === layouts.mp4)) return undefined
  return isCut(last, size)
}

/** Missing tags, text or pictures behind the sound are no loss; a byte of padding is often left out. */
function isCut({ name, end, isOpen }: Part, size: number): boolean {
  return /^(?:data|SSND|mdat|moo[vf])$/.test(name) && !isOpen && end > size + 1
}

/** A recorder that stops early leaves a length that is too small, as does one whose counter goes round at 4 GB. */
function wavEnd(last: Part | undefined, size: number): Omit<Container, 'hasClock'> {
  if (!last) return { isTruncated: undefined }
  const isShort = !last.isKnown && size - last.start > minSoundBytes
  const inputOptions = isShort ? ['-f', 'wav', '-ignore_length', '1'] : undefined
  return { isTruncated: isCut(last, size), inputOptions }
}

/** ffmpeg looks behind one tag for the format; an MP3 may have several. */
async function readTags(read: Read): Promise<Omit<Container, 'hasClock'>> {
  let at = 0
  for (let tags = 0; tags < maxTags; tags++) {
    const head = await read(10, at)
    if (head.toString('latin1', 0, 3) !== 'ID3' || head.length < 10) {
      // The layer tells MP3 from AAC.
      const isMp3 = head[0] === 0xff && (head[1]! & 0xe0) === 0xe0 && (head[1]! & 6) !== 0
      return { isTruncated: undefined, ...(tags > 1 && isMp3 && { inputOptions: ['-f', 'mp3'] }) }
    }
    at += 10 + head.subarray(6).reduce((length, byte) => length * 128 + (byte & 127), 0)
  }
  return { isTruncated: undefined }
}

/** WAV, AIFF, Core Audio, Sun and FLAC files; MP3 and AAC by a tag or the sync word of their first frame. */
function hasClock(head: string): boolean {
  const isPlain = /^(?:RIFF....WAVE|RF64|FORM|caff|\.snd|fLaC|ID3|\xff[\xe0-\xff])/s
  return !isPlain.test(head)
}

/** RFC 3533: a page's length is in its header. Many recorders write no end mark. */
async function isOggTruncated(read: Read, size: number): Promise<boolean> {
  const from = Math.max(0, size - maxOggPageBytes)
  const tail = await read(size - from, from)
  const page = tail.subarray(Math.max(0, tail.lastIndexOf('OggS')))
  const segments = page.subarray(oggHeaderBytes, oggHeaderBytes + (page[oggHeaderBytes - 1] ?? 255))
  return segments.reduce((sum, length) => sum + length, oggHeaderBytes + segments.length) > page.length
}

/** AVI declares its length; 0 and 0xFFFFFFFF mean a stream that was never finished. */
function isRiffTruncated(head: Buffer, size: number): boolean {
  const declared = head.length >= 8 ? head.readUInt32LE(4) : 0
  return declared > 0 && declared < 0xffff_ff00 && declared + 8 > size + 1
}

/** Matroska and WebM: the Segment after an EBML header declares its length, unless all its size bits are ones. */
async function matroskaEnd(read: Read, size: number): Promise<Omit<Container, 'hasClock'>> {
  const lengths: { start: number; end: number }[] = []
  const found = (isTruncated?: boolean) => ({
    isTruncated,
    ...(lengths.length > 1 && { joinedLengths: lengths }),
  })
  for (let at = 0; lengths.length < maxJoined; ) {
    const header = readVint(await read(8, at + 4), 0)
    const segment = header && at + 4 + header.width + header.value
    if (segment === undefined) return found(false)
    const bytes = await read(12, segment)
    const length = bytes.toString('hex', 0, 4) === '18538067' ? readVint(bytes, 4) : undefined
    if (!length) return found(false)
    const start = segment + 4
    lengths.push({ start, end: start + length.width })
    if (length.unknown) return found()
    at = start + length.width + length.value
    if ((await read(4, at)).toString('latin1') !== ebmlMark) return found(at > size)
  }
  return found()
}
