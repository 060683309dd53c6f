// Corruptions of a formatted text: the mistakes of text models.
import type { WritingFault } from '../faults.ts'
import { format } from '../formatting/format.ts'
import { joinWords, splitWords } from '../formatting/words.ts'
import type { TextRequest } from '../record.ts'
import {
  addWords,
  changeNumber,
  dropNegation,
  dropWord,
  longestWords,
  replaceWord,
  swapWords,
  translate,
} from './corrupt-words.ts'

export interface Corrupted {
  text: string
  /** Finish reason, as in `Answer`. */
  finish: string
}

type Corruptions = {
  [K in WritingFault['kind']]: (
    formatted: string,
    fault: Extract<WritingFault, { kind: K }>,
    record: TextRequest,
  ) => string | Corrupted
}

const poem = `Softly the evening folds the street,
The lamps come out on silent feet,
And every word the wind has sown
Finds in the dark a rhyme of its own.`

const thoughts = 'Okay, the user wants the text with punctuation. Let me go through it sentence by sentence.'
/** More repetitions end only at the token limit. */
const maxFiniteRepeats = 3

const corruptions: Corruptions = {
  dropWord,
  addWords,
  swapWords,
  replaceWord,
  changeNumber,
  dropNegation,
  translate,
  summarise: formatted =>
    `The speaker talks about ${longestWords(formatted, 3).join(', ')} and a few other things.`,
  reorder,
  truncate: (formatted, { at = 0.5, silent = false }) => {
    const units = splitWords(formatted)
    const text = joinWords(units.slice(0, Math.floor(units.length * at))).trimEnd()
    return { text, finish: silent ? 'stop' : 'length' }
  },
  repeat: (formatted, { count = 1 }) => {
    const repeated = Array<string>(count).fill(formatted.split('\n\n').at(-1)!)
    return {
      text: [formatted, ...repeated].join('\n\n'),
      finish: count > maxFiniteRepeats ? 'length' : 'stop',
    }
  },
  obey: (_honest, { words = poem }) => words,
  preamble: (formatted, { words = 'Here is the formatted text:' }) => `${words}\n\n${formatted}`,
  postamble: (formatted, { words = 'Let me know if you would like any other changes!' }) =>
    `${formatted}\n\n${words}`,
  codeBlock: (formatted, { language = '' }) => `\`\`\`${language}\n${formatted}\n\`\`\``,
  think: (formatted, { open = false }) => `<think>\n${thoughts}\n${open ? '' : '</think>\n'}\n${formatted}`,
  markdown: formatted =>
    formatted
      .split('\n\n')
      .map((paragraph, at) => (at % 2 ? '- ' : '') + paragraph.replace(/^\S+/, '**$&**'))
      .join('\n\n'),
  repeatBefore: (formatted, _fault, { before }) =>
    before ? `${format(before, { clean: false })}\n\n${formatted}` : formatted,
  empty: () => '',
  giant: formatted =>
    formatted.replace(/(\S)\n\n(\S)/gu, (_all, left: string, right: string) =>
      /[。？！]/u.test(left) ? left + right : `${left} ${right}`,
    ),
  finish: (formatted, { reason }) => ({ text: formatted, finish: reason }),
}

export function corrupt(formatted: string, fault: WritingFault, record: TextRequest): Corrupted {
  const corruption = corruptions[fault.kind] as (
    ...args: [string, WritingFault, TextRequest]
  ) => ReturnType<Corruptions['dropWord']>
  const result = corruption(formatted, fault, record)
  return typeof result === 'string' ? { text: result, finish: 'stop' } : result
}

function reorder(formatted: string): string {
  const [first, ...others] = formatted.split('\n\n')
  if (others.length > 0) return [...others, first].join('\n\n')
  const units = splitWords(formatted)
  const middle = Math.ceil(units.length / 2)
  const halves = [units.slice(middle), units.slice(0, middle)].map(half => joinWords(half).trim())
  return halves.join(units.some(({ gap }) => gap === ' ') ? ' ' : '')
}
