// Reads from the structure of a file if its end or a part is missing, where ffmpeg does not report it, and if it has a clock.
import { open } from 'node:fs/promises'
import type { Span } from '../../domain/transcript.ts'
import { readVint } from './ebml.ts'
import { layouts, type Part, type Read, readParts } from './file-layout.ts'
import type { FrameKind } from './frame-kinds.ts'
import { type Frames, findFrames, tagBytes } from './frames.ts'
import { findJoined } from './joined.ts'
import { mendAiff, mendWav, type Piece, withoutLengths } from './mend.ts'
import { OggPages } from './ogg-pages.ts'

/** Fewer bytes behind the declared end are padding. */
export const minSoundBytes = 1_000
const maxTags = 20
const maxElements = 1_000
const matroskaHead = Buffer.from('1a45dfa3', 'hex')
/** Longer than its elements before the name of the format. */
const matroskaHeadBytes = 100
const scanBytes = 2 ** 20
/** Program streams and Flash have no list of tracks: one that begins after the first five seconds would not be found. */
const longLook = ['-analyzeduration', '86400000000', '-probesize', '50000000']

export interface Container {
  /** True where bytes are missing at the end; undefined where the container does not show it. */
  isTruncated: boolean | undefined
  /** Share of the declared bytes that is missing at the end, where the file declares how many there are. */
  missingShare?: number
  /** Share of the bytes that cannot be sound; 1 where no such byte may be. */
  strayShare?: number
  /** True where a tag follows sound without a length before it: a decoder may take it for sound. */
  hasTags?: boolean
  /** True where packets have times of their own; in the other formats a sample's number is its time. */
  hasClock: boolean
  /** True where files were joined to one: the clock begins anew, and the header tells the length of the first of them. */
  isJoined?: boolean
  /** True where another recording stands behind the end of this one: ffmpeg does not read it, nor does a player. */
  isFollowed?: boolean
  /** Of an Ogg, by stream: pages that may hide a gap. */
  pages?: Span[][]
  /** ffmpeg options in front of the file, for what its header hides. */
  inputOptions?: string[]
  /** Read instead of the file, whose lengths ffmpeg refuses or believes too much. */
  mended?: Piece[]
  /** Reads all of the file, once, for what decoding it can begin without. */
  readAll?(signal: AbortSignal): Promise<Damage>
}

type Damage = Pick<Container, 'isTruncated' | 'strayShare' | 'hasTags' | 'isFollowed'>
type End = Omit<Container, 'hasClock'>

/** Reads the headers of the file's parts, and a few bytes at its start and end. */
export function readContainer(file: string, size: number): Promise<Container> {
  return withFile(file, async read => {
    const head = Buffer.concat([await read(64, 0), Buffer.alloc(64)])
    const end = await readEnd(file, head, read, size)
    return { hasClock: hasClock(head.toString('latin1')), ...end }
  })
}

async function withFile<Result>(
  file: string,
  work: (read: Read) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const handle = await open(file)
  try {
    return await work(async (length, position, into = Buffer.alloc(length)) => {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(into, 0, length, Math.max(0, position))
      return into.subarray(0, bytesRead)
    })
  } finally {
    await handle.close()
  }
}

async function readEnd(file: string, bytes: Buffer, read: Read, size: number): Promise<End> {
  const head = bytes.toString('latin1')
  if (/^RIFF.{4}WAVE/s.test(head)) return wavEnd(read, size)
  if (head.startsWith('RIFF')) return streamable(bytes.readUInt32LE(4), 8, size)
  if (head.startsWith('\x1a\x45\xdf\xa3')) return matroskaEnd(read, size)
  if (bytes.readUInt32BE(0) === 0x3026b275)
    return {
      ...(await asfEnd(Number(bytes.readBigUInt64LE(16)), read, size)),
      isFollowed: await isFollowed(read, size),
    }
  if (/^FORM.{4}AIF[FC]/s.test(head)) return aiffEnd(read, size)
  // W64, whose first object is the whole of it.
  if (head.startsWith('riff')) return { isTruncated: undefined, isFollowed: await isFollowed(read, size) }
  if (head.startsWith('caff')) return lastEnd(await readParts(read, size, layouts.caf), size)
  if (/^.{4}(?:ftyp|moov|mdat|wide|free|skip)/s.test(head)) {
    const parts = await readParts(read, size, layouts.mp4)
    // An MP4 that is open to its end may be cut: its table of samples shows it, and ffmpeg says so.
    return parts.at(-1)?.isOpen ? { isTruncated: undefined } : lastEnd(parts, size)
  }
  if (/^(?:fLaC|wvpk|TTA1)/.test(head))
    return { isTruncated: undefined, ...(await findJoined(bytes, read, size)) }
  return framesEnd(file, read, size)
}

