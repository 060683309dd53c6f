// Whatever a model answers, the words that come out are the words that went in, in order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Judgement, type JudgeOptions, judge } from '../../../../src/pipeline/faithfulness/judge.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import { corpus, type Degree, languageOf, raw, type Tongue, tongues } from '../../../support/text/corpus.ts'
import { isFiller, withFillers } from '../../../support/text/fillers.ts'
import { mutations } from '../../../support/text/mutations.ts'
import { words } from '../../../support/text/words.ts'

const runs = { seed: 20261105, numRuns: 350 }

interface Scene {
  tongue: Tongue
  start: number
  size: number
  degree: Degree
  joint: string
  names: string[]
  seed: number
  shows: boolean
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  tongue: fc.constantFrom(...tongues),
  start: fc.nat(14),
  size: fc.integer({ min: 1, max: 6 }),
  degree: fc.constantFrom<Degree>(0, 1, 2, 3),
  joint: fc.constantFrom(' ', '\n'),
  names: fc.array(fc.constantFrom(...Object.keys(mutations)), { minLength: 1, maxLength: 3 }),
  seed: fc.nat(1_000_000),
  shows: fc.boolean(),
})

/** What is asked and what comes back, with a judge's wish. */
function played({ tongue, start, size, degree, joint, names, seed, shows }: Scene, hesitates = false) {
  const random = createSeededRandom(seed)
  const all = corpus[tongue]
  const first = start % all.length
  const paragraphs = all
    .slice(first, first + size)
    .map(text => (hesitates ? withFillers(text, tongue, random) : { said: text, cleaned: text }))
  const original = paragraphs.map(({ said }) => raw(said, degree)).join(joint)
  const before = raw(all[(first + all.length - 1) % all.length]!, degree)
  const faithful = paragraphs.map(({ cleaned }) => cleaned).join('\n\n')
  const answer = names.reduce((text, name) => mutations[name]!(text, { tongue, before, random }), faithful)
  const wish: JudgeOptions = {
    style: hesitates ? 'clean' : 'faithful',
    ...languageOf(tongue),
    ...(shows && { before }),
  }
  return { original, answer, wish, random }
}

const comingOut = ({ passages }: Judgement) => passages.map(({ text }) => text).join('\n')

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

/** Places between two words, of which some are drawn. */
function splits(original: string, random: () => number): number[] {
  const borders = [...original.matchAll(/(?<=\s)(?=\S)|(?<=\p{Lo})(?=[\p{sc=Han}\p{sc=Hira}])/gu)]
  const drawn = borders.map(({ index }) => index).filter(() => random() < 0.3)
  return [0, ...drawn, original.length]
}

describe('whatever a model answers', () => {
  it('what comes out is what went in, word by word', () => {
    fc.assert(
      fc.property(scenes, scene => {
        const { original, answer, wish } = played(scene)
        const judgement = judge(original, answer, wish)
        expect(words(comingOut(judgement))).toEqual(words(original))
        expect(judgement.removed).toEqual({})
        expectTiles(judgement, original)
      }),
      runs,
    )
  })

  it('the parts of what comes out, wherever it is cut, are the whole of it once', () => {
    fc.assert(
      fc.property(scenes, fc.boolean(), (scene, hesitates) => {
        const { original, answer, wish, random } = played(scene, hesitates)
        const judgement = judge(original, answer, wish)
        const places = splits(original, random)
        const parts = places
          .slice(1)
          .flatMap((to, i) => judgement.passages.map(({ part }) => part(places[i]!, to)))
        expect(words(parts.join('\n'))).toEqual(words(comingOut(judgement)))
      }),
      { ...runs, numRuns: 150 },
    )
  })

  it('of a clean text only listed fillers are missing, and they are counted', () => {
    fc.assert(
      fc.property(scenes, scene => {
        const { original, answer, wish } = played(scene, true)
        const judgement = judge(original, answer, wish)
        expectTiles(judgement, original)
        const counts: Record<string, number> = {}
        let left = ''
        let at = 0
        for (const removal of judgement.removals) {
          expect(removal.at).toBeGreaterThanOrEqual(at)
          const gone = original.slice(removal.at, removal.at + removal.length)
          expect(isFiller(gone, scene.tongue), gone).toBe(true)
          left += `${original.slice(at, removal.at)} `
          at = removal.at + removal.length
          counts[removal.name] = (counts[removal.name] ?? 0) + 1
        }
        expect(words(comingOut(judgement))).toEqual(words(left + original.slice(at)))
        expect(judgement.removed).toEqual(counts)
      }),
      runs,
    )
  })

  it('signs of all scripts in any order do not deceive it', () => {
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
        // A joint may come or go (no.t, ’um); what is said may not.
        expect(words(comingOut(judgement)).join('')).toBe(words(original).join(''))
      }),
      { ...runs, numRuns: 2_000 },
    )
  })

  it('an empty text stays empty', () => {
    for (const answer of ['', 'Hello.', '\n']) {
      const judgement = judge('', answer, { style: 'clean', language: 'en' })
      expect(comingOut(judgement)).toBe('')
      expect(judgement.removed).toEqual({})
    }
  })
})
