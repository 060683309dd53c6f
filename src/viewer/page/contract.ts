// Data of the page: the transcript as it is shown, and where its sound and files come from. Times are seconds.

export interface ViewerSpeaker {
  id: string
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
  /** Another one means that the transcript has changed. */
  revision: string
  title: string
  status: string
  language?: string
  duration: number
  createdAt: string
  speakers: ViewerSpeaker[]
  rows: ViewerRow[]
  warnings: string[]
  /** Names of the formats that can be saved. */
  formats: string[]
  /** When the address of the page ends: until then it is a link for others. Absent where it is for this browser alone. */
  endsAt?: string
  /** The page may name its speakers. */
  canRename?: true
}

/** Peaks of the sound, from 0 to 255, over the whole recording; absent as long as they are computed. */
export interface Waveform {
  peaks?: number[]
}

/** A file that leaves the page. */
export interface ViewerFile {
  mimeType: string
  text?: string
  /** Base64, where it is no text. */
  blob?: string
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

/** Where the page gets everything: the server of a terminal, or the host of an app. Errors have sentences for people. */
export interface Source {
  load(): Promise<ViewerData>
  /** The revision that `load` would bring. */
  revision(): Promise<string>
  piece(from: number): Promise<LoadedPiece>
  waveform(): Promise<Waveform>
  /** Names a speaker, by its id; an empty name takes the name away. */
  rename(speaker: string, name: string): Promise<void>
  /** Address of a file; absent in a host. */
  download?(format: string): string
  /** Absent outside of a host. */
  file?(format: string): Promise<ViewerFile>
  /** Hands a file to the user; absent where the host cannot. */
  save?(name: string, file: ViewerFile): Promise<void>
  /** Hands a text to the model; absent outside of a host. */
  tell?(text: string): Promise<void>
}

/** Headers of a piece over HTTP. */
export const pieceHeaders = { start: 'x-piece-start', end: 'x-piece-end', next: 'x-piece-next' } as const
