// Contracts of the drivers: recognisers, object storage, downloads, checkpoints and the store.

import type { SpendingStore } from './costs/spending.ts'
import type { SpeechError } from './errors.ts'
import type { Job } from './job.ts'
import type { ContextAbilities } from './models/context.ts'
import type { Span, Transcript, TranscriptSummary, UploadMethod } from './transcript.ts'
import type { Owned } from './waiting/fair-queue.ts'

/** One chunk of audio to recognise, and its length. */
export interface RecognitionRequest extends Owned {
  audio: Buffer
  /** Media type of `audio`, for example `audio/mpeg`. */
  mime: string
  seconds: number
  /** ISO code. Default: the model detects it. */
  language?: string
  /** Names and terms that the audio is likely to contain. */
  context?: string
  /** Called by a list of models before it asks one of them; with an error, the next one is asked instead. */
  refuse?: (one: Pick<Recogniser, 'model' | 'usdPerSecond'>) => Promise<SpeechError | undefined>
}

/** The text of one chunk. */
export interface Recognition {
  /** Empty for audio without speech. */
  text: string
  /** True if the answer was cut at its longest, so that the end of the text is missing. */
  isCut?: boolean
  /** ISO code of the recognised language, if the provider reports it. */
  language?: string
  /** Measured times in seconds of the audio: joined, their texts are the text. At most one of the two; absent if unknown. */
  words?: RecognisedWord[]
  segments?: RecognisedWord[]
  /** The model that answered, where a list of models was asked. */
  model?: string
  /** US dollars, by the usage in the answer; absent if that or the price is unknown. */
  costUsd?: number
}

