// The transcript as the page shows it: rows in order of time, with the places and times of their words.

import { createHash } from 'node:crypto'
import { asLine, withoutControls } from '../domain/text.ts'
import type { Segment, Transcript } from '../domain/transcript.ts'
import { mapInTurns } from '../domain/waiting/turns.ts'
import { allWarnings, preferFormatted } from '../formats/shown-segments.ts'
import { labelOf } from '../formats/speakers.ts'
import { timedWords } from '../formats/timed-words.ts'
import type { ViewerData, ViewerRow } from './page/contract.ts'

/** Below it, the speaker of a sentence is marked as uncertain. */
const minConfidence = 0.5

/** `formats`: names of the formats that the page may offer. */
export async function viewerData(transcript: Transcript, formats: readonly string[]): Promise<ViewerData> {
  const { segments, coverage, speakers = [], ...shown } = preferFormatted(transcript)
  const indexOf = new Map(speakers.map(({ id }, i) => [id, i]))
  const label = labelOf(transcript)
  const spoken = await mapInTurns(segments, segment => rowOf(segment, indexOf))
  const gaps = coverage.gaps.map(({ start, end, reason }): ViewerRow => {
    return { start, end, text: asLine(reason), isGap: true, words: [] }
  })
  return {
    id: shown.id,
    revision: revisionOf(transcript),
    title: asLine(shown.title),
    status: shown.status,
    ...(shown.language && { language: shown.language }),
    duration: shown.duration,
    createdAt: shown.createdAt,
    speakers: speakers.map(({ id, share }) => ({ id, label: asLine(label({ speaker: id })!), share })),
    rows: [...spoken, ...gaps].sort((one, other) => one.start - other.start),
    warnings: allWarnings(transcript).map(asLine),
    formats: [...formats],
  }
}

/** Differs for each change of the transcript. */
export function revisionOf(transcript: Transcript): string {
  return createHash('sha256').update(JSON.stringify(transcript)).digest('base64url').slice(0, 22)
}

function rowOf(segment: Segment, indexOf: ReadonlyMap<string, number>): ViewerRow {
  const { start, end, estimated, speaker, confidence } = segment
  const text = withoutControls(segment.text)
  return {
    start,
    end,
    text,
    ...(speaker !== undefined && { speaker: speaker === null ? -1 : (indexOf.get(speaker) ?? -1) }),
    ...(confidence !== undefined && confidence < minConfidence && { isDoubtful: true as const }),
    ...(estimated && { isEstimated: true as const }),
    words: placedWords({ ...segment, text }),
  }
}

/** Words are found in the text of the row; where they differ from it, its own text is spread over its time. */
function placedWords(segment: Segment): number[] {
  const placed = place(segment)
  if (placed) return placed
  const { words: _, ...whole } = segment
  return place(whole) ?? []
}

function place(segment: Segment): number[] | undefined {
  const places: number[] = []
  let behind = 0
  for (const { text, start, end } of timedWords(segment)) {
    const from = segment.text.indexOf(text, behind)
    if (from < 0) return undefined
    behind = from + text.length
    places.push(from, behind, msFrom(segment.start, start), msFrom(segment.start, end))
  }
  return places
}

const msFrom = (start: number, seconds: number) => Math.round((seconds - start) * 1000)
