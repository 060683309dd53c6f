// Properties of the judge: for any answer the result has the words of the original, in order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Judgement, type JudgeOptions, judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import {
  type CorpusLanguage,
  corpus,
  corpusLanguages,
  type LossDegree,
  languageOption,
  toRawText,
} from '../../../support/text/corpus.ts'
import { isFiller, withFillers } from '../../../support/text/fillers.ts'
import { mutations } from '../../../support/text/mutations.ts'
import { words } from '../../../support/text/words.ts'

const runs = { seed: 20261105, numRuns: 350 }

interface Scene {
  language: CorpusLanguage
  start: number
  size: number
  degree: LossDegree
  separator: string
  names: string[]
  seed: number
  showsContext: boolean
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  language: fc.constantFrom(...corpusLanguages),
  start: fc.nat(14),
  size: fc.integer({ min: 1, max: 6 }),
  degree: fc.constantFrom<LossDegree>(0, 1, 2, 3),
  separator: fc.constantFrom(' ', '\n'),
  names: fc.array(fc.constantFrom(...Object.keys(mutations)), { minLength: 1, maxLength: 3 }),
  seed: fc.nat(1_000_000),
  showsContext: fc.boolean(),
})

/** Builds an original and a mutated answer, with options for the judge. */
function buildCase(
  { language, start, size, degree, separator, names, seed, showsContext }: Scene,
  hasFillers = false,
) {
  const random = createSeededRandom(seed)
  const all = corpus[language]
  const first = start % all.length
  const paragraphs = all
    .slice(first, first + size)
    .map(text => (hasFillers ? withFillers(text, language, random) : { said: text, cleaned: text }))
  const original = paragraphs.map(({ said }) => toRawText(said, degree)).join(separator)
  const before = toRawText(all[(first + all.length - 1) % all.length]!, degree)
  const faithful = paragraphs.map(({ cleaned }) => cleaned).join('\n\n')
  const answer = names.reduce((text, name) => mutations[name]!(text, { language, before, random }), faithful)
  const options: JudgeOptions = {
    style: hasFillers ? 'clean' : 'faithful',
    ...languageOption(language),
    ...(showsContext && { before }),
  }
  return { original, answer, options, random }
}

const resultText = ({ passages }: Judgement) => passages.map(({ text }) => text).join('\n')

function expectTiles({ passages }: Judgement, original: string): void {
  expect(passages[0]?.from).toBe(0)
  expect(passages.at(-1)?.to).toBe(original.length)
  for (const [i, { from, to, text, kept }] of passages.entries()) {
    expect(from).toBe(passages[i - 1]?.to ?? 0)
    expect(to).toBeGreaterThan(from)
    expect(text).toBe(text.trim())
    if (kept) expect(text).toBe(original.slice(from, to).trim())
  }
  expect(passages[0]?.opens).toBe(true)
}

/** Draws some of the offsets between two words. */
function splits(original: string, random: () => number): number[] {
  const boundaries = [...original.matchAll(/(?<=\s)(?=\S)|(?<=\p{Lo})(?=[\p{sc=Han}\p{sc=Hira}])/gu)]
  const drawn = boundaries.map(({ index }) => index).filter(() => random() < 0.3)
  return [0, ...drawn, original.length]
}

describe('any answer', () => {
  it('any answer leaves the words of the original', () => {
    fc.assert(
      fc.property(scenes, scene => {
        const { original, answer, options } = buildCase(scene)
        const judgement = judge(original, answer, options)
        expect(words(resultText(judgement))).toEqual(words(original))
        expect(judgement.removed).toEqual({})
        expectTiles(judgement, original)
      }),
      runs,
    )
  })

  it('the parts of the result between any cuts add up to the result', () => {
    fc.assert(
      fc.property(scenes, fc.boolean(), (scene, hasFillers) => {
        const { original, answer, options, random } = buildCase(scene, hasFillers)
        const judgement = judge(original, answer, options)
        const offsets = splits(original, random)
        const parts = offsets
          .slice(1)
          .flatMap((to, i) => judgement.passages.map(({ part }) => part(offsets[i]!, to)))
        expect(words(parts.join('\n'))).toEqual(words(resultText(judgement)))
      }),
      { ...runs, numRuns: 150 },
    )
  })

  it('the clean style removes listed fillers only, and counts them', () => {
    fc.assert(
      fc.property(scenes, scene => {
        const { original, answer, options } = buildCase(scene, true)
        const judgement = judge(original, answer, options)
        expectTiles(judgement, original)
        const counts: Record<string, number> = {}
        let left = ''
        let at = 0
        for (const removal of judgement.removals) {
          expect(removal.at).toBeGreaterThanOrEqual(at)
          const gone = original.slice(removal.at, removal.at + removal.length)
          expect(isFiller(gone, scene.language), gone).toBe(true)
          left += `${original.slice(at, removal.at)} `
          at = removal.at + removal.length
          counts[removal.name] = (counts[removal.name] ?? 0) + 1
        }
        expect(words(resultText(judgement))).toEqual(words(left + original.slice(at)))
        expect(judgement.removed).toEqual(counts)
      }),
      runs,
    )
  })

  it('random characters of all scripts leave the words of the original', () => {
    const signs = fc.constantFrom(
      ...['a', 'A', 'b', 'were', "we're", 'i', 'ı', 'İ', 'ß', 'é', 'e\u0301', 'ς', 'й', 'um', 'not'],
      ...['3', '5', '.', ',', '-', '−', '²', '½', '٣', '$', '%', '&', '@', "'", '’', '"', '(', '…', '\u200b'],
      ...[
        '你',
        '嗯',
        'の',
        'ガ',
        'ｶﾞ',
        'ก',
        'ำ',
        '่',
        '안',
        'ﷺ',
        'ー',
        '。',
        '😀',
        '<b>',
        '&amp;',
        '```',
        '# ',
        '\ud800',
      ],
    )
    const texts = fc
      .array(fc.tuple(signs, fc.constantFrom('', '', ' ', '\n', '. ', ', ')), { maxLength: 12 })
      .map(pairs => pairs.map(pair => pair.join('')).join(''))
    const twins = texts.chain(original =>
      fc.tuple(
        fc.constant(original),
        fc.oneof(
          texts,
          fc
            .array(fc.tuple(fc.nat(40), signs), { maxLength: 3 })
            .map(changes =>
              changes.reduce((text, [at, sign]) => text.slice(0, at) + sign + text.slice(at), original),
            ),
          fc.nat(40).map(at => original.slice(0, at) + original.slice(at + 1)),
        ),
      ),
    )
    fc.assert(
      fc.property(twins, fc.constantFrom(undefined, '', 'a', 'b 3'), ([original, answer], before) => {
        const judgement = judge(original, answer, {
          style: 'faithful',
          ...(before !== undefined && { before }),
        })
        // Joiners may come or go (no.t, ’um); words may not.
        expect(words(resultText(judgement)).join('')).toBe(words(original).join(''))
      }),
      { ...runs, numRuns: 2_000 },
    )
  })

  it('an empty text stays empty for any answer', () => {
    for (const answer of ['', 'Hello.', '\n']) {
      const judgement = judge('', answer, { style: 'clean', language: 'en' })
      expect(resultText(judgement)).toBe('')
      expect(judgement.removed).toEqual({})
    }
  })
})
