// Judged answers that are cut off, incomplete, repetitive, reordered or endless.
import { describe, expect, it } from 'vitest'
import { type JudgeOptions, judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { type CorpusLanguage, corpus, languageOption, toRawText } from '../../../support/text/corpus.ts'
import { words } from '../../../support/text/words.ts'

const languages: CorpusLanguage[] = ['en', 'ru', 'zh', 'ja', 'ar', 'th']

function judged(original: string, answer: string, options: Partial<JudgeOptions> = {}) {
  const { passages } = judge(original, answer, { style: 'faithful', ...options })
  return {
    passages,
    text: passages.map(({ text }) => text).join('\n'),
    accepted: passages.filter(({ kept }) => !kept).map(({ text }) => text),
    kept: passages.filter(({ kept }) => kept).map(({ text }) => text),
  }
}

/** Three paragraphs, and their recognised text. */
function three(language: CorpusLanguage): { original: string; answered: string[]; language?: string } {
  const answered = corpus[language].slice(0, 3)
  return {
    original: answered.map(text => toRawText(text, 0)).join(' '),
    answered,
    ...languageOption(language),
  }
}

describe('a cut-off answer', () => {
  it.each(languages)('a cut-off answer is accepted as far as it goes: %s', language => {
    const { original, answered, ...options } = three(language)
    const answer = answered.join('\n\n')
    for (let cut = 1; cut < answer.length; cut += 41) {
      const { text, accepted } = judged(original, answer.slice(0, cut), options)
      expect(words(text), `cut at ${cut}`).toEqual(words(original))
      const ended = answered.filter((_, i) => answered.slice(0, i + 1).join('\n\n').length <= cut)
      expect(accepted.slice(0, ended.length).join('\n'), `cut at ${cut}`).toContain(ended.join('\n'))
    }
  })

  it('the complete sentences of a cut-off answer are accepted', () => {
    const { passages } = judged(
      'the door was open we went in it was dark',
      'The door was open. We went in. It was da',
    )
    expect(passages.map(({ text }) => text)).toEqual(['The door was open. We went in.', 'it was dark'])
  })

  it('a cut within a word with punctuation does not split the word', () => {
    const original = "i said don't go there because a well-known man from example.com said 3.5 times no"
    const answer = "I said don't go there because a well-known man from example.com said 3.5 times no."
    for (let cut = 1; cut < answer.length; cut++) {
      for (const part of [answer.slice(0, cut), answer.slice(cut)]) {
        const { text } = judged(original, part)
        expect(text.toLowerCase().split(/\s+/).join(' '), part).toMatch(
          /^i said don't .* well-known .* example\.com said 3\.5 /,
        )
      }
    }
  })
})

describe('an answer with something else in it', () => {
  it.each(languages)('an answer without the first paragraph is accepted from the second on: %s', language => {
    const { original, answered, ...options } = three(language)
    const { text, accepted } = judged(original, answered.slice(1).join('\n\n'), options)
    expect(words(text)).toEqual(words(original))
    expect(accepted).toEqual(answered.slice(1))
  })

  it.each(languages)('a paragraph missing from the answer keeps the original text: %s', language => {
    const { original, answered, ...options } = three(language)
    const { accepted, kept } = judged(original, [answered[0], answered[2]].join('\n\n'), options)
    expect(accepted).toEqual([answered[0], answered[2]])
    expect(kept).toHaveLength(1)
  })

  it.each(languages)('a repeated paragraph is accepted once: %s', language => {
    const { original, answered, ...options } = three(language)
    const twice = [answered[0], answered[1], answered[1], answered[2]].join('\n\n')
    expect(judged(original, twice, options).accepted).toEqual(answered)
  })

  it.each(languages)('a foreign paragraph is dropped: %s', language => {
    const { original, answered, ...options } = three(language)
    const foreign = corpus[language === 'en' ? 'ru' : 'en'][7]!
    const all = [answered[0], foreign, answered[1], answered[2]].join('\n\n')
    expect(judged(original, all, options).accepted).toEqual(answered)
  })

  it.each(languages)('a translated paragraph keeps the original text: %s', language => {
    const { original, answered, ...options } = three(language)
    const foreign = corpus[language === 'en' ? 'ru' : 'en'][1]!
    const { accepted, kept } = judged(original, [answered[0], foreign, answered[2]].join('\n\n'), options)
    expect(accepted).toEqual([answered[0], answered[2]])
    expect(words(kept.join('\n'))).toEqual(words(answered[1]!))
  })

  it.each(languages)('repeated context is dropped: %s', language => {
    const { original, answered, ...options } = three(language)
    const shown = corpus[language][4]!
    const before = toRawText(shown, 0)
    for (const answer of [`${shown}\n\n${answered.join('\n\n')}`, `${shown} ${answered.join('\n\n')}`]) {
      const { text, kept } = judged(original, answer, { ...options, before })
      expect(words(text)).toEqual(words(original))
      expect(kept).toEqual([])
    }
  })

  it('an answer of the context alone is rejected', () => {
    const { text, accepted } = judged('and then we left', 'It was late.', { before: 'it was late' })
    expect(text).toBe('and then we left')
    expect(accepted).toEqual([])
  })

  it('an answer that equals text and context is accepted for the text', () => {
    const { text, kept } = judged('it was late', 'It was late.', { before: 'it was late' })
    expect(text).toBe('It was late.')
    expect(kept).toEqual([])
  })

  it.each(languages)('a reordered answer keeps the order of the original: %s', language => {
    const { original, answered, ...options } = three(language)
    const { text, accepted } = judged(original, answered.toReversed().join('\n\n'), options)
    expect(words(text)).toEqual(words(original))
    expect(accepted.length).toBeGreaterThan(0)
  })
})

describe('an endless answer', () => {
  const { original, answered } = three('en')
  const endlessAnswers: [string, string][] = [
    ['a line', `${answered[0]!.slice(0, 120)}\n`.repeat(5_000)],
    ['a word', 'and '.repeat(30_000)],
    ['a sentence', 'and. '.repeat(20_000)],
    ['a mark', ')'.repeat(20_000)],
    ['a thought', '<think>'.repeat(5_000)],
    ['a bracket of JSON', '['.repeat(50_000)],
    ['blanks', ' '.repeat(50_000)],
    ['empty lines', '\n \n'.repeat(30_000)],
  ]

  it.each(endlessAnswers)('an endless answer leaves the original unchanged: %s', (_, answer) => {
    const { text } = judged(original, answer)
    expect(words(text)).toEqual(words(original))
  })

  it.each(endlessAnswers)('the text before an endless tail is accepted: %s', (_, answer) => {
    const { text, accepted } = judged(original, `${answered.join('\n\n')}\n\n${answer}`)
    expect(words(text)).toEqual(words(original))
    expect(accepted).toEqual(answered)
  })
})

describe('an answer of repeated asterisks', () => {
  it('ten thousand asterisks are judged fast, and the original stays', () => {
    const { passages } = judge('we went to the store', `${'*'.repeat(10_000)} we went`, { style: 'faithful' })
    expect(passages.map(({ text }) => text).join(' ')).toBe('we went to the store')
  })
})

describe('an answer with control characters', () => {
  it('control characters of an answer do not reach the text, also those written as entities', () => {
    const answer = 'We went\x1b, to&#27; the store.\x9b'
    const { passages } = judge('we went to the store', answer, { style: 'faithful' })
    const text = passages.map(({ text }) => text).join(' ')
    expect(text).not.toMatch(/\p{Cc}/u)
    expect(words(text)).toEqual(words('we went to the store'))
  })
})

describe('text that resembles a filler', () => {
  it.each([
    ['a measure', 'the screw is 5mm wide', 'The screw is wide.'],
    ['a name with a sign', 'we like H&M a lot', 'We like a lot.'],
    ['a helicopter', 'a UH-60 landed', 'A landed.'],
    ['a yes', 'mm hmm', 'That is right.'],
  ])('text that resembles a filler stays: %s', (_, original, answer) => {
    const { passages, removed } = judge(original, answer, { style: 'clean', language: 'en' })
    expect(passages.map(({ text }) => text).join(' ')).toBe(original)
    expect(removed).toEqual({})
  })
})
