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
}

/** Someone who speaks, numbered by first appearance. */
export interface Speaker {
  id: string
  /** Given by a person; otherwise the id is shown. */
  name?: string
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
export type UploadWay = 'bucket' | 'temporary'

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
  /** In order of first appearance. Absent where speakers were not asked for, empty where none could be told apart. */
  speakers?: Speaker[]
  alignment?: Alignment
  /** Absent where the recording was sent in chunks. */
  upload?: UploadWay
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
export function seconds(value: number): number {
  return Math.round(value * 1000) / 1000
}
