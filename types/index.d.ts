// Types of what the program returns, for programs that read it: the structured results of the tools, and the JSON output
// (`export_transcript` and `speech-mcp transcribe --format json`). Times are seconds from the start of the recording.

/** `running`, `failed` and `cancelled` describe a transcript of the parts recognised so far; `partial` has gaps. */
export type TranscriptStatus = 'completed' | 'partial' | 'running' | 'failed' | 'cancelled'

export interface Word {
  start: number
  end: number
  text: string
}

/** A stretch of speech of about one sentence. */
export interface Segment {
  start: number
  end: number
  text: string
  /** True where the provider gave no times, so that they are derived from voice activity. */
  estimated: boolean
  /** ISO code of the language recognised in this stretch. */
  language?: string
  words?: Word[]
  /** Id of the speaker (`S1`); null where unknown. Absent in a transcript without speakers. */
  speaker?: string | null
  /** Confidence that the speaker is right, from 0 to 1. */
  confidence?: number
  /** True where the segment begins a paragraph. Always set in formatted text, absent elsewhere. */
  opens?: boolean
}

/** Numbered by first appearance. */
export interface Speaker {
  id: string
  /** Name given by a user. */
  name?: string
  /** Title of the track that this speaker has alone. */
  track?: string
  /** Total time spoken. */
  seconds: number
  /** Share of all speech that has a speaker, from 0 to 1. */
  share: number
}

/** A stretch of speech without text. */
export interface Gap {
  start: number
  end: number
  reason: string
}

export interface Coverage {
  /** Seconds of detected speech. */
  speech_seconds: number
  /** Seconds of it that sound like music, tones or noise. */
  unspoken_seconds?: number
  /** Seconds of it that have text, or were recognised as empty. */
  transcribed_seconds: number
  gaps: Gap[]
}

export interface Usage {
  /** Seconds of audio sent to the provider, in all attempts. */
  audio_seconds: number
  /** Seconds served from the results of earlier requests, at no cost. */
  cached_seconds: number
  /** US dollars; absent where the price of the model is unknown. */
  cost_usd?: number
  /** Upper bound of the cost of the whole recording; only while the job runs. */
  estimated_cost_usd?: number
}

/** How well the two recognitions of a recording with speakers fit together. */
export interface Alignment {
  offset: number
  /** Shares of the words, from 0 to 1. */
  matched: number
  unassigned: number
  time_only: number
}

export interface Formatted {
  /** `faithful` keeps every spoken word, `clean` drops fillers. */
  style: 'faithful' | 'clean'
  /** Models that wrote the text, the most used one first. */
  models: string[]
  /** Share of the words, from 0 to 1, that changed in appearance. */
  changed: number
  paragraphs: number
  /** Paragraphs that keep the original text, because the answer changed words. */
  kept: number
  /** Parts in which the text was sent; only where some of them failed. */
  pieces?: number
  failed?: number
  /** Number of removals for each filler. */
  removed?: Record<string, number>
  usage: { input_tokens: number; output_tokens: number; cost_usd?: number }
}

/** Where the provider fetched the recording: your bucket, its own 48-hour storage, or this process. */
export type Upload = 'bucket' | 'temporary' | 'served'

/** Result of `transcribe_audio`, `diarize_audio` and `get_transcript`. */
export interface TranscriptResult {
  status: TranscriptStatus
  transcript_id: string
  /** `transcript://…`, a resource. */
  uri: string
  /** Page on which the user reads and hears it; over HTTP, once the job is over. A secret of the user. */
  page_url?: string
  /** ISO 8601. */
  page_ends_at?: string
  title: string
  /** ISO code of the language of most of the speech. */
  language?: string
  /** Length of the whole recording, silence included. */
  duration: number
  /** One page of the text. */
  text: string
  /** Set where there are more pages, for `get_transcript`. */
  next_offset?: number
  times?: 'measured' | 'estimated'
  speakers?: Speaker[]
  upload?: Upload
  alignment?: Alignment
  formatted?: Formatted
  /** At most 20 gaps; the JSON output has all. */
  coverage: Coverage
  usage: Usage
  warnings: string[]
  /** Suggested next call, for a model. */
  next_step?: string
}

