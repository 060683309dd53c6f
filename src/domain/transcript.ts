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
}

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
