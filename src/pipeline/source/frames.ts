// Finds bytes that are no frame in a file of frames that follow each other, and a last frame that is cut.
import type { Read } from './file-layout.ts'
import { type FrameKind, frameHeaderBytes, frameKinds } from './frame-kinds.ts'

export interface Frames {
  /** True where the file ends within a frame. */
  isCut: boolean
  /** Share of the bytes that belong to no frame; 1 where no such byte may be. */
  strayShare: number
  /** True where a tag follows a frame: a decoder may take it for sound. */
  hasTags: boolean
  /** True where another file begins behind the first frames. */
  isJoined: boolean
  /** True where ffmpeg skips it. */
  isFollowed: boolean
}

const bufferBytes = 2 ** 18
/** Where files were joined, a partial frame may stand between them; where they end, padding. */
const minStrayFrames = 3
const minStrayTailBytes = 10_000

export interface FrameWalk {
  kind: FrameKind
  /** Reads the file to its end. `onFrame` is called for each frame, of which its head is in the bytes. */
  walk(onFrame?: (bytes: Buffer, at: number) => void): Promise<Frames>
}

/** Undefined where the first frames, at `start`, are of no known kind. */
export async function findFrames(read: Read, size: number, start: number): Promise<FrameWalk | undefined> {
  const bytes = Buffer.alloc(bufferBytes + frameHeaderBytes)
  let from = 0
  let usable = 0
  /** Undefined where the bytes have to be read first. */
  const lengthAt = (at: number, { frameBytes, start }: FrameKind) => {
    const i = at - from
    if (i < 0 || i >= usable) return undefined
    const isStart = start && startsWith(bytes, i, start[0])
    return isStart ? start[1] : frameBytes(bytes, i) || tagBytes(bytes, i)
  }
  const load = async (at: number) => {
    const { length } = await read(bufferBytes, at, bytes)
    bytes.fill(0, length, length + frameHeaderBytes)
    from = at
    usable = at + length < size ? length - frameHeaderBytes : length
  }
  const findLength = async (at: number, kind: FrameKind): Promise<number> => {
    const length = lengthAt(at, kind)
    if (length !== undefined) return length
    if (at >= size) return 0
    await load(at)
    return lengthAt(at, kind)!
  }
  const areFrames = async (at: number, kind: FrameKind, isAtStart = false) => {
    let position = at
    if (isAtStart && kind.start && !startsWith(await read(16, at), 0, kind.start[0])) return false
    for (let i = kind.evidence ?? 2; i > 0 && (isAtStart || position < size); i--) {
      const length = await findLength(position, kind)
      if (length === 0) return false
      position += length
    }
    return true
  }
  const kind = await find(frameKinds, each => areFrames(start, each, true))
  return kind && { kind, walk: onFrame => walkFrames(kind, onFrame) }

  async function walkFrames(kind: FrameKind, onFrame?: Parameters<FrameWalk['walk']>[0]): Promise<Frames> {
    let stray = 0
    let strayFrom: number | undefined
    let at = start
    let end = start
    let length = 0
    let isTag = false
    let hasTags = false
    let isHead = true
    let isJoined = false
    let isFollowed = false
    while (at < size) {
      const found = lengthAt(at, kind) ?? (await findLength(at, kind))
      if (found === 0 || (strayFrom !== undefined && !(await areFrames(at, kind)))) {
        strayFrom ??= at
        at++
        continue
      }
      isTag = tagBytes(bytes, at - from) > 0
      hasTags ||= isTag
      // Bytes before a tag are a tag without a mark of its own.
      if (strayFrom !== undefined && !isTag && (kind.isExact || at - strayFrom > minStrayFrames * length))
        stray += at - strayFrom
      strayFrom = undefined
      const wasHead = isHead
      isHead = kind.isHead?.(bytes, at - from) ?? false
      isJoined ||= isHead && !wasHead
      isFollowed ||= kind.name === 'flv' && at > start && startsWith(bytes, at - from, 'FLV')
      if (!isTag) onFrame?.(bytes, at - from)
      length = found
      end = at += found
    }
    if (size - end > minStrayTailBytes) stray += size - end
    const hasTail = /^TAG|APETAGEX.{24}$/s.test((await read(128, size - 128)).toString('latin1'))
    return {
      isCut: end > size && !isTag && !hasTail,
      strayShare: kind.isExact && stray > 0 ? 1 : stray / size,
      hasTags: hasTags || hasTail,
      isJoined,
      isFollowed,
    }
  }
}

async function find<T>(all: readonly T[], test: (each: T) => Promise<boolean>): Promise<T | undefined> {
  for (const each of all) if (await test(each)) return each
  return undefined
}

/** Length of an ID3 or APE tag; 0 where there is none. */
export function tagBytes(bytes: Buffer, at: number): number {
  if (startsWith(bytes, at, 'ID3'))
    return 10 + bytes.subarray(at + 6, at + 10).reduce((length, byte) => length * 128 + (byte & 127), 0)
  if (startsWith(bytes, at, 'TAG')) return 128
  return startsWith(bytes, at, 'APETAGEX') ? 32 + bytes.readUInt32LE(at + 12) : 0
}

/** Most bytes of damage are decided by the first comparison. */
function startsWith(bytes: Buffer, at: number, text: string): boolean {
  return bytes[at] === text.charCodeAt(0) && bytes.toString('latin1', at, at + text.length) === text
}
