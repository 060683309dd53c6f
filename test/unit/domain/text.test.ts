// Text in many scripts: joining, tokens, sentences, sizes; and the names by which people call a language.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTime } from '../../../src/domain/format-time.ts'
import { hintLanguages, languageHint, languageName } from '../../../src/domain/languages.ts'
import { sentences } from '../../../src/domain/sentences.ts'
import { joinText } from '../../../src/domain/text.ts'
import { estimateTokens } from '../../../src/domain/token-estimate.ts'
import { tokens } from '../../../src/domain/tokens.ts'

const runs = { seed: 20261101, numRuns: 300 }
/** Texts of words, ideographs, numbers, marks and blanks in any order. */
const texts = fc
  .array(
    fc
      .constantFrom(
        'Hello',
        'naïve',
        'U.S',
        'Mr',
        '3.5',
        '你',
        '好',
        'カー',
        '안녕',
        '😀',
        '.',
        '!',
        '?',
        '…',
        '。',
      )
      .map(String),
  )
  .chain(parts =>
    fc
      .array(fc.constantFrom('', ' ', '\n', ', ', '，', '」', '"'), {
        minLength: parts.length,
        maxLength: parts.length,
      })
      .map(gaps => parts.map((part, i) => part + gaps[i]).join('')),
  )
const withoutBlanks = (text: string) => text.replace(/\s+/g, '')

describe('joinText', () => {
  it.each([
    ['Latin words', 'one', 'two', 'one two'],
    ['Latin sentences', 'One.', 'Two.', 'One. Two.'],
    ['blanks at the seam', 'one  ', '\n two', 'one two'],
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
    ['nothing on the left', '', ' two', 'two'],
    ['nothing on the right', 'one ', ' ', 'one'],
  ])('%s', (_, left, right, joined) => {
    expect(joinText(left, right)).toBe(joined)
  })

  it('loses no sign but blanks, and adds none', () => {
    fc.assert(
      fc.property(texts, texts, (left, right) => {
        expect(withoutBlanks(joinText(left, right))).toBe(withoutBlanks(left + right))
      }),
      runs,
    )
  })
})

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
  ])('%j is compared as %j', (text, keys) => {
    expect(tokens(text).map(({ key }) => key)).toEqual(keys)
  })

  it('carry the marks behind them', () => {
    const text = '“Well, 好，」 (yes).'
    expect(tokens(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      '“Well,',
      '好，」',
      '(yes).',
    ])
  })

  it('lie in order, and between them are no letters or digits', () => {
    fc.assert(
      fc.property(texts, text => {
        const places = tokens(text).flatMap(({ start, end }) => [start, end])
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        const outside = [0, ...places, text.length]
        for (let i = 0; i < outside.length; i += 2)
          expect(text.slice(outside[i], outside[i + 1])).not.toMatch(/[\p{L}\p{N}]/u)
      }),
      runs,
    )
  })
})

describe('tokens of a script without spaces', () => {
  it('are words of Thai', () => {
    const found = tokens('สวัสดีครับ ผมชื่อสมชาย').map(({ key }) => key)
    expect(found.length).toBeGreaterThan(3)
    expect(found.join('')).toBe('สวัสดีครับผมชื่อสมชาย')
  })
})

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
  ])('%j', (text, expected) => {
    expect(sentences(text)).toEqual(expected)
  })

  it('lose nothing but blanks, and none is empty', () => {
    fc.assert(
      fc.property(texts, text => {
        const found = sentences(text)
        expect(withoutBlanks(found.join(''))).toBe(withoutBlanks(text))
        expect(found).not.toContain('')
      }),
      runs,
    )
  })
})

describe('estimateTokens', () => {
  it.each([
    ['', 0],
    ['abcd', 1],
    ['abcde', 2],
    ['привет', 3],
    ['你好', 2],
    ['カー', 2],
    ['안녕', 2],
    ['😀', 1],
    ['abcd你好', 3],
  ])('%j is about %i', (text, count) => {
    expect(estimateTokens(text)).toBe(count)
  })
})

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [59.999, '0:59'],
    [187, '3:07'],
    [3599, '59:59'],
    [3600, '1:00:00'],
    [3723.4, '1:02:03'],
    [90_000, '25:00:00'],
    [-0.001, '0:00'],
  ])('%f s is %s', (seconds, text) => {
    expect(formatTime(seconds)).toBe(text)
  })
})

