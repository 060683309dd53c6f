// JSON output: the whole transcript, with keys in snake case.

import type { Formatting, Segment, Transcript } from '../domain/transcript.ts'
import { slices } from '../domain/waiting/turns.ts'
import { allWarnings, preferFormatted } from './shown-segments.ts'
import { renderPlainText } from './text.ts'

/** Renders a transcript as JSON. With formatted text, `segments` are formatted and `raw_segments` as recognised. */
export async function json(transcript: Transcript): Promise<string> {
  const { createdAt, segments, formatted, ...rest } = transcript
  const whole = {
    ...(snakeCase({ ...rest, warnings: allWarnings(transcript), createdAt }) as object),
    ...(formatted && { formatted: formattingSummary(formatted) }),
    text: await renderPlainText(transcript),
  }
  const lists = [
    `"segments": ${await segmentList(preferFormatted(transcript).segments)}`,
    ...(formatted ? [`"raw_segments": ${await segmentList(segments)}`] : []),
  ]
  return `${JSON.stringify(whole, undefined, 1).slice(0, -2)},\n ${lists.join(',\n ')}\n}\n`
}

/** As `JSON.stringify` renders it within an object. The keys of segments are single words. */
async function segmentList(segments: Segment[]): Promise<string> {
  const parts: string[] = []
  // A call for each segment takes twice as long.
  for await (const slice of slices(segments, 4))
    parts.push(JSON.stringify(slice, undefined, 1).slice(1, -2).replaceAll('\n', '\n '))
  return parts.length > 0 ? `[${parts.join(',')}\n ]` : '[]'
}

/** Returns the summary of a formatting, without text and warnings. */
export function formattingSummary(formatting: Formatting): Record<string, unknown> {
  const { style, models, changed, paragraphs, kept, pieces, failed, removed, usage } = formatting
  return {
    style,
    models,
    changed,
    paragraphs,
    kept,
    ...(failed > 0 && { pieces, failed }),
    // The keys are fillers, not field names, and stay unchanged.
    ...(Object.keys(removed).length > 0 && { removed }),
    usage: snakeCase(usage),
  }
}

/** Renames the keys of an object to snake case, recursively; values stay unchanged. */
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
