// Text is made readable on behalf of a call: a transcript's, kept beside it, or one that was given.
import type { FormatPorts, FormattedText, FormatWish } from '../pipeline/format.ts'
import type { Watch } from './watch.ts'

/** Either the id of a transcript, or a text. */
export type FormatOrder = FormatWish & ({ transcriptId: string } | { text: string })

export interface FormatState {
  /** `running`: the time was up; the same order again goes on with it. */
  status: 'completed' | 'running'
  /** Of a text that was given: what there is of it. */
  text?: FormattedText
  /** True when nothing was left to do: this call has cost nothing. */
  answered: boolean
  /** Why a transcript has not been formatted, where nothing of it could be; otherwise its `formatted` tells. */
  warnings: string[]
}

export interface Formatter {
  format(order: FormatOrder, watch: Watch): Promise<FormatState>
  /** Stops what is under way for a transcript that is to be removed. */
  stop(owner: string, id: string): Promise<void>
  close(): Promise<void>
}

export function createFormatter(_ports: FormatPorts): Formatter {
  return {
    format: async () => ({ status: 'completed', answered: false, warnings: [] }),
    stop: async () => {},
    close: async () => {},
  }
}