describe('languageHint', () => {
  const unknown = expect.stringContaining('not one the model is known to hear')
  const notHinted = (name: string) => expect.stringContaining(`takes no hint for ${name}`)

  it.each(hintLanguages)('the API’s own code %s is sent as it is', code => {
    expect(languageHint(code)).toEqual({ code })
    expect(languageHint(languageName(code))).toEqual({ code })
  })

  // The 52 of the model's card: 30 languages and 22 Chinese dialects.
  it.each([
    ...[
      'zh',
      'en',
      'yue',
      'ar',
      'de',
      'fr',
      'es',
      'pt',
      'id',
      'it',
      'ko',
      'ru',
      'th',
      'vi',
      'ja',
      'tr',
      'hi',
      'ms',
    ],
    ...['sv', 'da', 'fi', 'pl', 'cs', 'fil'],
  ])('%s of the open model is sent', code => {
    expect(languageHint(code)).toEqual({ code })
  })

  it.each(['uk', 'is', 'no'])('%s, which only the API knows, is sent', code => {
    expect(languageHint(code)).toEqual({ code })
  })

  it.each([
    ['nl', 'Dutch'],
    ['fa', 'Persian'],
    ['el', 'Greek'],
    ['hu', 'Hungarian'],
    ['mk', 'Macedonian'],
    ['ro', 'Romanian'],
  ])('%s of the open model, which the API takes no hint for, is detected', (code, name) => {
    expect(languageHint(code)).toEqual({ warning: notHinted(name) })
    expect(languageHint(name)).toEqual({ warning: notHinted(name) })
  })

  it.each([
    ...[
      'Anhui',
      'Dongbei',
      'Fujian',
      'Gansu',
      'Guizhou',
      'Hebei',
      'Henan',
      'Hubei',
      'Hunan',
      'Jiangxi',
      'Ningxia',
    ],
    ...['Shandong', 'Shaanxi', 'Shanxi', 'Sichuan', 'Tianjin', 'Yunnan', 'Zhejiang', 'Wu', 'Minnan'],
  ])('the dialect %s is Chinese', dialect => {
    for (const form of [dialect, dialect.toUpperCase(), `${dialect} dialect`, `${dialect} Chinese`])
      expect(languageHint(form)).toEqual({ code: 'zh' })
  })

  it.each(['Cantonese (Hong Kong)', 'Cantonese (Guangdong)', 'cantonese', 'YUE', 'yue-HK'])(
    '%s is yue',
    given => {
      expect(languageHint(given)).toEqual({ code: 'yue' })
    },
  )

  it.each([
    ['EN', 'en'],
    [' English ', 'en'],
    ['en-US', 'en'],
    ['en_GB', 'en'],
    ['English (US)', 'en'],
    ['eng', 'en'],
    ['zh-Hant-TW', 'zh'],
    ['Mandarin', 'zh'],
    ['cmn', 'zh'],
    ['Chinese (Simplified)', 'zh'],
    ['Sichuanese', 'zh'],
    ['pt-BR', 'pt'],
    ['es-419', 'es'],
    ['Tagalog', 'fil'],
    ['nb', 'no'],
    ['Castilian', 'es'],
    ['deu', 'de'],
    ['ger', 'de'],
  ])('%j is %s', (given, code) => {
    expect(languageHint(given)).toEqual({ code })
  })

  it.each([undefined, '', '  ', 'auto', 'Detect'])('%j is detected without a word', given => {
    expect(languageHint(given)).toEqual({})
  })

  it.each(['Klingon', 'xx', 'constructor', '__proto__', 'no idea', 'english please', '你'])(
    '%j is detected with a warning that does not repeat it',
    given => {
      const hint = languageHint(given)
      expect(hint).toEqual({ warning: unknown })
      expect(hint.warning).not.toContain(given)
    },
  )

  it('a code without a name is its own name', () => {
    expect([languageName('yue'), languageName('xx')]).toEqual(['Cantonese', 'xx'])
  })
})
