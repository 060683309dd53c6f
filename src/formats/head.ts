// The head of a document above its text: facts about the recording, its speakers, and notes for the reader.
import { formatTime } from '../domain/format-time.ts'
import { languageName } from '../domain/languages.ts'
import type { Transcript, TranscriptStatus } from '../domain/transcript.ts'
import { allWarnings } from './shown-segments.ts'
import { speakerShares, unknownSpeakerNote } from './speakers.ts'

export interface DocumentHead {
  facts: string[]
  /** Why something is missing; absent in a complete transcript. */
  missing?: string
  /** Names and shares; absent without speakers. */
  speakers?: string
  notes: string[]
}

export function documentHead(transcript: Transcript): DocumentHead {
  const { createdAt, duration, language, status, speakers, coverage, formatted } = transcript
  const note = statusNote(status)
  const gaps = coverage.gaps.length
  return {
    facts: [
      `Transcript of ${formatTime(duration)}`,
      ...(language ? [languageName(language)] : []),
      `created ${createdAt.slice(0, 10)}`,
      ...(formatted?.models.length ? [`formatted by ${formatted.models.join(', ')}`] : []),
    ],
    ...(note && { missing: `${note}${gaps ? `: ${gaps} gap(s)` : ''}` }),
    ...(speakers?.length && { speakers: `Speakers: ${speakerShares(speakers)}` }),
    notes: [...unknownSpeakerNote(transcript), ...allWarnings(transcript)],
  }
}

const statusNotes: Record<TranscriptStatus, string | undefined> = {
  completed: undefined,
  partial: 'incomplete',
  running: 'still being transcribed',
  failed: 'incomplete, since it failed',
  cancelled: 'incomplete, since it was cancelled',
}

/** Says in a few words why a transcript is incomplete; undefined for a complete one. */
export function statusNote(status: TranscriptStatus): string | undefined {
  return statusNotes[status]
}