/** Result of `transcribe_audio` and `diarize_audio` for a folder or several recordings that were not agreed to yet. */
export interface BatchPlanResult {
  status: 'planned'
  duration: number
  text: string
  recordings: { name: string; duration?: number; state: 'new' | 'begun' | 'done'; transcript_id?: string }[]
  counts: { recordings: number; copies: number; unreadable: number }
  /** Seconds that are not transcribed yet. */
  new_seconds: number
  /** Their highest cost; `confirm_usd` agrees to it. */
  max_usd: number
  warnings: string[]
  next_step: string
}

/** Result of the same tools, and of `get_transcript`, for a batch that has begun. */
export interface BatchResult {
  status: TranscriptStatus
  /** Of the batch; each recording has one of its own. */
  transcript_id: string
  title: string
  duration: number
  text: string
  recordings: {
    name: string
    status: 'waiting' | 'completed' | 'partial' | 'failed' | 'cancelled'
    duration?: number
    transcript_id?: string
    uri?: string
    /** Their names. */
    speakers?: string[]
    /** How many. */
    gaps?: number
    error?: string
  }[]
  next_offset?: number
  progress: string
  cost_usd: number
  max_usd?: number
  warnings: string[]
  next_step?: string
}

/** The JSON output of a whole transcript. */
export interface TranscriptJson {
  id: string
  title: string
  status: TranscriptStatus
  language?: string
  duration: number
  model: string
  speakers?: (Speaker & {
    /** Stable key of the speaker. */
    voice?: string
  })[]
  alignment?: Alignment
  upload?: Upload
  coverage: Coverage
  usage: Usage & { input_tokens?: number; output_tokens?: number }
  warnings: string[]
  /** ISO 8601, UTC. */
  created_at: string
  formatted?: Formatted
  /** The whole text. */
  text: string
  /** Formatted where the transcript is. */
  segments: Segment[]
  /** As recognised; only beside formatted ones. */
  raw_segments?: Segment[]
}

/** Result of `format_text`. */
export interface FormatTextResult {
  status: TranscriptStatus
  /** One page. */
  text: string
  next_offset?: number
  formatted?: Formatted
  warnings: string[]
  next_step?: string
}

/** Result of `search_transcripts`. */
export interface SearchResult {
  transcripts: {
    transcript_id: string
    uri: string
    title: string
    status: TranscriptStatus
    language?: string
    duration: number
    created_at: string
    /** Some passages that match. */
    matches?: { start: number; text: string; speaker?: string }[]
  }[]
  /** Set where there are more. */
  next_cursor?: string
  warnings?: string[]
}

/** Result of `find_recordings`. */
export interface RecordingsResult {
  recordings: { path: string; name: string; bytes: number; modified_at: string }[]
}

/** Result of `get_clip`, beside the sound. */
export interface ClipResult {
  transcript_id: string
  /** Of this clip. */
  uri: string
  /** For the user's browser; over HTTP. Ends with the page of the transcript. */
  listen_url?: string
  /** Seconds at which it begins and ends. */
  from: number
  to: number
  /** Its words. */
  text: string
  /** `from` of the clip that goes on; absent where this one reaches the end that was asked for. */
  next_from?: number
}

/** Result of `request_upload`. */
export interface UploadTicketResult {
  /** `upload://…`, for the tools that take a recording. */
  audio: string
  /** Address for a browser and for tus clients; a secret of the user. */
  url: string
  /** A command for a terminal. */
  curl: string
  max_bytes: number
  /** ISO 8601. */
  ends_at: string
}

/** Result of `export_transcript`. */
export interface ExportResult {
  status: TranscriptStatus
  transcript_id: string
  path: string
  format: string
  bytes: number
  file: 'created' | 'replaced' | 'unchanged'
  /** Faults of the file; empty without any. */
  checks: string[]
}

/** Result of `update_transcript`. */
export interface UpdateResult {
  transcript_id: string
  uri: string
  title: string
  speakers?: { id: string; name?: string }[]
}

/** Result of `cancel_transcription`. */
export interface CancelResult {
  status: TranscriptStatus
  transcript_id: string
  transcribed_seconds: number
  next_step?: string
}

/** Result of `delete_transcript`. */
export interface DeleteResult {
  transcript_id: string
  deleted: true
  warnings?: string[]
}