/** Recognises audio chunks. Throws `SpeechError`; its `retryable` and `scope` say whether to try again. */
export interface Recogniser {
  /** The first model of a list. */
  readonly model: string
  readonly limits: {
    /** Maximum length of one request, in seconds. */
    maxSeconds: number
    /** Minimum length; the caller pads shorter chunks with silence. */
    minSeconds: number
    /** Maximum number of requests in flight. */
    concurrency: number
  }
  /** How it takes names and terms; absent: not at all. */
  readonly takes?: ContextAbilities
  /** Price of a second of audio in US dollars; absent if unknown. */
  readonly usdPerSecond?: number
  recognise(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition>
}

/** A recording that the provider can download. Plain data, so that another process can continue with it. */
export interface Upload {
  way: UploadMethod
  /** Object key by model. In a bucket, all models share one object. */
  keys: Record<string, string>
}

/** An object or unfinished upload found by a sweep; `storedAt` is milliseconds since 1970. */
export interface StoredUpload {
  owner: string
  job: string
  storedAt: number
  /** False for an upload of another installation, whose job ids may equal ours. */
  isOwn: boolean
}

/** Stores recordings while the provider reads them. Throws `BUCKET_*`, `CLOCK_WRONG`, `UPLOAD_FAILED` and errors about the key. */
export interface ObjectStorage {
  readonly way: UploadMethod
  /**
   * Uploads MP3 audio as it arrives. The key is made of owner, job and installation, so a second upload of a job replaces
   * the first, even one left unfinished by a crashed process. If it rejects, or the stream or the signal ends it, no
   * object remains. A driver that has to buffer on disk does so in `scratch`, the folder of the job.
   */
  upload(
    audio: AsyncIterable<Buffer>,
    of: { owner: string; job: string; models: string[]; scratch(): Promise<string> },
    signal: AbortSignal,
  ): Promise<Upload>
  /** A URL that the model can read for this long. Sign late: the URL expires with the key that signed it. */
  signedUrl(upload: Upload, model: string, seconds: number, signal: AbortSignal): Promise<string>
  /** Transfer of original recordings between machines; only a bucket has it. */
  readonly recordings?: RecordingStorage
  /** Deletes an upload. Also resolves if it no longer exists or if the store expires it by itself. */
  delete(upload: Upload, signal: AbortSignal): Promise<void>
  /** Deletes finished and unfinished uploads that are not in use; resolves with their number. */
  sweep(isInUse: (upload: StoredUpload) => Promise<boolean>, signal: AbortSignal): Promise<number>
  close(): Promise<void>
}

/** Original recordings, for workers on machines that cannot read the file. */
export interface RecordingStorage {
  /**
   * Uploads a file and resolves with its key, which `ObjectStorage.delete` accepts. If it rejects, no object remains.
   * Awaits `onKey` before it stores anything, so that the key survives a crash. `onBytes` receives the bytes stored so far.
   */
  upload(
    file: string,
    of: { owner: string; job: string },
    options: {
      signal: AbortSignal
      onKey?: (key: string) => Promise<void>
      onBytes?: (done: number) => void
    },
  ): Promise<string>
  /** Downloads it into a file and resumes after a broken connection. Throws `RECORDING_LOST` if it does not exist. */
  download(
    key: string,
    file: string,
    options: { signal: AbortSignal; onBytes?: (done: number, total?: number) => void },
  ): Promise<void>
}

export interface FileRequest extends Owned {
  /** A signed `https://` URL, or `oss://` in the provider's temporary store. */
  url: string
  /** ISO code. Default: the model detects it. */
  language?: string
  /** Number of speakers, from 2 to 100. Only for models with speaker labels. */
  speakers?: number
  /** Names and terms to expect; the driver sends of it what the model takes. */
  context?: string
}

/** Times are seconds. */
export interface RecognisedWord extends Span {
  /** Includes surrounding spaces and punctuation: concatenated words make the sentence. */
  text: string
}

export interface RecognisedSentence extends Span {
  text: string
  /** ISO code. */
  language?: string
  /** Speaker number from 0; absent if the provider reports none. */
  speaker?: number
  words?: RecognisedWord[]
}

/** Recognition result of a whole file. */
export interface FileRecognition {
  /** In order of time; empty for a file without speech. */
  sentences: RecognisedSentence[]
  /** Billed seconds; 0 if the provider does not report them. */
  seconds: number
  /** Billed tokens, where the model is priced by them, and US dollars; absent if unknown. */
  inputTokens?: number
  outputTokens?: number
  costUsd?: number
  /** URL of the recognised file, as the provider repeats it. */
  url?: string
}

/** State of a task. A status request that fails is thrown; `failed` means that the task itself has ended. */
export type TaskStatus =
  | { state: 'pending' | 'running' }
  | { state: 'done'; recognition: FileRecognition }
  /** `UPLOAD_UNREACHABLE` (sign again), `TASK_LOST` (unknown or older than a day), `TASK_FAILED`, `NOT_AUDIO`, … */
  | { state: 'failed'; error: SpeechError }

/**
 * Recognises uploaded files as asynchronous tasks that outlive the process: timed text, speakers, or both. Throws
 * `SpeechError`; its `retryable` and `scope` say whether to try again.
 */
export interface FileRecogniser {
  readonly model: string
  /** Name and address; identifies the model among the unavailable ones. */
  readonly key: string
  readonly limits: { maxSeconds: number; maxBytes: number }
  /** `text`: words of transcript quality, with measured times. `speakers`: the speaker of each sentence. */
  readonly capabilities: { text: boolean; speakers: boolean }
  /** ISO codes that it takes as a hint; absent: any. */
  readonly languages?: readonly string[]
  readonly takes?: ContextAbilities
  readonly usdPerSecond?: number
  /** Starts a task and resolves with its id. `SUBMIT_UNCLEAR`: the response was lost, and a billed task may exist. */
  submit(request: FileRequest, signal: AbortSignal): Promise<string>
  /** Requests the state of a task once, and fetches the result of a finished one. */
  status(task: string, signal: AbortSignal): Promise<TaskStatus>
  /** The time by the provider's clock in milliseconds since 1970, as ours may be minutes off. Falls back to ours. */
  now(signal: AbortSignal): Promise<number>
  /** Ids of this model's tasks submitted between two times of the provider's clock, newest first. */
  listTasks(from: number, to: number, signal: AbortSignal): Promise<string[]>
  /** Cancels a task that has not started; also resolves if it has. */
  cancel(task: string, signal: AbortSignal): Promise<void>
}

/** Results of paid or slow work of one owner, under keys derived from the input. Store failures never stop the work. */
export interface Checkpoints {
  /** The parsed JSON value. Undefined if there is none or if the store cannot be read. */
  get(key: string): Promise<unknown>
  /** Stores a JSON value. Also resolves if the store cannot be written. */
  put(key: string, value: unknown): Promise<void>
  /** True for a value that this job has stored, possibly before a restart. */
  isFromThisJob(value: unknown): boolean
}

export interface TranscriptPage {
  transcripts: TranscriptSummary[]
  /** Cursor of the next page; absent on the last one. */
  nextCursor?: string
}

export interface PageRequest {
  limit: number
  /** `nextCursor` of the previous page. Throws `BAD_INPUT` for any other string. */
  cursor?: string
}

/**
 * Stores transcripts, jobs, checkpoints and costs by owner; data of another owner reads as missing. All methods throw
 * `SpeechError` (`STORE_*`, `DISK_FULL`).
 */
export interface Store extends SpendingStore {
  /** Writes the whole transcript, replaces one with the same id, and indexes it for search. */
  putTranscript(owner: string, transcript: Transcript): Promise<void>
  getTranscript(owner: string, id: string): Promise<Transcript | undefined>
  /** Newest first; within the same millisecond, by descending id. */
  listTranscripts(owner: string, page: PageRequest): Promise<TranscriptPage>
  /**
   * Transcripts whose title or text contains every word of the query, in the order of `listTranscripts`. Ignores case and
   * accents, keeps quoted words together, and matches words by prefix. Scripts without spaces match any substring. A query
   * without a word matches nothing.
   */
  searchTranscripts(owner: string, query: string, page: PageRequest): Promise<TranscriptPage>
  /** Keeps the checkpoints of its job. Resolves with false if there was no such transcript. */
  deleteTranscript(owner: string, id: string): Promise<boolean>

