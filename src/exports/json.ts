// The whole transcript as JSON, in snake case like everything on the wire.
import type { Transcript } from '../domain/transcript.ts'
import { plainText } from './readable.ts'

export function json(transcript: Transcript): string {
  const { createdAt, segments, ...rest } = transcript
  return `${JSON.stringify(snakeCase({ ...rest, createdAt, text: plainText(transcript), segments }), undefined, 1)}\n`
}

/** Renames the keys of an object and of everything inside it; values stay as they are. */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  )
}
