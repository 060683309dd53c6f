// The data that the page gets from the server.

export interface Me {
  isSignedIn: true
  /** Of the owner; each request says whom the page shows. */
  id: string
  /** Name of the token; absent for a login, and where nobody signs in. */
  owner?: string
  canSignOut: boolean
  /** Names of the tools that may be called. */
  may: string[]
  formatNames: string[]
}

export interface Visitor {
  isSignedIn: false
  ways: { token: boolean; login: boolean }
}

export interface FoundTranscript {
  transcript_id: string
  title: string
  status: string
  language?: string
  /** Seconds. */
  duration: number
  created_at: string
  older_transcripts?: number
  matches?: { start: number; text: string; speaker?: string }[]
}

export interface FoundPage {
  transcripts: FoundTranscript[]
  next_cursor?: string
  warnings?: string[]
}

export interface RunningJob {
  id: string
  title: string
  tool: string
  progress: { done: number; total?: number; message: string }
}

/** An event of `/home/changes`. */
export interface Changes {
  running: RunningJob[]
  /** Grows when transcripts were added, removed or renamed. */
  listChanges: number
}

export interface Ticket {
  audio: string
  url: string
  max_bytes: number
}

export interface Price {
  /** A sentence. */
  price: string
}
