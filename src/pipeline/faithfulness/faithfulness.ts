// Whether a model's answer says what was said: word by word, in any script; where it does not, the original stands.
import type { Style } from '../../domain/transcript.ts'
import type { Reduced, Removal } from './align-fillers.ts'
import { unitsOf, unwrap } from './answer.ts'
import { chain } from './chain.ts'
import { type Filler, findFillers, listsFor } from './fillers.ts'
import { firstFrom, type Letters, lettersOf } from './normalized-text.ts'
import { assemble, type Passage } from './passages.ts'

export interface Judging {
  /** `clean` lets listed fillers go that the answer has left out. */
  style: Style
  /** ISO code of what is spoken, where that is known: fillers are a matter of language. */
  language?: string
  /** What stands before the original and was shown to the model too: an answer that repeats it has not added it. */
  before?: string
}

export type { Removal } from './align-fillers.ts'
export type { Passage } from './passages.ts'

export interface Judgement {
  /** In order; together they are the original, without a hole. */
  passages: Passage[]
  /** Fillers that were left out, and how often each. */
  removed: Record<string, number>
  /** The same one by one, by their place in the original. */
  removals: Removal[]
}

/**
 * Takes from the answer only paragraphs whose letters are a run of the original's letters, and fills up with the original:
 * so the words that come out are those that went in, in order, whatever the answer holds. Never throws.
 */
export function judge(
  original: string,
  answer: string,
  { style, language, before = '' }: Judging,
): Judgement {
  const shown = before === '' ? '' : `${before}\n`
  const text = shown + original
  const said = unwrap(answer, text)
  const apostrophes = /\p{L}['’]\p{L}/u.test(text)
  // One list for both: an answer has fewer words to tell the language by.
  const lists = listsFor(original, language)
  const reduce = (letters: Letters) => reduced(letters, style === 'clean' ? findFillers(letters, lists) : [])
  const [was, is] = [reduce(lettersOf(text, apostrophes)), reduce(lettersOf(said, apostrophes))]
  const wish = {
    original: was.letters,
    answer: is.letters,
    shown: firstFrom(was.letters.start, shown.length),
  }
  const matches = chain(unitsOf(said), wish)
  return assemble({ original: was, answer: is, matches, from: shown.length })
}

/** The letters without those of the fillers, whose places are noted. */
function reduced(letters: Letters, fillers: Filler[]): Reduced {
  if (fillers.length === 0) return { letters, fillers: [] }
  const { text, stream, start, end, border } = letters
  const gone = new Uint8Array(stream.length)
  for (const { from, to } of fillers) gone.fill(1, from, to)
  const left = Array.from(stream, (_, i) => i).filter(i => !gone[i])
  const slots = new Map(left.map((i, slot) => [i, slot]))
  const slotOf = (from: number) => {
    let i = from
    while (i < stream.length && gone[i]) i++
    return slots.get(i) ?? left.length
  }
  const borders = left.map((i, slot) => {
    let most = 0
    for (let at = (left[slot - 1] ?? -1) + 1; at <= i; at++) most = Math.max(most, border[at]!)
    return most
  })
  return {
    letters: {
      text,
      stream: left.map(i => stream[i]).join(''),
      start: Int32Array.from(left, i => start[i]!),
      end: Int32Array.from(left, i => end[i]!),
      border: Uint8Array.from(borders),
    },
    fillers: fillers.map(({ from, to, name }) => ({
      slot: slotOf(from),
      name,
      letters: stream.slice(from, to),
      start: start[from]!,
      end: end[to - 1]!,
    })),
  }
}