  /** Inserts a job unless its id exists; resolves with the stored job. */
  addJob(job: Job): Promise<Job>
  getJob(owner: string, id: string): Promise<Job | undefined>
  /** Owners that have a job with this id, usually at most one. For workers, whose messages carry only the id. */
  ownersOf(id: string): Promise<string[]>
  /** Replaces the job if the stored revision is one less; resolves with false after a concurrent write. */
  replaceJob(job: Job): Promise<boolean>
  /** Queued and running jobs of all owners, oldest first. Does not create a missing store. */
  unfinishedJobs(): Promise<Job[]>
  deleteJob(owner: string, id: string): Promise<void>

  /** The parsed JSON value, or undefined. */
  getCheckpoint(owner: string, key: string): Promise<unknown>
  /** Stores a JSON value under the key, replaces an earlier one, and records the id of the job. */
  putCheckpoint(owner: string, key: string, value: unknown, job: string): Promise<void>
  /** Deletes the checkpoints that this job stored last. */
  deleteCheckpoints(owner: string, job: string): Promise<void>

  /**
   * Removes from files and logs what deletions and replacements have left there. Resolves with a sentence for each thing
   * that is left after a few seconds.
   */
  erase(): Promise<string[]>
  /** Sentences for the user: why nothing can be stored now, and which damaged files were set aside. */
  warnings(): string[]
  /** Prepares the first call in the background. That call tells what is wrong. */
  warmUp?(): void
  /** Number of times that rows were lost in this process: a damaged file was set aside. */
  losses(): number
  close(): Promise<void>
}
