// Joining of overlapping texts: each word once, also where a cut broke some.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinText } from '../../../../src/domain/text.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import { joinOverlap } from '../../../../src/pipeline/chunks/seams.ts'
import { vocabulary } from '../../../support/text/vocabulary.ts'

const runs = { seed: 20261103, numRuns: 300 }

const keys = (text: string) => tokens(text).map(({ key }) => key)

describe('joinOverlap', () => {
  it.each([
    ['the same words', 'we went to the market', 'to the market and home', 'we went to the market and home'],
    ['one word', 'we went home', 'home is good', 'we went home is good'],
    ['a word cut off on the left', 'went to the mark', 'to the market again', 'went to the market again'],
    ['a word cut off on the right', 'went to the market', 'oo the market again', 'went to the market again'],
    [
      'words broken on both sides',
      'I like red gr pl',
      'uh ed red green blue plums',
      'I like red green blue plums',
    ],
    [
      'a capital and a full stop at the cut',
      'He went to the market.',
      'The market is far.',
      'He went to the market is far.',
    ],
    ['a comma in only one text', 'well, yes, of course', 'yes of course I do', 'well, yes, of course I do'],
    ['a real repetition inside', 'he said no, no, no', 'no, no, no and left', 'he said no, no, no and left'],
    [
      'a repetition that is in the overlap in part',
      'he said no no',
      'no no no and left',
      'he said no no no and left',
    ],
    [
      'a word said twice, once before the overlap',
      'no that is no good',
      'good is that no',
      'no that is no good is that no',
    ],
    ['Chinese', '今天天气很好我们', '很好，我们去公园。', '今天天气很好我们去公园。'],
    ['a broken Chinese character', '今天天气很好我门', '天气很好我们去公园', '今天天气很好我们去公园'],
    ['Chinese and Latin', '我们用 Python 写', 'Python 写程序', '我们用 Python 写程序'],
  ])('keeps the words of an overlap once: %s', (_, left, right, expected) => {
    expect(joinText(...joinOverlap(left, right, 2))).toBe(expected)
  })

  it.each([
    ['no word in common', 'one two three', 'four five six'],
    ['nothing on the left', '', 'one two'],
    ['nothing on the right', 'one two', ''],
    [
      'the same word far from the seam',
      `home ${'and so on '.repeat(20)}end`,
      `start ${'of it all '.repeat(20)}home`,
    ],
  ])('keeps both texts whole: %s', (_, left, right) => {
    expect(joinOverlap(left, right, 1)).toEqual([left, right])
  })

  it('restores the words for any overlap with broken ends', () => {
    const broken = (...forms: string[]) => fc.array(fc.constantFrom(...forms), { maxLength: 2 })
    const said = fc.shuffledSubarray(vocabulary, { minLength: 45, maxLength: 55 })
    fc.assert(
      fc.property(
        said,
        fc.nat(20),
        fc.integer({ min: 1, max: 12 }),
        broken('brr', 'zz'),
        broken('ack', 'ooh'),
        (words, before, common, endsIn, beginsIn) => {
          const left = [...words.slice(0, before + beginsIn.length + common), ...endsIn]
          const right = [...beginsIn, ...words.slice(before + beginsIn.length)]
          const seconds = (beginsIn.length + common + endsIn.length) / 2.5
          const [head, tail] = joinOverlap(left.join(' '), right.join(' '), seconds)
          expect(keys(joinText(head, tail))).toEqual(words)
        },
      ),
      runs,
    )
  })

  it('finds long overlaps of frequent words', () => {
    const few = fc.constantFrom(...vocabulary.slice(0, 12))
    fc.assert(
      fc.property(
        fc.array(few, { minLength: 40, maxLength: 40 }),
        fc.integer({ min: 8, max: 12 }),
        (words, common) => {
          const left = words.slice(0, 15 + common).join(' ')
          const right = words.slice(15).join(' ')
          expect(keys(joinText(...joinOverlap(left, right, common / 2.5)))).toEqual(words)
        },
      ),
      runs,
    )
  })
})

describe('joinOverlap in a refrain', () => {
  it.each([
    ['la', 1],
    ['we will rock you', 4],
    ['one two three four five six seven eight nine ten', 10],
  ])('keeps nearly every word of a refrain of "%s", by the pace of the speech', (phrase, _) => {
    const words = Array.from({ length: 800 }, (_, i) => phrase.split(' ')[i % phrase.split(' ').length]!)
    const [left, right] = joinOverlap(words.slice(0, 400).join(' '), words.slice(392).join(' '), 3, 8)
    expect(Math.abs(tokens(`${left} ${right}`).length - 800)).toBeLessThanOrEqual(2)
  })
})
