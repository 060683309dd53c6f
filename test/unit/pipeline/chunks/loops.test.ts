// Detection of repetition loops, as opposed to ordinary repetition.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokens } from '../../../../src/domain/tokens.ts'
import { findLoop } from '../../../../src/pipeline/chunks/loops.ts'
import { vocabulary } from '../../../support/text/vocabulary.ts'

const runs = { seed: 20261103, numRuns: 300 }

describe('findLoop', () => {
  it.each([
    ['one character, twenty times', '嗯'.repeat(20), '嗯'],
    ['one word, ten times', 'no '.repeat(10).trim(), 'no'],
    ['a phrase, six times', 'I see you. '.repeat(6), 'I see you.'],
    ['a phrase in Chinese', '谢谢大家，'.repeat(5), '谢谢大家，'],
    [
      'a long sentence, four times',
      'and then he went back to the house again. '.repeat(4),
      'and then he went back to the house again.',
    ],
    ['a phrase with other marks and capitals', 'Thank you. thank you, THANK YOU! '.repeat(3), 'Thank you.'],
    ['speech on both sides', `First. ${'Go on. '.repeat(9)}Last.`, 'First. Go on. Last.'],
    ['speech that begins like the phrase', `${'I see. '.repeat(9)}I went.`, 'I see. I went.'],
    ['two loops', `${'ha '.repeat(12)}well ${'ho '.repeat(12)}`, 'ha well ho'],
    ['a loop between Chinese characters', `你好${'的'.repeat(15)}再见`, '你好的再见'],
  ])('collapses %s', (_, text, collapsed) => {
    expect(findLoop(text)).toEqual({ collapsed, tokens: tokens(text).length })
  })

  it.each([
    ['nothing', ''],
    ['ordinary speech', 'We went to the market, and then we went home, and then we slept.'],
    ['a word said three times', 'No, no, no, I did not say that.'],
    ['a word said nine times', 'very '.repeat(9)],
    ['a number', 'Call 5 5 5 0 1 0 0 0 now.'],
    ['a refrain sung three times', `${'Row, row, row your boat gently down the stream. '.repeat(3)}Merrily.`],
    ['Chinese with doubled words', '谢谢谢谢，好好好，慢慢走，天天见。'],
    ['the same words alternating with others', 'one two one three one four one five one six one seven'],
  ])('finds no loop in %s', (_, text) => {
    expect(findLoop(text)).toBeUndefined()
  })

  it('finds a loop at any position, and removes only the repeats', () => {
    const distinct = fc.shuffledSubarray(vocabulary, { minLength: 12, maxLength: 30 })
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 6 }), fc.nat(5), (words, phrase, before) => {
        const repeated = words.slice(before, before + phrase)
        const looping = [
          ...words.slice(0, before),
          ...Array(11).fill(repeated).flat(),
          ...words.slice(before + phrase),
        ]
        expect(findLoop(looping.join(' '))).toEqual({ collapsed: words.join(' '), tokens: looping.length })
      }),
      runs,
    )
  })
})
