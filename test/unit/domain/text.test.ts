// joinText: spaces between words, none in scripts without them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinText } from '../../../src/domain/text.ts'
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
