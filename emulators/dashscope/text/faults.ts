// Faults that tests inject into text requests: corrupted text, and failures of service and network.
import type { CloudError } from '../errors.ts'
import { type FaultList, type FaultScope, faultList } from '../faults.ts'
import type { TextRequest } from './record.ts'

/** Corruptions of the model's text. `at` is a position as a share of the text; default: 0.5. */
export type WritingFault =
  /** Omits `count` words; default: 1. */
  | { kind: 'dropWord'; at?: number; count?: number }
  /** Inserts `words`; default: a few words of the same script. */
  | { kind: 'addWords'; at?: number; words?: string }
  | { kind: 'swapWords'; at?: number }
  | { kind: 'replaceWord'; at?: number; word?: string }
  /** Changes a digit or a number word; no effect without one. */
  | { kind: 'changeNumber' }
  /** Removes a negation; no effect without one. */
  | { kind: 'dropNegation' }
  /** Translates every word, or those from `at` on. */
  | { kind: 'translate'; at?: number }
  | { kind: 'summarise' }
  /** Reorders the paragraphs, or the halves of a single one. */
  | { kind: 'reorder' }
  /** Stops within the text for length; with `silent` it claims a normal end. */
  | { kind: 'truncate'; at?: number; silent?: boolean }
  /** Repeats the last paragraph `count` times, default: once; many times end for length. */
  | { kind: 'repeat'; count?: number }
  /** Obeys an instruction in the text: returns a poem, or `words`. */
  | { kind: 'obey'; words?: string }
  | { kind: 'preamble'; words?: string }
  | { kind: 'postamble'; words?: string }
  /** Wraps the text in a Markdown code block. */
  | { kind: 'codeBlock'; language?: string }
  /** Puts thoughts into the text; with `open` the end tag is missing. */
  | { kind: 'think'; open?: boolean }
  | { kind: 'markdown' }
  /** Repeats the preceding context before the text. */
  | { kind: 'repeatBefore' }
  | { kind: 'empty' }
  /** Returns a single paragraph. */
  | { kind: 'giant' }
  /** Returns the whole text with another finish reason. */
  | { kind: 'finish'; reason: string }

/** Failures instead of an answer. */
export type RefusingFault =
  | ({ kind: 'error'; details?: object[] } & CloudError)
  /** The content filter blocks the answer, at the start or `midway`; `reason` is Gemini's. */
  | { kind: 'refuse'; midway?: boolean; reason?: string }
  /** Never responds. */
  | { kind: 'hang' }
  /** Closes the connection without a response. */
  | { kind: 'drop' }
  /** The error page of a proxy; default status: 502. */
  | { kind: 'html'; status?: number }

/** Failures in the middle of an answer. */
export type BreakingFault =
  | { kind: 'hangMidway'; at?: number }
  | { kind: 'dropMidway'; at?: number }
  /** A frame that is not JSON; without a stream: 200 with truncated JSON. */
  | { kind: 'garbage'; at?: number }
  /** An error inside of 200; without a stream with its status. */
  | ({ kind: 'errorFrame'; at?: number; details?: object[] } & CloudError)
  /** All words, but neither a reason to finish nor a last frame. */
  | { kind: 'noFinish' }

/** Deviations in the format of the response. */
export type FormatFault =
  | { kind: 'singleNewlines' }
  /** Frames contain the whole text so far, even if increments were requested. */
  | { kind: 'cumulative' }
  /** A single JSON body although a stream was requested. */
  | { kind: 'jsonForStream' }

export type TextFault = FaultScope<TextRequest> & {
  /** Only requests for this model. */
  model?: string
} & (
    | WritingFault
    | RefusingFault
    | BreakingFault
    | FormatFault
    | { kind: 'slow'; seconds: number }
    | { kind: 'held' }
  )

export type TextFaults = FaultList<TextRequest, TextFault>

export const writingFaults = [
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
  'codeBlock',
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
