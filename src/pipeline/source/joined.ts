// Files coded without loss and joined byte by byte: what ffmpeg would lose behind the first of them.
import type { Read } from './file-layout.ts'
import type { Piece } from './mend.ts'

interface Joined {
  /** Read instead of the file. */
  mended?: Piece[]
  /** ffmpeg does not read what is behind the first recording. */
  isFollowed?: boolean
}

interface Stretch {
  start: number
  end: number
}

const scanBytes = 2 ** 20
/** More of a kind are no recordings, but a file that pretends. */
const maxFound = 1_000
const maxTtaFrames = 1_000_000

/** Nothing where the file holds one recording, or is of another format. */
export async function findJoined(head: Buffer, read: Read, size: number): Promise<Joined> {
  const format = head.toString('latin1', 0, 4)
  if (format === 'fLaC') return { mended: await joinFlac(read, size) }
  if (format === 'wvpk') return { mended: without(await tagsWithinWavPack(read, size), size) }
  return format === 'TTA1' ? { isFollowed: await isTtaFollowed(head, read, size) } : {}
}

const flacMarker = Buffer.from('fLaC')
/** Of the stream's description, which is the first block. */
const flacDescriptionBytes = 34
const flacFormatAt = 18
const flacHeadBytes = 42

/** Older ffmpegs lose frames in front of a second header. Of other rates or channels, it is needed. */
async function joinFlac(read: Read, size: number): Promise<Piece[] | undefined> {
  const starts = await findAll(flacMarker, read, size)
  const heads: Stretch[] = []
  let format: Buffer | undefined
  for (const start of starts) {
    const bytes = await read(flacHeadBytes, start)
    if (bytes.length < flacHeadBytes || (bytes.readUInt32BE(4) & 0x7fff_ffff) !== flacDescriptionBytes)
      continue
    const own = Buffer.from(bytes.subarray(flacFormatAt, flacFormatAt + 3))
    format ??= own
    if (own.equals(format)) heads.push({ start, end: await flacHeadEnd(read, start, size) })
  }
  const [first, ...others] = heads.filter(({ start }, i) => start >= (heads[i - 1]?.end ?? 0))
  if (!first || first.start > 0 || others.length === 0) return undefined
  const bytes = Buffer.from(await read(flacHeadBytes, 0))
  // The number of samples: 0 is unknown. ffmpeg would take that of the first recording for the length.
  bytes[21]! &= 0xf0
  bytes.fill(0, 22, 26)
  return [
    bytes,
    ...without(others, size)!.map((piece, i) => (i === 0 ? { ...piece, start: bytes.length } : piece)),
  ]
}

async function flacHeadEnd(read: Read, start: number, size: number): Promise<number> {
  let at = start + 4
  for (let isLast = false, i = 0; !isLast && at < size && i < maxFound; i++) {
    const bytes = await read(4, at)
    if (bytes.length < 4) break
    isLast = bytes[0]! >= 0x80
    at += 4 + bytes.readUIntBE(1, 3)
  }
  return at
}

/** APE tags with sound behind them, where ffmpeg would end. */
async function tagsWithinWavPack(read: Read, size: number): Promise<Stretch[]> {
  const found: Stretch[] = []
  for (const at of await findAll(Buffer.from('APETAGEX'), read, size)) {
    const bytes = await read(36, at)
    // A footer: its tag ends, and the next recording begins.
    if (bytes.toString('latin1', 32) !== 'wvpk' || bytes[23]! & 0x20) continue
    const hasHeader = bytes[23]! & 0x80
    const end = at + 32
    const start = end - bytes.readUInt32LE(12) - (hasHeader ? 32 : 0)
    if (start >= (found.at(-1)?.end ?? 0)) found.push({ start, end })
  }
  return found
}

/** The header of TTA tells how many frames there are, and the table behind it how long each is. */
async function isTtaFollowed(head: Buffer, read: Read, size: number): Promise<boolean> {
  const tableAt = 22
  const frameSamples = Math.floor((256 * head.readUInt32LE(10)) / 245)
  const count = Math.ceil(head.readUInt32LE(14) / Math.max(1, frameSamples))
  if (count > maxTtaFrames) return false
  const table = await read(4 * count, tableAt)
  let end = tableAt + table.length + 4
  for (let at = 0; at + 4 <= table.length; at += 4) end += table.readUInt32LE(at)
  return end < size && (await read(scanBytes, end)).includes('TTA1')
}

async function findAll(marker: Buffer, read: Read, size: number): Promise<number[]> {
  const found: number[] = []
  const buffer = Buffer.alloc(scanBytes + marker.length - 1)
  for (let at = 0; at < size && found.length < maxFound; at += scanBytes) {
    const bytes = await read(buffer.length, at, buffer)
    for (let i = bytes.indexOf(marker); i >= 0 && found.length < maxFound; i = bytes.indexOf(marker, i + 1))
      found.push(at + i)
  }
  return found
}

/** The rest of the file; undefined where nothing is left out. */
function without(stretches: readonly Stretch[], size: number): { start: number; end: number }[] | undefined {
  if (stretches.length === 0) return undefined
  const starts = [0, ...stretches.map(({ end }) => end)]
  const ends = [...stretches.map(({ start }) => start), size]
  return starts.map((start, i) => ({ start, end: ends[i]! })).filter(({ start, end }) => end > start)
}
