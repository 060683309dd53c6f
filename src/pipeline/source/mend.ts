// Writes a copy of a recording whose lengths ffmpeg refuses or believes too much.
import { createReadStream, createWriteStream } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Run } from '../../domain/run.ts'
import type { Part, Read } from './file-layout.ts'

/** Bytes, or those of the file from `start` to `end`. */
export type Piece = Buffer | { start: number; end: number }

const maxHeadBytes = 10_000_000

/** Path of the copy, in the scratch folder. */
export async function writeMended(
  file: string,
  pieces: readonly Piece[],
  run: Pick<Run, 'signal' | 'scratch'>,
): Promise<string> {
  const copy = join(await run.scratch(), 'mended')
  await writeFile(copy, '', { mode: 0o600 })
  for (const piece of pieces)
    if (Buffer.isBuffer(piece)) await appendFile(copy, piece)
    else
      await pipeline(
        createReadStream(file, { start: piece.start, end: piece.end - 1 }),
        createWriteStream(copy, { flags: 'a' }),
        { signal: run.signal },
      )
  return copy
}

/** A WAV with several `data` chunks, or several joined, of which ffmpeg reads one: all chunks behind one header. */
export async function mendWav(
  parts: readonly Part[],
  read: Read,
  size: number,
): Promise<Piece[] | undefined> {
  const [format, ...others] = parts.filter(({ name }) => name === 'fmt ')
  const sound = parts.filter(({ name, isOpen, start, end }) => name === 'data' && (isOpen || end > start + 8))
  const [first] = parts.filter(({ name }) => name === 'data')
  if (!format || !first || sound.length < 2 || first.start > maxHeadBytes) return undefined
  const [bytes, ...differing] = await Promise.all([format, ...others].map(({ start }) => read(8 + 16, start)))
  if (differing.some(other => !other.equals(bytes!))) return undefined
  const head = await read(first.start + 8, 0)
  const frameBytes = Math.max(1, head.readUInt16LE(format.start + 8 + 12))
  const pieces = sound.map(({ start, end, isOpen }) => {
    const length = (isOpen ? size : Math.min(end, size)) - start - 8
    return { start: start + 8, end: start + 8 + length - (length % frameBytes) }
  })
  const total = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
  head.writeUInt32LE(Math.min(total, 0xffff_ffff), first.start + 4)
  return [head, ...pieces.filter(({ start, end }) => end > start)]
}

/** An AIFF whose lengths are unknown, 0, or end within the sound. */
export async function mendAiff(
  parts: readonly Part[],
  isTooShort: boolean,
  read: Read,
  size: number,
): Promise<Piece[] | undefined> {
  const sound = parts.find(({ name }) => name === 'SSND')
  const common = parts.find(({ name }) => name === 'COMM')
  if (!sound || !common || sound.start > maxHeadBytes) return undefined
  const head = await read(sound.start + 8, 0)
  if (!sound.isOpen && !isTooShort && head.readUInt32BE(4) > 0) return undefined
  const end = sound.isOpen || isTooShort ? size : sound.end
  head.writeUInt32BE(Math.min(end - 8, 0x7fff_ffff), 4)
  head.writeUInt32BE(Math.min(end - sound.start - 8, 0x7fff_ffff), sound.start + 4)
  // The number of frames: ffmpeg takes the length from it, unless it is 0.
  head.writeUInt32BE(0, common.start + 8 + 2)
  return [head, { start: sound.start + 8, end }]
}

/** Matroska files joined to one, with unknown lengths instead of these. */
export function withoutLengths(lengths: readonly { start: number; end: number }[], size: number): Piece[] {
  let at = 0
  const pieces = lengths.flatMap(({ start, end }) => {
    const unknown = Buffer.alloc(end - start, 0xff)
    unknown[0] = 0xff >> (end - start - 1)
    const before = { start: at, end: start }
    at = end
    return [before, unknown]
  })
  return [...pieces, { start: at, end: size }]
}
