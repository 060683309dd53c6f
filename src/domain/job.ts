// What is ordered of the pipeline, and the job that an order becomes.
import type { ErrorCode } from './errors.ts'
import type { Span, Style } from './transcript.ts'

export type Timestamps = 'none' | 'segment' | 'word'

export interface TranscriptionRequest {
  /** A path, an `https://` address or a small `data:` URI. */
  audio: string
  /** ISO code or English name; absent: detect. */
  language?: string
  /** Names and jargon to expect; goes to the model beside the audio. */
  context?: string
  /** Absent: of segments, estimated. `segment` and `word`: measured where there is a bucket; `word` adds times of words. */
  timestamps?: Timestamps
  /** How many people speak, from 2 to 100, as a hint. */
  speakers?: number
  /** Have the text formatted when all is heard. It makes no other order of it: the words are the same. */
  format?: Style
  title?: string
}

/** An order as it is carried out. */
export interface PipelineRequest extends TranscriptionRequest {
  /** Hash of the recording's bytes, where they were hashed when it was ordered. */
  hash?: string
  /** Where another machine has laid the file that `audio` names. */
  recording?: string
}

export interface Progress {
  /** Seconds of the recording that are done, and of how many; `total` is absent until it is known. */
  done: number
  total?: number
  /** A few words for a person: what is happening now. */
  message: string
}

/** Whose everything is where nobody has to say who they are: over stdio, at a terminal, over HTTP without tokens. */
export const localOwner = 'local'

export type JobTool = 'transcribe_audio' | 'diarize_audio'

export type JobState = 'queued' | 'running' | 'completed' | 'partial' | 'failed' | 'cancelled'

/**
 * `running → running`: another worker takes over from one that died. `running → queued`: a worker that stops gives it
 * back. `queued → failed`: its recording could not be laid where workers are, or no worker could be told of it.
 */
const moves: Record<JobState, readonly JobState[]> = {
  queued: ['running', 'cancelled', 'failed'],
  running: ['running', 'queued', 'completed', 'partial', 'failed', 'cancelled'],
  completed: ['queued'],
  partial: ['queued'],
  failed: ['queued'],
  cancelled: ['queued'],
}

export function isLegalTransition(from: JobState, to: JobState): boolean {
  return moves[from].includes(to)
}

/** True where nothing more happens unless somebody orders again. */
export function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}

/** A name that a person gave, and what its bearer is known by: speakers are numbered anew when more was heard. */
export interface GivenName {
  name: string
  /** As the bearer was numbered then. */
  id: string
  /** As `Speaker` has it. */
  voice?: string
  /** When the bearer spoke: the longest turns. None where that is not known. */
  turns: Span[]
  /** How long the bearer spoke in all, and until when there was anything heard, in seconds. */
  seconds: number
  until: number
}

/** An order on its way. It has one handle, which is its transcript's id. */
export interface Job {
  /** Made of owner, content of the recording, tool and options: the same order has the same id. */
  id: string
  owner: string
  tool: JobTool
  /** `audio` is the real path, the address or the `data:` URI, as it was allowed when it was ordered. */
  order: TranscriptionRequest
  /** What it is carried out with. A process with other models leaves it alone. */
  models: string[]
  /** Names that people gave to the speakers. */
  names?: GivenName[]
  /** Hash of the recording's bytes; absent for an address, which is known by what its server says of it. */
  content?: string
  /** True for what is done in a moment and must not wait behind hours of audio. */
  brief: boolean
  state: JobState
  /** Counts the writes. Whoever writes says which one was read, and loses if there has been another since. */
  revision: number
  /** ISO 8601, UTC; of the first submission. */
  createdAt: string
  updatedAt: string
  /**
   * Who works on it, and for how long from the last renewal (`time`, milliseconds) nobody else may, unless that worker is
   * known to be dead. `until` is that moment by the worker's own clock (milliseconds since 1970), which may be wrong.
   */
  lease?: { worker: string; until: number; time?: number }
  /** Where the recording lies for workers on other machines. */
  recording?: string
  /** Under which name it is being laid there: whoever does that may die over it. */
  laying?: string
  /** How often workers were told of it once more, because none had come. */
  sent?: number
  progress?: Progress
  /** How many workers have begun it, one after the other, without getting further than `done` seconds of the recording. */
  tries?: { count: number; done: number }
  /** Why it failed. */
  error?: { code: ErrorCode; message: string; hint: string }
}