/** A byte of padding is often left out. */
function declared(end: number, size: number, start?: number): End {
  if (end <= size + 1) return { isTruncated: false }
  return { isTruncated: true, ...(start !== undefined && { missingShare: (end - size) / (end - start) }) }
}

const sound = /^(?:data|SSND)$/
/** An AIFF, a CAF and an MP4 begin with these; space may be left free in front. */
const fileHead = /^(?:FORM|caff|ftyp)$/
const freeSpace = /^(?:free|skip|wide)$/

/** Missing tags, text or pictures behind the sound are no loss. */
function lastEnd(parts: readonly Part[], size: number): End {
  const last = parts.at(-1)
  if (!last) return { isTruncated: undefined }
  const { name, isOpen, end } = last
  // ffmpeg reads all fragments, whatever file they are of.
  const behind = parts.slice(1 + parts.findIndex(part => !freeSpace.test(part.name)))
  const isFollowed =
    behind.some(part => fileHead.test(part.name)) && !parts.some(part => part.name === 'moof')
  if (isOpen || !(sound.test(name) || /^(?:mdat|moo[vf])$/.test(name)))
    return { isTruncated: false, isFollowed }
  return { ...declared(end, size, parts.find(part => sound.test(part.name))?.start), isFollowed }
}

/** A recorder that stops early leaves a length that is too small, as does one whose counter goes round at 4 GB. */
const isTooShort = (last: Part | undefined, size: number) =>
  last !== undefined && !last.isKnown && size - last.start > minSoundBytes

async function wavEnd(read: Read, size: number): Promise<End> {
  const parts = await readParts(read, size, layouts.riff)
  return {
    ...lastEnd(parts, size),
    ...(isTooShort(parts.at(-1), size)
      ? { inputOptions: ['-f', 'wav', '-ignore_length', '1'] }
      : { mended: await mendWav(parts, read, size) }),
  }
}

async function aiffEnd(read: Read, size: number): Promise<End> {
  const parts = await readParts(read, size, layouts.aiff)
  return {
    ...lastEnd(parts, size),
    mended: await mendAiff(parts, isTooShort(parts.at(-1), size), read, size),
  }
}

async function asfEnd(data: number, read: Read, size: number): Promise<End> {
  const bytes = await read(24, data)
  if (bytes.length < 24 || bytes.readUInt32BE(0) !== 0x3626b275) return { isTruncated: undefined }
  return streamable(Number(bytes.readBigUInt64LE(16)), data, size)
}

/** ASF and W64 consist of objects: 16 bytes of a name, and the length. True where one of the first name comes again. */
async function isFollowed(read: Read, size: number): Promise<boolean> {
  const head = await read(16, 0)
  for (let at = 0, i = 0; at < size && i < maxElements; i++) {
    const bytes = await read(24, at)
    if (i > 0 && bytes.subarray(0, 16).equals(head)) return true
    if (bytes.length < 24) return false
    at += Math.max(24, Number(bytes.readBigUInt64LE(16)))
  }
  return false
}

/** AVI and ASF: a length that is close to 0 or has all bits set is that of a stream that was never finished. */
function streamable(length: number, start: number, size: number): End {
  return length <= 50 || length >= 0xffff_ff00
    ? { isTruncated: undefined }
    : declared(start + length, size, start)
}

/**
 * Matroska and WebM: each Segment declares its length, unless all its size bits are ones; other elements may precede it.
 * Joined files are read with unknown lengths: behind a length, older ffmpegs read nothing.
 */
