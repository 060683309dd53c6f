// What the outside world must do for us: every contract on one page.
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
}

export interface TranscriptPage {
  transcripts: TranscriptSummary[]
  /** Give this to the next call to go on; absent on the last page. */
  nextCursor?: string
}

/** Keeps transcripts. All methods throw `SpeechError` (`STORE_*`, `DISK_FULL`). */
export interface Store {
  /** Writes the transcript whole, in place of one with the same id. */
  putTranscript(transcript: Transcript): Promise<void>
  getTranscript(id: string): Promise<Transcript | undefined>
  /** Newest first; of two made in the same millisecond, the greater id first. */
  listTranscripts(options: { limit: number; cursor?: string }): Promise<TranscriptPage>
  close(): Promise<void>
}
