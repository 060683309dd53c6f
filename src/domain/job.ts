// What is ordered of the pipeline, and what a running order is given and tells.

export type Timestamps = 'none' | 'segment' | 'word'

export interface Order {
  /** A path, an `https://` address or a small `data:` URI. */
  audio: string
  /** ISO code or English name; absent: detect. */
  language?: string
  /** Names and jargon to expect; goes to the model beside the audio. */
  context?: string
  /** `word` adds estimated word times to the segments. */
  timestamps?: Timestamps
  title?: string
}

export interface Progress {
  /** Seconds of the recording that are done, and of how many; `total` is absent until it is known. */
  done: number
  total?: number
  /** A few words for a person: what is happening now. */
  message: string
}

/** What every step of one running order has in hand. */
export interface Run {
  signal: AbortSignal
  /** A folder for this order alone; made on first use, removed at the end. */
  scratch(): Promise<string>
  progress(update: Progress): void
  /** Adds a sentence to the transcript's warnings. */
  warn(sentence: string): void
}
