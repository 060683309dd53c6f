// A faithful answer is taken whole, in every script, however little of the writing the recogniser had given.
import { describe, expect, it } from 'vitest'
import { judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import { type Degree, languageOf, pieces, raw, type Tongue, tongues } from '../../../support/text/corpus.ts'
import { withFillers } from '../../../support/text/fillers.ts'

const degrees: Degree[] = [0, 1, 2, 3]
/** As paragraphs are parted in what recognisers give: not at all, or by a line each. */
const joints = [' ', '\n']

interface Count {
  paragraphs: number
  /** Of these, how many stand as the answer has them, each a paragraph of its own. */
  taken: number
  lost: string[]
}

/** The paragraphs as they come out. */
function paragraphsOf(original: string, answer: string, wish: Parameters<typeof judge>[2]): string[] {
  const paragraphs: string[] = []
  for (const { text, kept, opens } of judge(original, answer, wish).passages) {
    const shown = kept ? `(${text})` : text
    if (opens) paragraphs.push(shown)
    else paragraphs.push(`${paragraphs.pop() ?? ''} ${shown}`.trim())
  }
  return paragraphs
}

function count(answered: string[], came: string[], total: Count): void {
  // A long paragraph is judged in runs of sentences; how they are joined again is not the judge's matter.
  const squeezed = (text: string) => text.replace(/\s+/g, '')
  const found = new Set(came.map(squeezed))
  total.paragraphs += answered.length
  for (const text of answered) {
    if (found.has(squeezed(text))) total.taken++
    else total.lost.push(text)
  }
}

/** What becomes of faithful answers to all pieces of a tongue. */
function measured(tongue: Tongue, degree: Degree): Count {
  const total: Count = { paragraphs: 0, taken: 0, lost: [] }
  for (const piece of pieces(tongue))
    for (const joint of joints) {
      const original = piece.map(text => raw(text, degree)).join(joint)
      const wish = { style: 'faithful' as const, ...languageOf(tongue) }
      count(piece, paragraphsOf(original, piece.join('\n\n'), wish), total)
    }
  return total
}

function measuredClean(tongue: Tongue): Count & { removed: number; left: number } {
  const total = { paragraphs: 0, taken: 0, lost: [], removed: 0, left: 0 }
  const random = createSeededRandom(20261106)
  for (const piece of pieces(tongue)) {
    const hesitant = piece.map(text => withFillers(text, tongue, random))
    const original = hesitant.map(({ said }) => raw(said, 0)).join(' ')
    const answered = hesitant.map(({ cleaned }) => cleaned)
    const wish = { style: 'clean' as const, ...languageOf(tongue) }
    count(answered, paragraphsOf(original, answered.join('\n\n'), wish), total)
    const { removed } = judge(original, answered.join('\n\n'), wish)
    total.removed += Object.values(removed).reduce((sum, one) => sum + one, 0)
    total.left += hesitant.reduce((sum, one) => sum + one.count, 0)
  }
  return total
}

describe('a faithful answer', () => {
  it.each(tongues)('is taken whole: %s', tongue => {
    for (const degree of degrees) {
      const { paragraphs, taken, lost } = measured(tongue, degree)
      expect(paragraphs).toBeGreaterThan(7)
      expect(taken / paragraphs, `degree ${degree}: ${lost[0]}`).toBeGreaterThanOrEqual(0.99)
    }
  })

  it.each(tongues)('is taken whole without its hesitations: %s', tongue => {
    const { paragraphs, taken, lost, removed, left } = measuredClean(tongue)
    expect(taken / paragraphs, lost[0]).toBeGreaterThanOrEqual(0.99)
    expect(left).toBeGreaterThan(0)
    expect(removed).toBe(left)
  })

  it.each(tongues)('is taken where the model parts the paragraphs elsewhere: %s', tongue => {
    for (const piece of pieces(tongue)) {
      const original = piece.map(text => raw(text, 0)).join('\n')
      const sentences = piece.join(' ').split(/(?<=[.!?؟।][»”"]?) (?=\S)|(?<=[。！？][”」]?)(?![”」])/u)
      for (const answered of [sentences, [piece.join(' ')]]) {
        const { passages } = judge(original, answered.join('\n\n'), {
          style: 'faithful',
          ...languageOf(tongue),
        })
        expect(passages.filter(({ kept }) => kept).map(({ text }) => text)).toEqual([])
        expect(passages.filter(({ opens }) => opens)).toHaveLength(answered.length)
      }
    }
  })
})
