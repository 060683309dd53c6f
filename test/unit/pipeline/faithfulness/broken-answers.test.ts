// Answers that break off, begin late, repeat their context, come in another order, or have no end.
import { describe, expect, it } from 'vitest'
import { type JudgeOptions, judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { corpus, languageOf, raw, type Tongue } from '../../../support/text/corpus.ts'
import { words } from '../../../support/text/words.ts'

const tongues: Tongue[] = ['en', 'ru', 'zh', 'ja', 'ar', 'th']

function judged(original: string, answer: string, wish: Partial<JudgeOptions> = {}) {
  const { passages } = judge(original, answer, { style: 'faithful', ...wish })
  return {
    passages,
    text: passages.map(({ text }) => text).join('\n'),
    taken: passages.filter(({ kept }) => !kept).map(({ text }) => text),
    kept: passages.filter(({ kept }) => kept).map(({ text }) => text),
  }
}

/** Three paragraphs, and as they were given. */
function three(tongue: Tongue): { original: string; answered: string[]; language?: string } {
  const answered = corpus[tongue].slice(0, 3)
  return { original: answered.map(text => raw(text, 0)).join(' '), answered, ...languageOf(tongue) }
}

describe('an answer that breaks off', () => {
  it.each(tongues)('gives what it has, and the rest stands as it was: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const answer = answered.join('\n\n')
    for (let cut = 1; cut < answer.length; cut += 41) {
      const { text, taken } = judged(original, answer.slice(0, cut), wish)
      expect(words(text), `cut at ${cut}`).toEqual(words(original))
      const ended = answered.filter((_, i) => answered.slice(0, i + 1).join('\n\n').length <= cut)
      expect(taken.slice(0, ended.length).join('\n'), `cut at ${cut}`).toContain(ended.join('\n'))
    }
  })

  it('keeps the sentences that were whole', () => {
    const { passages } = judged(
      'the door was open we went in it was dark',
      'The door was open. We went in. It was da',
    )
    expect(passages.map(({ text }) => text)).toEqual(['The door was open. We went in.', 'it was dark'])
  })

  it('does not part a word that has a mark in it', () => {
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
  it.each(tongues)('begins late: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const { text, taken } = judged(original, answered.slice(1).join('\n\n'), wish)
    expect(words(text)).toEqual(words(original))
    expect(taken).toEqual(answered.slice(1))
  })

  it.each(tongues)('lacks a paragraph: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const { taken, kept } = judged(original, [answered[0], answered[2]].join('\n\n'), wish)
    expect(taken).toEqual([answered[0], answered[2]])
    expect(kept).toHaveLength(1)
  })

  it.each(tongues)('has one twice: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const twice = [answered[0], answered[1], answered[1], answered[2]].join('\n\n')
    expect(judged(original, twice, wish).taken).toEqual(answered)
  })

  it.each(tongues)('has a foreign one: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const foreign = corpus[tongue === 'en' ? 'ru' : 'en'][7]!
    const all = [answered[0], foreign, answered[1], answered[2]].join('\n\n')
    expect(judged(original, all, wish).taken).toEqual(answered)
  })

  it.each(tongues)('has one translated: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const foreign = corpus[tongue === 'en' ? 'ru' : 'en'][1]!
    const { taken, kept } = judged(original, [answered[0], foreign, answered[2]].join('\n\n'), wish)
    expect(taken).toEqual([answered[0], answered[2]])
    expect(words(kept.join('\n'))).toEqual(words(answered[1]!))
  })

  it.each(tongues)('repeats its context: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const shown = corpus[tongue][4]!
    const before = raw(shown, 0)
    for (const answer of [`${shown}\n\n${answered.join('\n\n')}`, `${shown} ${answered.join('\n\n')}`]) {
      const { text, kept } = judged(original, answer, { ...wish, before })
      expect(words(text)).toEqual(words(original))
      expect(kept).toEqual([])
    }
  })

  it('has its context alone', () => {
    const { text, taken } = judged('and then we left', 'It was late.', { before: 'it was late' })
    expect(text).toBe('and then we left')
    expect(taken).toEqual([])
  })

  it('says the same as its context, and was told to', () => {
    const { text, kept } = judged('it was late', 'It was late.', { before: 'it was late' })
    expect(text).toBe('It was late.')
    expect(kept).toEqual([])
  })

  it.each(tongues)('comes in another order: %s', tongue => {
    const { original, answered, ...wish } = three(tongue)
    const { text, taken } = judged(original, answered.toReversed().join('\n\n'), wish)
    expect(words(text)).toEqual(words(original))
    expect(taken.length).toBeGreaterThan(0)
  })
})

describe('an answer without an end', () => {
  const { original, answered } = three('en')
  const endless: [string, string][] = [
    ['a line', `${answered[0]!.slice(0, 120)}\n`.repeat(5_000)],
    ['a word', 'and '.repeat(30_000)],
    ['a sentence', 'and. '.repeat(20_000)],
    ['a mark', ')'.repeat(20_000)],
    ['a thought', '<think>'.repeat(5_000)],
    ['a bracket of JSON', '['.repeat(50_000)],
    ['blanks', ' '.repeat(50_000)],
    ['empty lines', '\n \n'.repeat(30_000)],
  ]

  it.each(endless)('leaves the original as it was: %s', (_, answer) => {
    const { text } = judged(original, answer)
    expect(words(text)).toEqual(words(original))
  })

  it.each(endless)('does not cost what stands before it: %s', (_, answer) => {
    const { text, taken } = judged(original, `${answered.join('\n\n')}\n\n${answer}`)
    expect(words(text)).toEqual(words(original))
    expect(taken).toEqual(answered)
  })
})

describe('an answer that got stuck', () => {
  it('in stars costs no time, and the text stands', () => {
    const { passages } = judge('we went to the store', `${'*'.repeat(10_000)} we went`, { style: 'faithful' })
    expect(passages.map(({ text }) => text).join(' ')).toBe('we went to the store')
  })
})

describe('what is no filler', () => {
  it.each([
    ['a measure', 'the screw is 5mm wide', 'The screw is wide.'],
    ['a name with a sign', 'we like H&M a lot', 'We like a lot.'],
    ['a helicopter', 'a UH-60 landed', 'A landed.'],
    ['a yes', 'mm hmm', 'That is right.'],
  ])('%s stays', (_, original, answer) => {
    const { passages, removed } = judge(original, answer, { style: 'clean', language: 'en' })
    expect(passages.map(({ text }) => text).join(' ')).toBe(original)
    expect(removed).toEqual({})
  })
})
