// The benchmark of speaker assignment: its scores, its baselines and its generated conversations.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bySentence, byWord } from '../../../bench/diarize/baselines.ts'
import { noises } from '../../../bench/diarize/compare.ts'
import { generateConversation } from '../../../bench/diarize/conversation.ts'
import { recogniseConversation } from '../../../bench/diarize/recognitions.ts'
import { cheapest, distance, edits, wrongWords } from '../../../bench/diarize/score.ts'

const runs = { seed: 20261124, numRuns: 200 }
const words = ['a', 'b', 'c', 'd', 'e', 'f']

describe('scores', () => {
  it.each([
    ['all right', [1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], 0, 0],
    ['other names for the speakers', [1, 1, 1, 2, 2, 2], [9, 9, 9, 1, 1, 1], 0, 0],
    [
      'one word with the other speaker: deleted there, inserted here',
      [1, 1, 1, 2, 2, 2],
      [1, 1, 2, 2, 2, 2],
      1,
      2,
    ],
    ['a word without a speaker', [1, 1, 1, 2, 2, 2], [1, 1, null, 2, 2, 2], 1, 2],
    ['an extra speaker, whose word is an insertion', [1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 3, 3], 1, 2],
    ['two speakers with one label', [1, 1, 1, 1, 2, 2], [1, 1, 1, 1, 1, 1], 2, 4],
    ['no labels at all', [1, 1, 1, 2, 2, 2], [null, null, null, null, null, null], 6, 12],
  ])('counts errors for %s', (_, truth, labels, wrong, edited) => {
    expect(wrongWords(truth, labels)).toBe(wrong)
    expect(edits(words, truth, labels)).toBe(edited)
  })

  it('pairs the speakers at the lowest cost', () => {
    const square = fc.integer({ min: 1, max: 5 }).chain(size =>
      fc.array(fc.array(fc.nat(20), { minLength: size, maxLength: size }), {
        minLength: size,
        maxLength: size,
      }),
    )
    fc.assert(
      fc.property(square, costs => {
        expect(cheapest(costs)).toBe(leastOfAll(costs))
      }),
      runs,
    )
  })

  it('counts the minimum number of edits', () => {
    const text = fc.array(fc.nat(2), { maxLength: 6 })
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(distance(one, other)).toBe(fewestEdits(one, other))
      }),
      runs,
    )
  })
})

describe('baselines', () => {
  const who = {
    seconds: 0,
    sentences: [
      { start: 0, end: 2, text: '', speaker: 4 },
      { start: 2, end: 3, text: '', speaker: 6 },
    ],
  }
  const word = (start: number, end: number) => ({ text: 'w ', start, end })
  const sentence = { start: 0.5, end: 4, text: '', words: [word(0.5, 1), word(1.9, 2.4), word(3.5, 4)] }
  const what = { seconds: 0, sentences: [sentence] }

  it('the sentence baseline takes the speaker with most of the sentence', () => {
    expect(bySentence(who, what)).toEqual([4, 4, 4])
  })

  it('the word baseline takes the speaker with most of the word; outside all turns, none or the nearest', () => {
    expect(byWord(who, what, false)).toEqual([4, 6, null])
    expect(byWord(who, what, true)).toEqual([4, 6, 6])
  })
})

describe('a generated conversation', () => {
  it('a generated conversation is the same for the same seed, and different for another', () => {
    const noise = noises.at(-1)!
    expect(recogniseConversation(generateConversation(5), noise, 5)).toEqual(
      recogniseConversation(generateConversation(5), noise, 5),
    )
    expect(generateConversation(5)).not.toEqual(generateConversation(6))
  })

  it('generated conversations have two to six overlapping speakers, in three languages', () => {
    const all = Array.from({ length: 30 }, (_, i) => generateConversation(i + 1))
    expect(new Set(all.map(({ language }) => language)).size).toBe(3)
    expect(new Set(all.map(({ speakers }) => speakers))).toEqual(new Set([2, 3, 4, 5, 6]))
    for (const { words } of all)
      expect(
        words.some((said, i) => i > 0 && said.turn !== words[i - 1]!.turn && said.start < words[i - 1]!.end),
      ).toBe(true)
  })
})

function leastOfAll(costs: number[][], row = 0, used: number[] = []): number {
  if (row === costs.length) return 0
  const free = costs.map((_, j) => j).filter(j => !used.includes(j))
  return Math.min(...free.map(j => costs[row]![j]! + leastOfAll(costs, row + 1, [...used, j])))
}

function fewestEdits([a, ...one]: number[], [b, ...other]: number[]): number {
  if (a === undefined || b === undefined)
    return (a === undefined ? 0 : 1 + one.length) + (b === undefined ? 0 : 1 + other.length)
  if (a === b) return fewestEdits(one, other)
  return (
    1 + Math.min(fewestEdits(one, other), fewestEdits([a, ...one], other), fewestEdits(one, [b, ...other]))
  )
}
