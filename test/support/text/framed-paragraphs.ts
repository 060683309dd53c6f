// A paragraph between two others of its language: what becomes of it, and of its neighbours.
import { type JudgeOptions, judge } from '../../../src/pipeline/faithfulness/judge.ts'
import { corpus, languageOf, raw, type Tongue } from './corpus.ts'
import { words } from './words.ts'

export interface Framed {
  tongue?: Tongue
  /** The paragraph as the recogniser gave it, and as the model has it. */
  said: string
  answered: string
  style?: JudgeOptions['style']
  /** What is done to the whole answer. */
  wrapped?: (answer: string) => string
}

export interface Outcome {
  /** How the paragraph reads now, without regard to how it is parted. */
  middle: string
  /** True where none of it, or all of it, stands as the answer has it. */
  isKept: boolean
  isTaken: boolean
  /** True where both neighbours stand as the answer has them. */
  neighboursStand: boolean
  /** True where all words of the original are there, in order, and no others. */
  isWhole: boolean
  removed: Record<string, number>
}

const squeezed = (text: string) => text.replace(/\s+/g, ' ').trim()

export function framed({ tongue = 'en', said, answered, style = 'faithful', wrapped }: Framed): Outcome {
  const [first, last] = [corpus[tongue][1]!, corpus[tongue][2]!]
  const head = `${raw(first, 0)}\n`
  const original = `${head}${said}\n${raw(last, 0)}`
  const plain = [first, answered, last].join('\n\n')
  const answer = wrapped ? wrapped(plain) : plain
  const { passages, removed } = judge(original, answer, { style, ...languageOf(tongue) })
  const out = (from: number, to: number) => squeezed(passages.map(({ part }) => part(from, to)).join(' '))
  const [from, to] = [head.length, head.length + said.length]
  const here = passages.filter(passage => passage.from < to && passage.to > from)
  return {
    middle: out(from, to),
    isKept: here.every(({ kept }) => kept),
    isTaken: here.every(({ kept }) => !kept),
    neighboursStand: out(0, from) === squeezed(first) && out(to, original.length) === squeezed(last),
    isWhole: words(passages.map(({ text }) => text).join('\n')).join(' ') === words(original).join(' '),
    removed,
  }
}
