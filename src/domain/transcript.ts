// What a recording becomes. Times are seconds from its start, with millisecond precision.

export interface Span {
  start: number
  end: number
}

export interface Word extends Span {
  text: string
}

/** A sentence or so. */
export interface Segment extends Span {
  text: string
  /** True where the provider gave no times and they were worked out from speech activity. */
  estimated: boolean
  /** ISO code of what was heard in this stretch. */
  language?: string
  words?: Word[]
  /** Id of who says it (`S1`); null where nobody could tell. Absent in a transcript without speakers. */
  speaker?: string | null
  /** How sure the speaker is, from 0 to 1. */
  confidence?: number
  /** True where a paragraph begins with it; only in formatted text, which always says so. */
  opens?: boolean
}

/** Someone who speaks, numbered by first appearance. */
export interface Speaker {
  id: string
  /** Given by a person; otherwise the id is shown. */
  name?: string
  /**
   * By which the same one is known again where speakers are numbered anew: a hearing, and its number or channel. It is
   * stored and shown to nobody; absent in what an earlier version has stored.
   */
  voice?: string
  /** How long this one speaks. */
  seconds: number
  /** Of all speech that has a speaker, from 0 to 1. */
  share: number
}

/** How the two hearings of a recording, who spoke and what was said, went together. */
export interface Alignment {
  /** Seconds by which the clock of who spoke was ahead of that of what was said; it was taken out. */
  offset: number
  /** Share of the words, from 0 to 1, that both heard alike. */
  matched: number
  /** Share of the words that have no speaker. */
  unassigned: number
  /** Share of the words whose speaker rests on time alone. */
  timeOnly: number
}

/** Where a recording was put for the provider to fetch: the user's bucket, or the provider's store of two days. */
export type UploadMethod = 'bucket' | 'temporary'

/** A stretch of speech that has no text, and why. */
export interface Gap extends Span {
  reason: string
}

export interface Coverage {
  /** Seconds in which someone speaks. */
  speechSeconds: number
  /** Of those, the seconds that have text or were heard as empty. */
  transcribedSeconds: number
  gaps: Gap[]
}

export interface Usage {
  /** Seconds of audio that were sent to the provider for this order, in all attempts. */
  audioSeconds: number
  /** Seconds that were answered from the work of other orders, at no cost. */
  cachedSeconds: number
  /** US dollars; absent when the model's price is not known. */
  costUsd?: number
  /** US dollars that the whole recording would cost at most; while it is on its way. */
  estimatedCostUsd?: number
}

/** How text is made readable: with every word as it was spoken, or without the fillers of a written list. */
export type Style = 'faithful' | 'clean'

/** What was done to a text so that a person wants to read it. */
export interface Formatting {
  style: Style
  /** Those that wrote it, the one that wrote most first; none where nothing was asked. */
  models: string[]
  /** Share of the words, from 0 to 1, that look otherwise than before: a capital, a mark, or left out as a filler. */
  changed: number
  /** How many paragraphs the models' answers had, and how many of them stand as they were because their words differed. */
  paragraphs: number
  kept: number
  /** How many pieces the text was asked in, and how many of them got no answer; those stand as they were. */
  pieces: number
  failed: number
  /** Fillers that were left out, and how often each; only with `clean`. */
  removed: Record<string, number>
  /** Of the work as a whole, whoever has paid for it. */
  usage: { inputTokens: number; outputTokens: number; costUsd?: number }
  /** Sentences for the reader: why something was not formatted. */
  warnings: string[]
}

/** A transcript's text as it was formatted. It lies beside what was recognised, which stays as it is. */
export interface FormattedSegments extends Formatting {
  /** The same words at the same times, by the same speakers; a sentence or so each, whatever the borders were before. */
  segments: Segment[]
  /** Of what it was made (`segmentsHash`): when the words have changed since, it is not shown. */
  of: string
}

/** `running`, `failed` and `cancelled`: what there is so far. */
export type TranscriptStatus = 'completed' | 'partial' | 'running' | 'failed' | 'cancelled'

export interface Transcript {
  id: string
  title: string
  /** ISO 8601, UTC. */
  createdAt: string
  /** `partial` as soon as there is one gap: a hole is never called complete. While it runs, what comes is a gap too. */
  status: TranscriptStatus
  /** The language most of the speech is in. */
  language?: string
  /** Seconds of the whole recording, silence included. */
  duration: number
  model: string
  segments: Segment[]
  /** Where somebody had it formatted. It is stored apart, and put here for whoever reads. */
  formatted?: FormattedSegments
  /** In order of first appearance. Absent where speakers were not asked for, empty where none could be told apart. */
  speakers?: Speaker[]
  alignment?: Alignment
  /** Absent where the recording was sent in chunks. */
  upload?: UploadMethod
  coverage: Coverage
  usage: Usage
  /** Sentences for the reader: what was assumed, cut off or doubtful. */
  warnings: string[]
}

/** What a list shows of a transcript. */
export type TranscriptSummary = Pick<
  Transcript,
  'id' | 'title' | 'createdAt' | 'status' | 'language' | 'duration'
>

/** Rounds to the millisecond, the precision of every time we give. */
export function roundToMs(value: number): number {
  return Math.round(value * 1000) / 1000
}
