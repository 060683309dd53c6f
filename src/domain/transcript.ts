// The transcript of a recording. Times are seconds from its start, with millisecond precision.
// Transcripts are stored as JSON: the names of their properties are part of the storage format.

export interface Span {
  start: number
  end: number
}

/** Seconds of all spans together. */
export function secondsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0)
}

export interface Word extends Span {
  text: string
}

/** A stretch of speech of about one sentence. */
export interface Segment extends Span {
  text: string
  /** True where the provider gave no times, so that they are derived from voice activity. */
  estimated: boolean
  /** ISO code of the language recognised in this stretch. */
  language?: string
  words?: Word[]
  /** Id of the speaker (`S1`); null where unknown. Absent in a transcript without speakers. */
  speaker?: string | null
  /** Confidence that the speaker is right, from 0 to 1. */
  confidence?: number
  /** True where the segment begins a paragraph. Always set in formatted text, absent elsewhere. */
  opens?: boolean
}

/** A speaker of the recording, numbered by first appearance. */
export interface Speaker {
  id: string
  /** Name given by a user; without one the id is shown. */
  name?: string
  /**
   * Stable key of the speaker, by which names survive a renumbering: the recognition, and the speaker's number or channel
   * in it. Stored, never shown; absent in transcripts of older versions.
   */
  voice?: string
  /** Title of the track that this speaker has alone, shown until a name is given. */
  track?: string
  /** Total time spoken. */
  seconds: number
  /** Share of all speech that has a speaker, from 0 to 1. */
  share: number
}

/** Quality of the alignment of two recognitions: the one with speakers (diarization) and the one with the text. */
export interface Alignment {
  /** Seconds by which the diarization's times were ahead of the text's times; already corrected. */
  offset: number
  /** Share of the words, from 0 to 1, that both recognitions have alike. */
  matched: number
  /** Share of the words that have no speaker. */
  unassigned: number
  /** Share of the words whose speaker was assigned by time alone. */
  timeOnly: number
}

/** Object storage from which the provider fetched the recording: the user's bucket, or the provider's 48-hour storage. */
export type UploadMethod = 'bucket' | 'temporary' | 'served'

/** A stretch of speech without text, and the reason. */
export interface Gap extends Span {
  reason: string
}

export interface Coverage {
  /** Seconds of detected speech. */
  speechSeconds: number
  /** Seconds of it in chunks whose sound is mostly no speech to the ear: music, tones, noise. Absent: none. */
  unspokenSeconds?: number
  /** Seconds of that speech that have text, or were recognised as empty. */
  transcribedSeconds: number
  gaps: Gap[]
}

export interface Usage {
  /** Seconds of audio sent to the provider for this request, in all attempts. */
  audioSeconds: number
  /** Seconds served from the results of earlier requests, at no cost. */
  cachedSeconds: number
  /** Tokens, where a model is priced by them. */
  inputTokens?: number
  outputTokens?: number
  /** US dollars; absent when the model's price is not known. */
  costUsd?: number
  /** Upper bound of the cost of the whole recording, in US dollars; only while the job runs. */
  estimatedCostUsd?: number
}

/** How text is formatted: `faithful` keeps every spoken word, `clean` drops the fillers of a fixed list. */
export type Style = 'faithful' | 'clean'

/** Summary of the formatting of a text. */
export interface Formatting {
  style: Style
  /** Models that wrote it, the most used one first; empty where no request was made. */
  models: string[]
  /** Share of the words, from 0 to 1, that changed in appearance: by a capital, by punctuation, or removed as a filler. */
  changed: number
  /** Number of paragraphs in the models' answers. */
  paragraphs: number
  /** Number of those that keep the original text because the answer changed words. */
  kept: number
  /** Number of pieces in which the text was sent. */
  pieces: number
  /** Number of those without an answer; they keep the original text. */
  failed: number
  /** Number of removals per filler; empty unless the style is `clean`. */
  removed: Record<string, number>
  /** Usage of the whole formatting, including answers served from cache. */
  usage: { inputTokens: number; outputTokens: number; costUsd?: number }
  /** Sentences for the reader: why parts were not formatted. */
  warnings: string[]
}

/** Formatted text of a transcript, kept beside the recognised segments, which never change. */
export interface FormattedSegments extends Formatting {
  /** The same words, times and speakers as recognised, in segments of about one sentence. */
  segments: Segment[]
  /** `segmentsHash` of the recognised segments it was made from; if they change, it is outdated and not shown. */
  of: string
}

/** `running`, `failed` and `cancelled` describe a transcript of the parts recognised so far. */
export type TranscriptStatus = 'completed' | 'partial' | 'running' | 'failed' | 'cancelled'

export interface Transcript {
  id: string
  title: string
  /** ISO 8601, UTC. */
  createdAt: string
  /** `partial` with at least one gap. While the job runs, the audio not yet recognised counts as a gap too. */
  status: TranscriptStatus
  /** ISO code of the language of most of the speech. */
  language?: string
  /** Length of the whole recording in seconds, silence included. */
  duration: number
  model: string
  segments: Segment[]
  /** Present where the text was formatted. Stored separately and attached when the transcript is read. */
  formatted?: FormattedSegments
  /** In order of first appearance. Absent where speakers were not requested, empty where none could be distinguished. */
  speakers?: Speaker[]
  alignment?: Alignment
  /** Absent where the recording was sent in chunks. */
  upload?: UploadMethod
  coverage: Coverage
  usage: Usage
  /** Sentences for the reader: assumptions, truncations and doubts. */
  warnings: string[]
}

/** Fields of a transcript that a list shows. */
export type TranscriptSummary = Pick<
  Transcript,
  'id' | 'title' | 'createdAt' | 'status' | 'language' | 'duration'
>

/** Begins a warning that belongs to the copy in memory, and must not be stored. */
export const unsavedWarning = 'The transcript could not be stored and is lost when the server ends.'

export function isUnsavedWarning(warning: string): boolean {
  return warning.startsWith(unsavedWarning)
}

/** Rounds seconds to the millisecond, the precision of all times in a transcript. */
export function roundToMs(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** The transcript as it was recognised, and as it is stored: without the formatted text. */
export function withoutFormatted<T extends Transcript>({
  formatted: _,
  ...recognised
}: T): Omit<T, 'formatted'> {
  return recognised
}

/** US dollars for recognition and text; undefined where a price is not known. */
export function costOf({ usage, formatted }: Pick<Transcript, 'usage' | 'formatted'>): number | undefined {
  const textUsd = formatted ? formatted.usage.costUsd : 0
  return usage.costUsd === undefined || textUsd === undefined ? undefined : usage.costUsd + textUsd
}
