// The story of a text: cut it into pieces, have them formatted, keep what is faithful, and put it together again.
import type { Run } from '../domain/run.ts'
import type { TextModel } from '../domain/text-model.ts'
import type { FormattedSegments, Formatting, Segment, Style } from '../domain/transcript.ts'

export interface FormatPorts {
  textModel: TextModel
  /** US dollars that it may cost at most. */
  maxCostUsd?: number
}

export interface FormatWish {
  style: Style
  /** ISO code, where it is known. */
  language?: string
}

/** Progress is in characters (UTF-16 units) of the text. */
export type FormatRun = Pick<Run, 'signal' | 'progress' | 'checkpoints'>

export interface FormattedText extends Formatting {
  text: string
}

/** A text of at most this many characters is returned as it came. */
export const shortest = 100

/**
 * Formats a text; paragraphs are parted by an empty line. Where a piece gets no answer its words stand as they came, and
 * `warnings` says why. `onText` may ask for the whole text with what is formatted so far, whenever a piece is done.
 * Throws `COST_TOO_HIGH`, or the signal's reason.
 */
export async function formatText(
  text: string,
  { style }: FormatWish,
  _ports: FormatPorts,
  _run: FormatRun,
  _onText: (text: () => string) => void = () => {},
): Promise<FormattedText> {
  return { ...nothingDone(style), text }
}

/** The same for what was spoken: times and speakers stay with their words. */
export async function formatSegments(
  segments: Segment[],
  { style }: FormatWish,
  _ports: FormatPorts,
  _run: FormatRun,
): Promise<FormattedSegments> {
  return { ...nothingDone(style), segments, of: segmentsHash(segments) }
}

/** By this a formatting knows the words that it is of. */
export function segmentsHash(_segments: Segment[]): string {
  return ''
}

function nothingDone(style: Style): Formatting {
  const usage = { inputTokens: 0, outputTokens: 0 }
  return {
    ...{ style, models: [], changed: 0, paragraphs: 0, kept: 0, pieces: 0, failed: 0, removed: {} },
    ...{ usage, warnings: [] },
  }
}
