// The misbehaviours of models: what becomes of a good answer.

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
import type { WritingFault } from './faults.ts'
import type { TextRequest } from './record.ts'
import { joined, unitsOf } from './units.ts'
import { format } from './write.ts'

export interface Spoilt {
  text: string
  /** As `Answer` has it. */
  finish: string
}

type Spoilers = {
  [K in WritingFault['kind']]: (
    honest: string,
    fault: Extract<WritingFault, { kind: K }>,
    record: TextRequest,
  ) => string | Spoilt
}

const POEM = `Softly the evening folds the street,
The lamps come out on silent feet,
And every word the wind has sown
Finds in the dark a rhyme of its own.`

const THOUGHTS = 'Okay, the user wants the text with punctuation. Let me go through it sentence by sentence.'
/** A model that repeats itself more often than this does so until it is stopped. */
const STUCK = 3

const spoilers: Spoilers = {
  dropWord,
  addWords,
  swapWords,
  replaceWord,
  changeNumber,
  dropNegation,
  translate,
  summarise: honest =>
    `The speaker talks about ${longestWords(honest, 3).join(', ')} and a few other things.`,
  reorder,
  truncate: (honest, { at = 0.5, silent = false }) => {
    const units = unitsOf(honest)
    const text = joined(units.slice(0, Math.floor(units.length * at))).trimEnd()
    return { text, finish: silent ? 'stop' : 'length' }
  },
  repeat: (honest, { count = 1 }) => {
    const again = Array<string>(count).fill(honest.split('\n\n').at(-1)!)
    return { text: [honest, ...again].join('\n\n'), finish: count > STUCK ? 'length' : 'stop' }
  },
  obey: (_honest, { words = POEM }) => words,
  preamble: (honest, { words = 'Here is the formatted text:' }) => `${words}\n\n${honest}`,
  postamble: (honest, { words = 'Let me know if you would like any other changes!' }) =>
    `${honest}\n\n${words}`,
  fence: (honest, { language = '' }) => `\`\`\`${language}\n${honest}\n\`\`\``,
  think: (honest, { open = false }) => `<think>\n${THOUGHTS}\n${open ? '' : '</think>\n'}\n${honest}`,
  markdown: honest =>
    honest
      .split('\n\n')
      .map((paragraph, at) => (at % 2 ? '- ' : '') + paragraph.replace(/^\S+/, '**$&**'))
      .join('\n\n'),
  repeatBefore: (honest, _fault, { before }) =>
    before ? `${format(before, { clean: false })}\n\n${honest}` : honest,
  empty: () => '',
  giant: honest =>
    honest.replace(/(\S)\n\n(\S)/gu, (_all, left: string, right: string) =>
      /[。？！]/u.test(left) ? left + right : `${left} ${right}`,
    ),
  finish: (honest, { reason }) => ({ text: honest, finish: reason }),
}

export function spoil(honest: string, fault: WritingFault, record: TextRequest): Spoilt {
  const spoiler = spoilers[fault.kind] as (
    ...args: [string, WritingFault, TextRequest]
  ) => ReturnType<Spoilers['dropWord']>
  const done = spoiler(honest, fault, record)
  return typeof done === 'string' ? { text: done, finish: 'stop' } : done
}

function reorder(honest: string): string {
  const [first, ...others] = honest.split('\n\n')
  if (others.length > 0) return [...others, first].join('\n\n')
  const units = unitsOf(honest)
  const middle = Math.ceil(units.length / 2)
  const halves = [units.slice(middle), units.slice(0, middle)].map(half => joined(half).trim())
  return halves.join(units.some(({ gap }) => gap === ' ') ? ' ' : '')
}
