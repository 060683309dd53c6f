// Judges a paragraph between two others of its language, and reports the result for it and its neighbours.
import { type JudgeOptions, judge } from '../../../src/pipeline/faithfulness/judge.ts'
import { type CorpusLanguage, corpus, languageOption, toRawText } from './corpus.ts'
import { words } from './words.ts'

export interface JudgedParagraph {
  language?: CorpusLanguage
  /** The paragraph as recognised. */
  recognised: string
  /** The paragraph in the model's answer. */
  answered: string
  style?: JudgeOptions['style']
  /** Changes the whole answer. */
  wrapped?: (answer: string) => string
}

export interface Outcome {
  /** The paragraph in the result, with spaces normalised. */
  middle: string
  /** True if all of it is as in the original. */
  isKept: boolean
  /** True if all of it is as in the answer. */
  isAccepted: boolean
  /** True if both neighbours are as in the answer. */
  areNeighboursAccepted: boolean
  /** True if the result has exactly the words of the original, in order. */
  isWhole: boolean
  removed: Record<string, number>
}

const squeezed = (text: string) => text.replace(/\s+/g, ' ').trim()

export function judgeBetweenNeighbours({
  language = 'en',
  recognised,
  answered,
  style = 'faithful',
  wrapped,
}: JudgedParagraph): Outcome {
  const [first, last] = [corpus[language][1]!, corpus[language][2]!]
  const head = `${toRawText(first, 0)}\n`
  const original = `${head}${recognised}\n${toRawText(last, 0)}`
  const plain = [first, answered, last].join('\n\n')
  const answer = wrapped ? wrapped(plain) : plain
  const { passages, removed } = judge(original, answer, { style, ...languageOption(language) })
  const out = (from: number, to: number) => squeezed(passages.map(({ part }) => part(from, to)).join(' '))
  const [from, to] = [head.length, head.length + recognised.length]
  const overlapping = passages.filter(passage => passage.from < to && passage.to > from)
  return {
    middle: out(from, to),
    isKept: overlapping.every(({ kept }) => kept),
    isAccepted: overlapping.every(({ kept }) => !kept),
    areNeighboursAccepted: out(0, from) === squeezed(first) && out(to, original.length) === squeezed(last),
    isWhole: words(passages.map(({ text }) => text).join('\n')).join(' ') === words(original).join(' '),
    removed,
  }
}
