// A transcription request, and the job that it becomes.
import type { ErrorCode } from './errors.ts'
import type { Span, Style } from './transcript.ts'

export type Timestamps = 'none' | 'segment' | 'word'

export interface TranscriptionRequest {
  /** A path, an `https://` URL or a small `data:` URI. */
  audio: string
  /** ISO code or English name. Default: detected. */
  language?: string
  /** Names and jargon to expect; the model gets them with the audio. */
  context?: string
  /** Default: estimated times of segments. `segment` and `word` are measured if there is a bucket; `word` adds word times. */
  timestamps?: Timestamps
  /** Expected number of speakers, from 2 to 100. */
  speakers?: number
  /** Audio track: its number from 1, its language, or `all`, each as one speaker. Default: those with sound of their own. */
  track?: string
  /** Formats the text after recognition. It does not change the job's id: the words are the same. */
  format?: Style
  title?: string
}

/** A request as a pipeline gets it. */
export interface PipelineRequest extends TranscriptionRequest {
  /** Hash of the recording's bytes, if they were hashed at submission. */
  hash?: string
  /** Object key under which another machine has uploaded the file that `audio` names. */
  recording?: string
}

export interface Progress {
  /** Seconds of the recording that are done, and its length, which is absent until it is known. */
  done: number
  total?: number
  /** A few words for the user: the current step. */
  message: string
  /** The provider has taken a request of the recording, so the key and the model are right. */
  isAnswered?: true
}

/** Owner of all data without authentication: over stdio, in a terminal, over HTTP without tokens. */
export const localOwner = 'local'

export type JobTool = 'transcribe_audio' | 'diarize_audio'

export type JobState = 'queued' | 'running' | 'completed' | 'partial' | 'failed' | 'cancelled'

/**
 * `running → running`: another worker takes over from a dead one. `running → queued`: a stopping worker releases the job.
 * `queued → failed`: the recording cannot be uploaded, or no worker can be notified.
 */
const transitions: Record<JobState, readonly JobState[]> = {
  queued: ['running', 'cancelled', 'failed'],
  running: ['running', 'queued', 'completed', 'partial', 'failed', 'cancelled'],
  completed: ['queued'],
  partial: ['queued'],
  failed: ['queued'],
  cancelled: ['queued'],
}

export function isLegalTransition(from: JobState, to: JobState): boolean {
  return transitions[from].includes(to)
}

/** True where nothing more happens without a new request. */
export function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}

/** A name that a person gave to a speaker, and how to find that speaker when a new recognition renumbers the speakers. */
export interface GivenName {
  name: string
  /** The speaker's id when the name was given. */
  id: string
  /** The speaker's `voice` then. */
  voice?: string
  /** The speaker's longest turns. */
  turns: Span[]
  /** Seconds that the speaker spoke in all, and the end of the recognised part then. */
  seconds: number
  until: number
}

export interface BatchTerms {
  /** The day for which its costs count (UTC). */
  day: string
  /** Most that it may cost, in US dollars; absent where the price of a model is unknown. */
  usd?: number
}

/** A request under way, or what has become of it. `toRecord` gives the JSON that stores keep. */
export interface Job {
  /** Hash of owner, content of the recording, tool and options: equal requests have the same id. It is the transcript's id too. */
  id: string
  owner: string
  tool: JobTool
  /** `audio` is the real path, the URL or the `data:` URI, as it was allowed at submission. */
  request: TranscriptionRequest
  /** Models that run the job. A process with other models leaves it alone. */
  models: string[]
  /** Names that people gave to the speakers. */
  names?: GivenName[]
  /** Hash of the recording's bytes; absent for a URL, which is identified by its server's headers. */
  content?: string
  /** True for a job of a moment, which must not wait behind hours of audio. */
  short: boolean
  state: JobState
  /** Counts the writes. A write names the revision that it has read, and fails if there was another write since. */
  revision: number
  /** ISO 8601, UTC; of the first submission. */
  createdAt: string
  updatedAt: string
  /**
   * The worker that holds the job, and for how long from its last renewal (`time`, milliseconds), unless that worker is
   * known to be dead. `until` is the end by the worker's own clock (milliseconds since 1970), which may be wrong.
   */
  lease?: { worker: string; until: number; time?: number }
  /** Object key of the recording, for workers on other machines. */
  recording?: string
  /** Object key of an upload in progress. Lets another worker delete it if this one crashes. */
  uploadKey?: string
  /** How often the job's message was sent again because no worker had taken the job. */
  redeliveries?: number
  progress?: Progress
  /** Number of workers that have started it in a row since it got on, each of which is dead or holds it now. */
  attempts?: { count: number }
  /**
   * The batch that has ordered this recording, and the day for which its costs count (UTC). `usd` limits what the recording
   * may cost, in US dollars, once the batch's process is gone and its allowance with it.
   */
  batch?: { id: string; day: string; usd?: number }
  /** Only of a batch, which is a job of its own: what its user agreed to. */
  terms?: BatchTerms
  /** Why it failed. */
  error?: { code: ErrorCode; message: string; hint: string }
}
