// The whole transcript as JSON, in snake case like everything on the wire.
import type { Formatting, Transcript } from '../domain/transcript.ts'
import { plainText } from './readable.ts'
import { allWarnings, preferFormatted } from './reading.ts'

/** Where the text was formatted, `segments` are what that made of it, and `raw_segments` are as they were recognised. */
export function json(transcript: Transcript): string {
  const { createdAt, segments, formatted, ...rest } = transcript
  const whole = {
    ...(snakeCase({ ...rest, warnings: allWarnings(transcript), createdAt }) as object),
    ...(formatted && { formatted: formattingSummary(formatted) }),
    text: plainText(transcript),
    segments: snakeCase(preferFormatted(transcript).segments),
    ...(formatted && { raw_segments: snakeCase(segments) }),
  }
  return `${JSON.stringify(whole, undefined, 1)}\n`
}

/** What was done to a text, without the text and what is to be said of it. */
export function formattingSummary(formatting: Formatting): Record<string, unknown> {
  const { style, models, changed, paragraphs, kept, pieces, failed, removed, usage } = formatting
  return {
    style,
    models,
    changed,
    paragraphs,
    kept,
    ...(failed > 0 && { pieces, failed }),
    // Fillers are words, not names of fields: they stay as they are.
    ...(Object.keys(removed).length > 0 && { removed }),
    usage: snakeCase(usage),
  }
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
