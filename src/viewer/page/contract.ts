// Data of the page: the transcript as it is shown, and where its sound and files come from. Times are seconds.

export interface ViewerSpeaker {
  /** The name, otherwise the id. */
  label: string
  /** Share of all speech that has a speaker, from 0 to 1. */
  share: number
}

/** A sentence, or a stretch without text. */
export interface ViewerRow {
  start: number
  end: number
  /** The words; of a gap, its reason. */
  text: string
  isGap?: true
  /** Index in the list of speakers; −1 where it is unknown. Absent in a transcript without speakers. */
  speaker?: number
  /** The speaker was assigned with little confidence. */
  isDoubtful?: true
  /** The times are estimated: those of its words are spread by length. */
  isEstimated?: true
  /** Four numbers a word: `[from, to)` in the text (UTF-16 units), and start and end in milliseconds from the row's start. */
  words: number[]
}

export interface ViewerData {
  id: string
  title: string
  status: string
  language?: string
  duration: number
  createdAt: string
  speakers: ViewerSpeaker[]
  rows: ViewerRow[]
  warnings: string[]
  /** Names of the formats that can be downloaded. */
  formats: string[]
  /** When the address of the page ends: until then it is a link for others. Absent where it is for this browser alone. */
  endsAt?: string
}

/** A piece of the sound on the recording's clock. */
export interface Piece {
  start: number
  end: number
  /** `from` of the piece that goes on; absent at the end. */
  next?: number
}

export interface LoadedPiece extends Piece {
  audio: Blob
}

/** Where the page gets everything: the server of a terminal, or the host of an app. */
export interface Source {
  load(): Promise<ViewerData>
  piece(from: number): Promise<LoadedPiece>
  /** Absent where the page cannot offer downloads. */
  download?(format: string): string
  /** Hands a text to the model; absent outside of a host. */
  tell?(text: string): Promise<void>
}

/** Headers of a piece over HTTP. */
export const pieceHeaders = { start: 'x-piece-start', end: 'x-piece-end', next: 'x-piece-next' } as const
