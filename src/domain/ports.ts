// What the outside world must do for us: every contract on one page.
import type { Job } from './job.ts'
import type { Transcript, TranscriptSummary } from './transcript.ts'

/** One chunk of speech for the recogniser. */
export interface RecognitionRequest {
  audio: Buffer
  /** Media type of `audio`, for example `audio/mpeg`. */
  mime: string
  /** Length of `audio`. */
  seconds: number
  /** ISO code; absent: detect. */
  language?: string
  /** Names and jargon to expect. */
  context?: string
}

export interface Recognition {
  /** Empty when nothing was said. */
  text: string
  /** ISO code of what was heard, when the provider says. */
  language?: string
}

/** Audio chunk → text. Throws `SpeechError`; `retryable` and `scope` say what the caller may do. */
export interface Recogniser {
  readonly model: string
  readonly limits: {
    /** The longest audio of one request, in seconds. */
    maxSeconds: number
    /** The shortest; shorter chunks are filled up with silence. */
    minSeconds: number
    /** How many requests may be under way at once. */
    concurrency: number
  }
  /** US dollars for a second of audio; absent when it is not known. */
  readonly usdPerSecond?: number
  recognise(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition>
}

/** Fetches a public address into a file. Refuses private addresses, also behind redirects. */
export interface Downloader {
  /** Resolves with the number of bytes written; `onBytes` hears of each piece. */
  download(
    url: string,
    file: string,
    options: { maxBytes: number; signal: AbortSignal; onBytes?: (done: number, total?: number) => void },
  ): Promise<number>
  /**
   * What its server says of the content at an address, without fetching it: the same string as long as the content is
   * the same; undefined where the server does not say. Throws like `download`.
   */
  identify(url: string, options: { maxBytes: number; signal: AbortSignal }): Promise<string | undefined>
}

/** Results of paid or slow work, under a key that says what they are results of. They belong to one owner. */
export interface Checkpoints {
  /** What was kept under this key, as JSON gives it back. Resolves with undefined also where the store cannot be read. */
  recall(key: string): Promise<unknown>
  /** Keeps a JSON value. Resolves also where the store cannot be written: the work goes on. */
  keep(key: string, value: unknown): Promise<void>
  /** True for what this order itself has kept, now or before a restart. */
  isOwn(value: unknown): boolean
}

export interface TranscriptPage {
  transcripts: TranscriptSummary[]
  /** Give this to the next call to go on; absent on the last page. */
  nextCursor?: string
}

export interface PageRequest {
  limit: number
  /** From the page before. Throws `BAD_INPUT` for one that no page gave. */
  cursor?: string
}

/**
 * Keeps transcripts, jobs and checkpoints, each of them under its owner: what belongs to another owner is as if it
 * were not there. All methods throw `SpeechError` (`STORE_*`, `DISK_FULL`).
 */
export interface Store {
  /** Writes the transcript whole, in place of one with the same id, and makes it findable. */
  putTranscript(owner: string, transcript: Transcript): Promise<void>
  getTranscript(owner: string, id: string): Promise<Transcript | undefined>
  /** Newest first; of two made in the same millisecond, the greater id first. */
  listTranscripts(owner: string, page: PageRequest): Promise<TranscriptPage>
  /**
   * Those whose title or text holds all words of the query, in the order of `listTranscripts`. Case and accents do not
   * count; words in quotes stand together; the last letters of a word may be missing; scripts without spaces are found
   * by any run of characters. A query without a word finds nothing.
   */
  searchTranscripts(owner: string, query: string, page: PageRequest): Promise<TranscriptPage>
  /** Also what `forgetCheckpoints` removes is not removed here. Resolves with false where there was none. */
  deleteTranscript(owner: string, id: string): Promise<boolean>

  /** Writes a job unless there is one with its id; resolves with the one that is there then. */
  addJob(job: Job): Promise<Job>
  getJob(owner: string, id: string): Promise<Job | undefined>
  /** Writes the job, whose revision is one more than the one read; resolves with false if another write came between. */
  replaceJob(job: Job): Promise<boolean>
  /** Queued and running jobs of all owners, oldest first; does not make a store that is not there yet. */
  unfinishedJobs(): Promise<Job[]>
  deleteJob(owner: string, id: string): Promise<void>

  /** A JSON value, or undefined. */
  getCheckpoint(owner: string, key: string): Promise<unknown>
  /** `job` is the id of the job that found it; a later value takes the place of an earlier one. */
  putCheckpoint(owner: string, key: string, value: unknown, job: string): Promise<void>
  /** Removes what one job has kept. */
  forgetCheckpoints(owner: string, job: string): Promise<void>

  /** A sentence for the reader when something of the store had to be set aside; undefined as a rule. */
  notice(): string | undefined
  close(): Promise<void>
}

/** What a queue carries: "look at this job". */
export interface Ticket {
  id: string
  owner: string
  /** True for what is done in a moment and must not wait behind hours of audio. */
  brief: boolean
}

/** Tells workers which job to look at; the store is the truth. A ticket may come twice, and a worker finds out then. */
export interface Queue {
  send(ticket: Ticket): Promise<void>
  /** Calls `work` for each ticket, a few at once. `work` never rejects. */
  serve(work: (ticket: Ticket) => Promise<void>): void
  /** How many tickets of its kind wait before this one; undefined when it does not wait here. */
  ahead(id: string): number | undefined
  /** How many tickets of an owner wait here. */
  waiting(owner: string): number
  /** Hands out no more tickets. */
  close(): Promise<void>
}
