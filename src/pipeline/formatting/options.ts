// What formatting is given: how the text shall be, who writes it, and the run it is part of.
import type { Run } from '../../domain/run.ts'
import type { TextModel } from '../../domain/text-model.ts'
import type { Style } from '../../domain/transcript.ts'

export interface FormatPorts {
  textModel: TextModel
  /** US dollars that it may cost at most. */
  maxCostUsd?: number
}

export interface FormatOptions {
  style: Style
  /** ISO code, where it is known. */
  language?: string
}

/** Progress is in characters (UTF-16 units) of the text. */
export type FormatRun = Pick<Run, 'signal' | 'progress' | 'checkpoints'>
