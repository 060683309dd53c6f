// Sentences of text in many scripts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sentences } from '../../../src/domain/text.ts'
import { multilingualRuns, multilingualTexts, withoutSpaces } from '../../support/text/multilingual-texts.ts'

describe('sentences', () => {
  it.each<[string, string[]]>([
    ['One. Two! Three?', ['One.', 'Two!', 'Three?']],
    ['What?! Well... Yes…', ['What?!', 'Well...', 'Yes…']],
    ['He said "Stop." Then (he left.) Gone.', ['He said "Stop."', 'Then (he left.)', 'Gone.']],
    ['It costs 3.5 dollars. Cheap.', ['It costs 3.5 dollars.', 'Cheap.']],
    ['Mr. Smith met Dr. Who, e.g. there. Good.', ['Mr. Smith met Dr. Who, e.g. there.', 'Good.']],
    ['J. K. Rowling wrote. We read.', ['J. K. Rowling wrote.', 'We read.']],
    ['He is from the U.S. and stays. So do I.', ['He is from the U.S. and stays.', 'So do I.']],
    ['The U.S. Army at 5 p.m. sharp. It left.', ['The U.S. Army at 5 p.m. sharp.', 'It left.']],
    ['Apples, pears etc. are fruit. Yes.', ['Apples, pears etc. are fruit.', 'Yes.']],
    ['No. 5 is it. No. It is not.', ['No. 5 is it.', 'No.', 'It is not.']],
    ['你好。世界！真的？', ['你好。', '世界！', '真的？']],
    ['他说：“好。”然后走了。', ['他说：“好。”', '然后走了。']],
    ['「はい。」と言った。３．５です', ['「はい。」', 'と言った。', '３．５です']],
    ['Да. Нет! Что?', ['Да.', 'Нет!', 'Что?']],
    ['हाँ। नहीं।', ['हाँ।', 'नहीं।']],
    ['ماذا؟ نعم.', ['ماذا؟', 'نعم.']],
    ['see example.com/a.b for v1.2.3', ['see example.com/a.b for v1.2.3']],
    ['no marks at all', ['no marks at all']],
    ['没有标点的一句话', ['没有标点的一句话']],
    [' \n', []],
    ['', []],
  ])('%j is split into sentences', (text, expected) => {
    expect(sentences(text)).toEqual(expected)
  })

  it('splitting loses nothing but spaces, and no sentence is empty', () => {
    fc.assert(
      fc.property(multilingualTexts, text => {
        const found = sentences(text)
        expect(withoutSpaces(found.join(''))).toBe(withoutSpaces(text))
        expect(found).not.toContain('')
      }),
      multilingualRuns,
    )
  })
})
