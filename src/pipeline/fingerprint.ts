// Hashes by which work is known again: of a recording's bytes, and of the samples of a chunk.
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Checkpoints, Recognition } from '../domain/ports.ts'

/** What a chunk is recognised with: another model, language or context may hear other words. */
export interface Asked {
  model: string
  language?: string
  context?: string
}

/** What is kept of a chunk. */
export interface Heard extends Recognition {
  /** Seconds of audio that were sent for it. */
  seconds: number
}

export function chunkKey(samples: Int16Array, { model, language = '', context = '' }: Asked): string {
  const audio = sha256().update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
  return `chunk:${sha256()
    .update(JSON.stringify([audio.digest('hex'), model, language, context]))
    .digest('hex')}`
}

/** Chunk keys lead to nothing else; still, what another version may have written is looked at before it is believed. */
export function isHeard(value: unknown): value is Heard {
  const heard = value as Partial<Heard> | null | undefined
  return typeof heard?.text === 'string' && typeof heard.seconds === 'number'
}

/** Larger pieces mean fewer turns of the event loop, smaller ones shorter turns. */
const pieceBytes = 1 << 20
/** A file changed so shortly ago may change again within the same tick of its clock. */
const unsettled = 100

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
  const known = await checkpoints.recall(key)
  if (typeof known === 'string') return known
  const hash = sha256()
  for await (const piece of createReadStream(file, { highWaterMark: pieceBytes, signal })) hash.update(piece)
  const digest = hash.digest('hex')
  if (Date.now() - Number(mtimeMs) > unsettled) await checkpoints.keep(key, digest)
  return digest
}

export function textHash(...parts: (string | Uint8Array)[]): string {
  const hash = sha256()
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function sha256(): Hash {
  return createHash('sha256')
}
