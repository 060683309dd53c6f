// Faults of text models that tests switch on: what a model does to words, and what goes wrong on the way.
import type { CloudError } from '../errors.ts'
import { type FaultList, type FaultScope, faultList } from '../faults.ts'
import type { TextRequest } from './record.ts'

/** What the model does instead of its work. `at` is a share of the answer, 0.5 unless told. */
export type WritingFault =
  /** So many words are left out, 1 unless told. */
  | { kind: 'dropWord'; at?: number; count?: number }
  /** The words to put in; a few fitting ones unless told. */
  | { kind: 'addWords'; at?: number; words?: string }
  | { kind: 'swapWords'; at?: number }
  | { kind: 'replaceWord'; at?: number; word?: string }
  /** A digit, or a number word of English or Chinese; no effect where there is none. */
  | { kind: 'changeNumber' }
  /** No effect where there is none. */
  | { kind: 'dropNegation' }
  /** Every word, or from `at` on. */
  | { kind: 'translate'; at?: number }
  | { kind: 'summarise' }
  /** Paragraphs come in another order; of a single one its halves. */
  | { kind: 'reorder' }
  /** Stops within the text as its answer became too long; `silent`: says that this was the end. */
  | { kind: 'truncate'; at?: number; silent?: boolean }
  /** The last paragraph comes again, once unless told; many times and it stops for length. */
  | { kind: 'repeat'; count?: number }
  /** Does what the text says: a poem, or an answer. */
  | { kind: 'obey'; words?: string }
  | { kind: 'preamble'; words?: string }
  | { kind: 'postamble'; words?: string }
  | { kind: 'fence'; language?: string }
  /** Thoughts in the answer; `open`: their end mark is missing. */
  | { kind: 'think'; open?: boolean }
  | { kind: 'markdown' }
  /** What stood before the text comes again before the answer. */
  | { kind: 'repeatBefore' }
  | { kind: 'empty' }
  /** One paragraph, however long. */
  | { kind: 'giant' }
  /** Ends for a reason of the provider's own, with all its words. */
  | { kind: 'finish'; reason: string }

/** What comes instead of an answer. */
export type RefusingFault =
  | ({ kind: 'error'; details?: object[] } & CloudError)
  /** The content filter, before anything is written or (`midway`) in its midst; `reason` is for Gemini. */
  | { kind: 'refuse'; midway?: boolean; reason?: string }
  /** Never answers. */
  | { kind: 'hang' }
  /** Cuts the connection before the answer. */
  | { kind: 'drop' }
  /** A proxy's page, 502 unless told. */
  | { kind: 'html'; status?: number }

/** What ends an answer in its midst. */
export type BreakingFault =
  | { kind: 'hangMidway'; at?: number }
  | { kind: 'dropMidway'; at?: number }
  /** A frame that is no JSON among the others; without a stream 200 with half a JSON text. */
  | { kind: 'garbage'; at?: number }
  /** An error inside of 200; without a stream with its status. */
  | ({ kind: 'errorFrame'; at?: number; details?: object[] } & CloudError)
  /** All words, but neither a reason to finish nor a last frame. */
  | { kind: 'noFinish' }

/** How the answer is handed over. */
export type HandingFault =
  | { kind: 'singleNewlines' }
  /** Frames hold all so far, whatever was asked for. */
  | { kind: 'cumulative' }
  /** One JSON text where a stream was asked for. */
  | { kind: 'jsonForStream' }

export type TextFault = FaultScope<TextRequest> & {
  /** Only requests for this model. */
  model?: string
} & (WritingFault | RefusingFault | BreakingFault | HandingFault | { kind: 'slow'; seconds: number })

export type TextFaults = FaultList<TextRequest, TextFault>

export const WRITING = [
  'dropWord',
  'addWords',
  'swapWords',
  'replaceWord',
  'changeNumber',
  'dropNegation',
  'translate',
  'summarise',
  'reorder',
  'truncate',
  'repeat',
  'obey',
  'preamble',
  'postamble',
  'fence',
  'think',
  'markdown',
  'repeatBefore',
  'empty',
  'giant',
  'finish',
] as const satisfies WritingFault['kind'][]

export function createTextFaults(): TextFaults {
  return faultList((fault, request) => fault.model === undefined || fault.model === request.model)
}
