// What the outside world must do for us: every contract on one page.
import type { SpeechError } from './errors.ts'
import type { Job } from './job.ts'
import type { Span, Transcript, TranscriptSummary, UploadMethod } from './transcript.ts'

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

/** A recording that lies where the provider can fetch it. Plain data: another process can go on with it. */
export interface Upload {
  way: UploadMethod
  /** Name of the object by the model that is to hear it; in a bucket all models have the same. */
  keys: Record<string, string>
}

/** Who left something behind, and when (milliseconds since 1970). */
export interface StoredUpload {
  owner: string
  job: string
  storedAt: number
  /** False for what an installation with another store has left: its jobs may have the ids of ours. */
  isOwn: boolean
}

/**
 * Where recordings lie while the provider hears them. Throws `SpeechError`: `BUCKET_REFUSED` `BUCKET_NOT_FOUND`
 * `CLOCK_WRONG` `UPLOAD_FAILED` and those of the provider's key.
 */
export interface ObjectStorage {
  readonly way: UploadMethod
  /**
   * Stores audio (MP3) while it comes, under a name made of owner, job and installation: a second upload of a job takes
   * the place of the first, also of one that a dead process has left half done. Where it rejects, or the audio or the
   * signal ends it, nothing is left behind. What has to wait on the disk does so in `scratch`, the job's own folder.
   */
  upload(
    audio: AsyncIterable<Buffer>,
    of: { owner: string; job: string; models: string[]; scratch(): Promise<string> },
    signal: AbortSignal,
  ): Promise<Upload>
  /** Where a model finds it for so many seconds; ask as late as possible, as it ends with the key that signed it. */
  signedUrl(upload: Upload, model: string, seconds: number, signal: AbortSignal): Promise<string>
  /** Where recordings can be handed to other machines: in a bucket. */
  readonly recordings?: RecordingStorage
  /** Resolves also where it is gone already, and where it goes by itself. */
  delete(upload: Upload, signal: AbortSignal): Promise<void>
  /** Removes whatever, finished or half uploaded, nobody wants any more; resolves with how much that was. */
  sweep(isWanted: (left: StoredUpload) => Promise<boolean>, signal: AbortSignal): Promise<number>
  close(): Promise<void>
}

/** Recordings as they are, for workers on machines that cannot see the file. */
export interface RecordingStorage {
  /**
   * Stores a file and resolves with its name, which `Blobs.remove` takes as a key; a second time takes the place of the
   * first. Where it rejects, nothing is left behind. `onName` hears the name before anything is stored, for the case
   * that this process does not come to its end; `onBytes` hears how many are stored.
   */
  upload(
    file: string,
    of: { owner: string; job: string },
    options: {
      signal: AbortSignal
      onName?: (key: string) => Promise<void>
      onBytes?: (done: number) => void
    },
  ): Promise<string>
  /** Streams it into a file, and goes on where a connection broke. Throws `RECORDING_LOST` where it is not there. */
  download(
    key: string,
    file: string,
    options: { signal: AbortSignal; onBytes?: (done: number, total?: number) => void },
  ): Promise<void>
}

export interface FileRequest {
  /** `https://` (with its signature), or `oss://` in the provider's own store. */
  url: string
  /** ISO code; absent: detect. */
  language?: string
  /** How many people speak, from 2 to 100; only a model that tells speakers takes it. */
  speakers?: number
}

/** Times are seconds. */
export interface RecognisedWord extends Span {
  /** With the blanks and the marks around it, so that a sentence is its words put together. */
  text: string
}

export interface RecognisedSentence extends Span {
  text: string
  /** ISO code. */
  language?: string
  /** Number of the speaker, from 0; absent where the provider does not say. */
  speaker?: number
  words?: RecognisedWord[]
}

/** What was heard in a whole file. */
export interface FileRecognition {
  /** In order of time; none where nothing was said. */
  sentences: RecognisedSentence[]
  /** Seconds that are billed; 0 where the provider does not say. */
  seconds: number
  /** The address that was heard, as the provider gives it back. */
  url?: string
}

/** `failed` is the end of a task; an asking that failed is thrown. */
export type TaskStatus =
  | { state: 'pending' | 'running' }
  | { state: 'done'; hearing: FileRecognition }
  /** `UPLOAD_UNREACHABLE` (sign again), `TASK_LOST` (unknown, or older than a day), `TASK_FAILED`, `NOT_AUDIO`, … */
  | { state: 'failed'; error: SpeechError }

/**
 * An uploaded file → timed text, speakers, or both; as a task that outlives the process. Throws `SpeechError`, whose
 * `retryable` and `scope` say what the caller may do.
 */
export interface FileRecogniser {
  readonly model: string
  readonly limits: { maxSeconds: number; maxBytes: number }
  /** `text`: words good enough to be read, with measured times. `speakers`: who says a sentence. One model may tell both. */
  readonly capabilities: { text: boolean; speakers: boolean }
  /** US dollars for a second of audio; absent when it is not known. */
  readonly usdPerSecond?: number
  /** Starts a task and resolves with its id. `SUBMIT_UNCLEAR`: the answer was lost, and there may be a task that is billed. */
  submit(request: FileRequest, signal: AbortSignal): Promise<string>
  /** Asks once how far a task is; of a finished one the result is fetched. */
  status(task: string, signal: AbortSignal): Promise<TaskStatus>
  /** Ids of this model's tasks that were submitted between two moments (milliseconds since 1970), the newest first. */
  listTasks(from: number, to: number, signal: AbortSignal): Promise<string[]>
  /** Stops a task that has not begun; resolves also where it has. */
  cancel(task: string, signal: AbortSignal): Promise<void>
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
  get(key: string): Promise<unknown>
  /** Keeps a JSON value. Resolves also where the store cannot be written: the work goes on. */
  put(key: string, value: unknown): Promise<void>
  /** True for what this order itself has kept, now or before a restart. */
  isFromThisJob(value: unknown): boolean
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
  /** Who has a job of this id, as a rule one or none: for workers, who are told an id and nothing else. */
  ownersOf(id: string): Promise<string[]>
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
  deleteCheckpoints(owner: string, job: string): Promise<void>

  /** A sentence for the reader when something of the store had to be set aside; undefined as a rule. */
  warning(): string | undefined
  close(): Promise<void>
}
