// Whether a model's answer says what was said: word by word, in any script; where it does not, the original stands.
import type { Style } from '../domain/transcript.ts'

export interface Judging {
  /** `clean` lets listed fillers go that the answer has left out. */
  style: Style
  /** ISO code of what is spoken, where that is known: fillers are a matter of language. */
  language?: string
  /** What stands before the original and was shown to the model too: an answer that repeats it has not added it. */
  before?: string
}

/** A stretch of the original, `[from, to)` in UTF-16 units, and how it reads now. */
export interface Passage {
  from: number
  to: number
  /** The answer's words where they are the original's, otherwise the original's own; without blanks at either end. */
  text: string
  /** True where the original stands because the words differ. */
  kept: boolean
  /** True where a paragraph begins with it. */
  opens: boolean
  /** What has become of a part of it, `[from, to)` in UTF-16 units of the original; marks go with the word before them, opening ones with the word behind. */
  part(from: number, to: number): string
}

export interface Judgement {
  /** In order; together they are the original, without a hole. */
  passages: Passage[]
  /** Fillers that were left out, and how often each. */
  removed: Record<string, number>
}

/** Never throws, whatever the answer holds. */
export function judge(original: string, _answer: string, _wish: Judging): Judgement {
  const part = (from: number, to: number) => original.slice(from, to).trim()
  const passage = { from: 0, to: original.length, text: original.trim(), kept: true, opens: true, part }
  return { passages: [passage], removed: {} }
}
