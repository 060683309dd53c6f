// Judges a model's answer against the original, word by word and in any script: where words differ, the original stays.
import type { Style } from '../../domain/transcript.ts'
import type { Removal, WithoutFillers } from './align-fillers.ts'
import { extractText, splitIntoUnits } from './answer.ts'
import { chain } from './chain.ts'
import { type Filler, findFillers, listsFor } from './fillers.ts'
import { lowerBound, type NormalizedText, normalizeText } from './normalized-text.ts'
import { assemble, type Passage } from './passages.ts'

export interface JudgeOptions {
  /** `clean` permits the answer to omit listed fillers. */
  style: Style
  /** ISO code of the spoken language, if known; it selects the list of fillers. */
  language?: string
  /** Context before the original that the model was shown; an answer may repeat it. */
  before?: string
}

export type { Removal } from './align-fillers.ts'
export type { Passage } from './passages.ts'

export interface Judgement {
  /** In order and without gaps; together they cover the original. */
  passages: Passage[]
  /** Number of removals per filler. */
  removed: Record<string, number>
  /** The removals one by one, with their offsets in the original. */
  removals: Removal[]
}

/**
 * Accepts only those paragraphs of the answer whose characters equal a run of the original's characters, and fills the
 * rest with the original. The result has the original's words in the original's order for any answer. Never throws.
 */
export function judge(
  original: string,
  answer: string,
  { style, language, before = '' }: JudgeOptions,
): Judgement {
  const context = before === '' ? '' : `${before}\n`
  const text = context + original
  const answerText = extractText(answer, text)
  const apostrophes = /\p{L}['’]\p{L}/u.test(text)
  // The same lists for both: an answer may have too few words to detect its language.
  const lists = listsFor(original, language)
  const prepare = (given: string) => {
    const normalized = normalizeText(given, apostrophes)
    return withoutFillers(normalized, style === 'clean' ? findFillers(normalized, lists) : [])
  }
  const source = prepare(text)
  const answered = prepare(answerText)
  const matches = chain(splitIntoUnits(answerText), {
    original: source.normalized,
    answer: answered.normalized,
    contextChars: lowerBound(source.normalized.start, context.length),
  })
  return assemble({ original: source, answer: answered, matches, contextLength: context.length })
}

/** Removes the characters of the fillers, and records their positions. */
function withoutFillers(normalized: NormalizedText, fillers: Filler[]): WithoutFillers {
  if (fillers.length === 0) return { normalized, fillers: [] }
  const { text, chars, start, end, boundaries } = normalized
  const isRemoved = new Uint8Array(chars.length)
  for (const { from, to } of fillers) isRemoved.fill(1, from, to)
  const remaining = Array.from(chars, (_, i) => i).filter(i => !isRemoved[i])
  const slots = new Map(remaining.map((i, slot) => [i, slot]))
  const slotOf = (from: number) => {
    let i = from
    while (i < chars.length && isRemoved[i]) i++
    return slots.get(i) ?? remaining.length
  }
  const strongest = remaining.map((i, slot) => {
    let boundary = 0
    for (let at = (remaining[slot - 1] ?? -1) + 1; at <= i; at++)
      boundary = Math.max(boundary, boundaries[at]!)
    return boundary
  })
  return {
    normalized: {
      text,
      chars: remaining.map(i => chars[i]).join(''),
      start: Int32Array.from(remaining, i => start[i]!),
      end: Int32Array.from(remaining, i => end[i]!),
      boundaries: Uint8Array.from(strongest),
    },
    fillers: fillers.map(({ from, to, name }) => ({
      slot: slotOf(from),
      name,
      chars: chars.slice(from, to),
      start: start[from]!,
      end: end[to - 1]!,
    })),
  }
}
