// Tokens of text in many scripts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokens } from '../../../src/domain/tokens.ts'
import { multilingualRuns, multilingualTexts } from '../../support/text/multilingual-texts.ts'

describe('tokens', () => {
  it.each([
    ['Hello, World! ', ['hello', 'world']],
    ['don’t stop', ['dont', 'stop']],
    ['It’s 3.5 %', ['its', '35']],
    ['- a – b -', ['a', 'b']],
    ['你好，世界', ['你', '好', '世', '界']],
    ['用Python写', ['用', 'python', '写']],
    ['ＡＢＣ ﬁne', ['abc', 'fine']],
    ['안녕 하세요', ['안녕', '하세요']],
    ['𠮷野', ['𠮷', '野']],
    ['हिन्दी में', ['हिन्दी', 'में']],
    ['... !?', []],
    ['', []],
  ])('%j is split into the tokens %j', (text, keys) => {
    expect(tokens(text).map(({ key }) => key)).toEqual(keys)
  })

  it('a token includes the punctuation that follows it', () => {
    const text = '“Well, 好，」 (yes).'
    expect(tokens(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      '“Well,',
      '好，」',
      '(yes).',
    ])
  })

  it('tokens are in order and cover all letters and digits', () => {
    fc.assert(
      fc.property(multilingualTexts, text => {
        const offsets = tokens(text).flatMap(({ start, end }) => [start, end])
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
        const outside = [0, ...offsets, text.length]
        for (let i = 0; i < outside.length; i += 2)
          expect(text.slice(outside[i], outside[i + 1])).not.toMatch(/[\p{L}\p{N}]/u)
      }),
      multilingualRuns,
    )
  })

  it('Thai is split into dictionary words', () => {
    const found = tokens('สวัสดีครับ ผมชื่อสมชาย').map(({ key }) => key)
    expect(found.length).toBeGreaterThan(3)
    expect(found.join('')).toBe('สวัสดีครับผมชื่อสมชาย')
  })
})
