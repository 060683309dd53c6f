// joinText: spaces between words, none in scripts without them; and texts without control characters.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asLine, joinText, oneLine, withoutControls } from '../../../src/domain/text.ts'
import { multilingualRuns, multilingualTexts, withoutSpaces } from '../../support/text/multilingual-texts.ts'

describe('joinText', () => {
  it.each([
    ['Latin words', 'one', 'two', 'one two'],
    ['Latin sentences', 'One.', 'Two.', 'One. Two.'],
    ['spaces around the join', 'one  ', '\n two', 'one two'],
    ['Chinese', '你好', '世界', '你好世界'],
    ['Chinese sentences', '你好。', '世界。', '你好。世界。'],
    ['characters beyond 16 bits', '𠮷', '𠮷野', '𠮷𠮷野'],
    ['Japanese', 'こんにちは。', '元気', 'こんにちは。元気'],
    ['Japanese after a long vowel', 'コーヒー', 'を飲む', 'コーヒーを飲む'],
    ['Korean', '안녕', '하세요', '안녕 하세요'],
    ['Chinese, then Latin', '我用', 'Python', '我用 Python'],
    ['Latin, then Chinese', 'Python', '很好', 'Python 很好'],
    ['a Latin sentence, then Chinese', 'Hello.', '你好', 'Hello. 你好'],
    ['a Chinese sentence, then Latin', '你好。', 'Hello', '你好。 Hello'],
    ['Chinese, then digits', '共', '3', '共3'],
    ['digits, then Chinese', '3', '个', '3个'],
    ['digits', '3', '5', '3 5'],
    ['Chinese, then marks', '你好', ', 世界', '你好, 世界'],
    ['Hindi', 'नमस्ते', 'दुनिया', 'नमस्ते दुनिया'],
    ['an empty left side', '', ' two', 'two'],
    ['a blank right side', 'one ', ' ', 'one'],
  ])('joins %s correctly', (_, left, right, joined) => {
    expect(joinText(left, right)).toBe(joined)
  })

  it('joining removes and adds nothing but spaces', () => {
    fc.assert(
      fc.property(multilingualTexts, multilingualTexts, (left, right) => {
        expect(withoutSpaces(joinText(left, right))).toBe(withoutSpaces(left + right))
      }),
      multilingualRuns,
    )
  })
})

describe('text from outside', () => {
  const odd = ' a\x1b[31m\tb\r\nc\0\x9bd\u202ee\u2066f\u2028g '

  it('a text without controls keeps its line breaks and tabs', () => {
    expect(withoutControls(odd)).toBe(' a \tb \nc d e f\u2028g ')
  })

  it('a line has single spaces and no controls', () => {
    expect(asLine(odd)).toBe('a b c d e f g')
  })

  it('a title has at most 200 characters, and none of them is cut', () => {
    expect(oneLine('𠮷'.repeat(300))).toBe('𠮷'.repeat(200))
  })

  it('letters that need marks to join stay as they are', () => {
    for (const text of ['می‌خواهم', 'क्‍ष', '👩‍👧', 'é\u0301', 'שלום\u200f']) expect(asLine(text)).toBe(text)
  })
})