async function matroskaEnd(read: Read, size: number): Promise<End> {
  const lengths: { start: number; end: number }[] = []
  const found = (isTruncated?: boolean): End => ({
    isTruncated,
    ...(lengths.length > 1 && { isJoined: true, mended: withoutLengths(lengths, size) }),
  })
  for (let at = 0, i = 0; at < size && i < maxElements; i++) {
    const bytes = await read(16, at)
    const id = readVint(bytes, 0, true)
    const length = id && readVint(bytes, id.width)
    if (!length) break
    const start = at + id.width
    at = start + length.width + length.value
    if (id.value !== 0x18538067) continue
    lengths.push({ start, end: start + length.width })
    if (length.unknown) at = await findMatroska(read, size, start + length.width)
    if (at > size) return found(length.unknown ? undefined : true)
  }
  return found(false)
}

/** Position of the next file behind a live recording, which has no length; infinite where there is none. */
async function findMatroska(read: Read, size: number, from: number): Promise<number> {
  for (let at = from; at < size; at += scanBytes) {
    const bytes = await read(scanBytes + matroskaHeadBytes, at)
    for (let i = bytes.indexOf(matroskaHead); i >= 0; i = bytes.indexOf(matroskaHead, i + 1)) {
      const head = bytes.toString('latin1', i, i + matroskaHeadBytes)
      if (/\x42\x82.{1,8}(?:matroska|webm)/s.test(head)) return at + i
    }
  }
  return Number.POSITIVE_INFINITY
}

/** MP3, AAC, Ogg and others that consist of frames. ffmpeg looks behind one tag for the format; an MP3 may have several. */
async function framesEnd(file: string, read: Read, size: number): Promise<End> {
  let start = 0
  let tags = 0
  for (let length = 1; length > 0 && tags <= maxTags; start += length) {
    length = tagBytes(Buffer.concat([await read(32, start), Buffer.alloc(32)]), 0)
    if (length > 0) tags++
  }
  const found = await findFrames(read, size, start)
  if (!found) return { isTruncated: undefined }
  const { name } = found.kind
  // Such an MP3 tells how long it is.
  const isCounted = /Xing|Info|VBRI/.test((await read(200, start)).toString('latin1'))
  const damageOf = ({ isCut, strayShare, hasTags, isFollowed }: Frames): Damage => ({
    isTruncated: (isCut && !isCounted) || (name === 'ogg' || name === 'gsm' ? false : undefined),
    strayShare,
    hasTags,
    isFollowed,
  })
  if (name === 'ogg') {
    const pages = new OggPages()
    const frames = await found.walk((bytes, at) => pages.add(bytes, at))
    const { isJoined } = frames
    return { ...damageOf(frames), isJoined, ...(!isJoined && { pages: pages.pages }) }
  }
  if (name === 'aac') {
    const frames = await found.walk()
    // ffmpeg 4 and older give an AAC up at the first other byte; their readers of other formats go on behind it.
    const isMixed = frames.strayShare > 0 || frames.hasTags
    return { ...damageOf(frames), ...(isMixed && { inputOptions: ['-f', 'ac3', '-c:a', 'aac'] }) }
  }
  let damage: Promise<Damage> | undefined
  return {
    isTruncated: undefined,
    ...frameOptions(name, tags),
    readAll(signal) {
      damage ??= withFile(
        file,
        async read => damageOf(await (await findFrames(read, size, start))!.walk()),
        signal,
      ).catch(error => {
        // Another reader may not have been cancelled.
        damage = undefined
        throw error
      })
      return damage
    },
  }
}

function frameOptions(kind: FrameKind['name'], tags: number): Pick<Container, 'inputOptions'> {
  if (kind === 'ps' || kind === 'flv') return { inputOptions: longLook }
  return kind === 'gsm' || (kind === 'mp3' && tags > 1) ? { inputOptions: ['-f', kind] } : {}
}

/** WAV, AIFF, Core Audio, Sun and FLAC files; MP3 and AAC by a tag or the sync word of their first frame. */
function hasClock(head: string): boolean {
  const isPlain = /^(?:RIFF....WAVE|RF64|FORM|caff|\.snd|fLaC|ID3|\xff[\xe0-\xff])/s
  return !isPlain.test(head)
}
