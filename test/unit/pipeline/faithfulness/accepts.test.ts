// The judge accepts faithful answers whole, in every script and with any loss of punctuation.
import { describe, expect, it } from 'vitest'
import { judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import {
  type CorpusLanguage,
  corpusLanguages,
  corpusPieces,
  type LossDegree,
  languageOption,
  toRawText,
} from '../../../support/text/corpus.ts'
import { withFillers } from '../../../support/text/fillers.ts'

const degrees: LossDegree[] = [0, 1, 2, 3]
/** Separators of paragraphs in recognised text. */
const separators = [' ', '\n']

interface Count {
  paragraphs: number
  /** Number of those that are accepted as a paragraph of their own. */
  accepted: number
  lost: string[]
}

/** Returns the judged paragraphs. */
function paragraphsOf(original: string, answer: string, options: Parameters<typeof judge>[2]): string[] {
  const paragraphs: string[] = []
  for (const { text, kept, opens } of judge(original, answer, options).passages) {
    const shown = kept ? `(${text})` : text
    if (opens) paragraphs.push(shown)
    else paragraphs.push(`${paragraphs.pop() ?? ''} ${shown}`.trim())
  }
  return paragraphs
}

function count(answered: string[], came: string[], total: Count): void {
  // A long paragraph is judged in runs of sentences; the judge does not join them.
  const squeezed = (text: string) => text.replace(/\s+/g, '')
  const found = new Set(came.map(squeezed))
  total.paragraphs += answered.length
  for (const text of answered) {
    if (found.has(squeezed(text))) total.accepted++
    else total.lost.push(text)
  }
}

/** Judges faithful answers to all pieces of a language. */
function judgeAll(language: CorpusLanguage, degree: LossDegree): Count {
  const total: Count = { paragraphs: 0, accepted: 0, lost: [] }
  for (const piece of corpusPieces(language))
    for (const separator of separators) {
      const original = piece.map(text => toRawText(text, degree)).join(separator)
      const options = { style: 'faithful' as const, ...languageOption(language) }
      count(piece, paragraphsOf(original, piece.join('\n\n'), options), total)
    }
  return total
}

function judgeAllClean(language: CorpusLanguage): Count & { removed: number; left: number } {
  const total = { paragraphs: 0, accepted: 0, lost: [], removed: 0, left: 0 }
  const random = createSeededRandom(20261106)
  for (const piece of corpusPieces(language)) {
    const withAddedFillers = piece.map(text => withFillers(text, language, random))
    const original = withAddedFillers.map(({ said }) => toRawText(said, 0)).join(' ')
    const answered = withAddedFillers.map(({ cleaned }) => cleaned)
    const options = { style: 'clean' as const, ...languageOption(language) }
    count(answered, paragraphsOf(original, answered.join('\n\n'), options), total)
    const { removed } = judge(original, answered.join('\n\n'), options)
    total.removed += Object.values(removed).reduce((sum, one) => sum + one, 0)
    total.left += withAddedFillers.reduce((sum, one) => sum + one.count, 0)
  }
  return total
}

describe('a faithful answer', () => {
  it.each(corpusLanguages)('a faithful answer is accepted whole: %s', language => {
    for (const degree of degrees) {
      const { paragraphs, accepted, lost } = judgeAll(language, degree)
      expect(paragraphs).toBeGreaterThan(7)
      expect(accepted / paragraphs, `degree ${degree}: ${lost[0]}`).toBeGreaterThanOrEqual(0.99)
    }
  })

  it.each(corpusLanguages)('a faithful answer without fillers is accepted whole: %s', language => {
    const { paragraphs, accepted, lost, removed, left } = judgeAllClean(language)
    expect(accepted / paragraphs, lost[0]).toBeGreaterThanOrEqual(0.99)
    expect(left).toBeGreaterThan(0)
    expect(removed).toBe(left)
  })

  it.each(corpusLanguages)('a faithful answer with other paragraph breaks is accepted: %s', language => {
    for (const piece of corpusPieces(language)) {
      const original = piece.map(text => toRawText(text, 0)).join('\n')
      const sentences = piece.join(' ').split(/(?<=[.!?؟।][»”"]?) (?=\S)|(?<=[。！？][”」]?)(?![”」])/u)
      for (const answered of [sentences, [piece.join(' ')]]) {
        const { passages } = judge(original, answered.join('\n\n'), {
          style: 'faithful',
          ...languageOption(language),
        })
        expect(passages.filter(({ kept }) => kept).map(({ text }) => text)).toEqual([])
        expect(passages.filter(({ opens }) => opens)).toHaveLength(answered.length)
      }
    }
  })
})
