// Hashes by which work is known again: of a recording's bytes, and of the samples of a chunk.
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Checkpoints, Recognition } from '../../domain/ports.ts'

/** What a chunk is recognised with: another model, language or context may hear other words. */
export interface AsrOptions {
  model: string
  language?: string
  context?: string
}

/** What is kept of a chunk. */
export interface CachedRecognition extends Recognition {
  /** Seconds of audio that were sent for it. */
  seconds: number
}

export function chunkKey(samples: Int16Array, { model, language = '', context = '' }: AsrOptions): string {
  const audio = sha256().update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
  return `chunk:${sha256()
    .update(JSON.stringify([audio.digest('hex'), model, language, context]))
    .digest('hex')}`
}

/** Chunk keys lead to nothing else; still, what another version may have written is looked at before it is believed. */
export function isCachedRecognition(value: unknown): value is CachedRecognition {
  const heard = value as Partial<CachedRecognition> | null | undefined
  return typeof heard?.text === 'string' && typeof heard.seconds === 'number'
}

/** Larger pieces mean fewer turns of the event loop, smaller ones shorter turns. */
const pieceBytes = 1 << 20
/** A file changed so shortly ago may change again within the same tick of its clock. */
const unsettled = 100

/** Files that are being read at the moment: a flood of calls for one recording reads it once. */
const underWay = new Map<string, { digest: Promise<string>; stop: AbortController; waiting: number }>()

/**
 * Hash of a file's bytes. It is remembered by path, size and times, so that a recording of hours is read once. Throws
 * what the system throws.
 */
export async function contentHash(
  file: string,
  checkpoints: Checkpoints,
  signal: AbortSignal,
): Promise<string> {
  const { size, mtimeNs, ctimeNs, mtimeMs } = await stat(file, { bigint: true })
  const key = `file:${sha256().update([file, size, mtimeNs, ctimeNs].join('\0')).digest('hex')}`
  const known = await checkpoints.get(key)
  if (typeof known === 'string') return known
  const digest = await shared(key, file, signal)
  if (Date.now() - Number(mtimeMs) > unsettled) await checkpoints.put(key, digest)
  return digest
}

/** The reading goes on as long as anybody waits for it. */
async function shared(key: string, file: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  let reading = underWay.get(key)
  if (!reading) {
    const stop = new AbortController()
    reading = { digest: read(file, stop.signal), stop, waiting: 0 }
    underWay.set(key, reading)
  }
  const { digest, stop } = reading
  reading.waiting++
  try {
    return await unlessAborted(digest, signal)
  } finally {
    if (--reading.waiting === 0) {
      if (underWay.get(key) === reading) underWay.delete(key)
      stop.abort()
    }
  }
}

async function read(file: string, signal: AbortSignal): Promise<string> {
  const hash = sha256()
  for await (const piece of createReadStream(file, { highWaterMark: pieceBytes, signal })) hash.update(piece)
  return hash.digest('hex')
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

export function textHash(...parts: (string | Uint8Array)[]): string {
  const hash = sha256()
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function sha256(): Hash {
  return createHash('sha256')
}
