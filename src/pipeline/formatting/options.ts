// Options and dependencies of formatting.
import type { Run } from '../../domain/run.ts'
import type { TextModel } from '../../domain/text-model.ts'
import type { Style } from '../../domain/transcript.ts'

export interface FormatPorts {
  textModel: TextModel
}

export interface FormatOptions {
  style: Style
  /** ISO code, if known. */
  language?: string
}

/** The run that a formatting belongs to. Progress counts characters (UTF-16 units) of the text. */
export type FormatRun = Pick<Run, 'owner' | 'signal' | 'progress' | 'checkpoints' | 'budget'>
