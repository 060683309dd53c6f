// Content hashes that identify earlier work: of a recording's bytes, and of a chunk's samples.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import pLimit from 'p-limit'
import type { Checkpoints, RecognisedWord, Recognition } from '../../domain/ports.ts'
import { isTurnOver, nextTurn } from '../../domain/waiting/turns.ts'
import { unlessAborted } from '../../domain/waiting/unless-aborted.ts'
import { fileBlocks } from '../../system/file-blocks.ts'
import { blocksOf, bytesOf, type Samples } from './cut/sample-memory.ts'

/** Options of a recognition; another model, language or context may give other words. */
export interface AsrOptions {
  model: string
  /** ISO code; absent: detect. */
  language?: string
  context?: string
}

/** Checkpoint of a recognised chunk. */
export interface CachedRecognition extends Recognition {
  /** Seconds of audio that were sent for it. */
  seconds: number
}

/** Takes turns of the event loop: a chunk has up to 5 MB. */
export async function chunkKey(
  samples: Samples,
  { model, language = '', context = '' }: AsrOptions,
): Promise<string> {
  const hash = createHash('sha256')
  for (const block of blocksOf(samples)) {
    if (isTurnOver()) await nextTurn()
    hash.update(bytesOf(block))
  }
  const audio = hash.digest('hex')
  return `chunk:${textHash(JSON.stringify([audio, model, language, context]))}`
}

/** Validates a checkpoint, which another version may have written. */
export function isCachedRecognition(value: unknown): value is CachedRecognition {
  const recognition = value as Partial<CachedRecognition> | null | undefined
  const { text, seconds, words = [], segments = [] } = recognition ?? {}
  return typeof text === 'string' && typeof seconds === 'number' && [words, segments].every(areTimed)
}

function areTimed(all: unknown): boolean {
  const isTimed = (one: Partial<RecognisedWord> | null) =>
    typeof one?.text === 'string' && Number.isFinite(one.start) && Number.isFinite(one.end)
  return Array.isArray(all) && all.every(isTimed)
}

/** A file modified more recently may change again within the same tick of its clock. */
const minFileAgeMs = 100

/** Reads of such files take turns: many at once would keep the disk and the event loop from everything else. */
const largeBytes = 64 << 20
const largeReads = pLimit(2)

interface PendingRead {
  digest: Promise<string>
  stop: AbortController
  waiting: number
}

/** Reads in progress, by checkpoint key: many calls for one recording read it once. */
const pendingReads = new Map<string, PendingRead>()

/**
 * Hash of a file's bytes. It is cached by path, size and times, so that a recording of hours is read once. Throws the
 * errors of the operating system.
 */
export async function contentHash(
  file: string,
  checkpoints: Checkpoints,
  signal: AbortSignal,
): Promise<string> {
  const { size, mtimeNs, ctimeNs, mtimeMs } = await stat(file, { bigint: true })
  const key = `file:${textHash([file, size, mtimeNs, ctimeNs].join('\0'))}`
  const known = await checkpoints.get(key)
  if (typeof known === 'string') return known
  const digest = await sharedRead(key, { file, size: Number(size) }, signal)
  if (Date.now() - Number(mtimeMs) > minFileAgeMs) await checkpoints.put(key, digest)
  return digest
}

/** Joins a read in progress or starts one; it stops when no caller waits for it. */
async function sharedRead(
  key: string,
  { file, size }: { file: string; size: number },
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  let pending = pendingReads.get(key)
  if (!pending) {
    const stop = new AbortController()
    const read = () => hashFile(file, stop.signal)
    pending = { digest: size > largeBytes ? largeReads(read) : read(), stop, waiting: 0 }
    pendingReads.set(key, pending)
  }
  const { digest, stop } = pending
  pending.waiting++
  try {
    return await unlessAborted(digest, signal)
  } finally {
    if (--pending.waiting === 0) {
      if (pendingReads.get(key) === pending) pendingReads.delete(key)
      stop.abort()
    }
  }
}

async function hashFile(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of fileBlocks(file, signal)) {
    if (isTurnOver()) await nextTurn()
    hash.update(block)
  }
  return hash.digest('hex')
}

export function textHash(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
