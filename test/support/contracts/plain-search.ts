// A plain reading of all transcripts, as the expectation of a search; and random libraries and queries for it.
import fc from 'fast-check'
import type { Transcript } from '../../../src/domain/transcript.ts'
import { segment } from '../transcripts.ts'

/** Words that begin alike, frequent and rare ones, and characters that need no spaces. */
const vocabulary = [
  'a',
  'an',
  'and',
  'andes',
  'b',
  'be',
  'bed',
  'budget',
  '1',
  '12',
  '2026',
  '我',
  '们',
  '人',
]
const words = fc.array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 8 })

type Entry = Pick<Transcript, 'id' | 'title' | 'createdAt' | 'segments'> & { owner: string }

/** Transcripts of two owners, some of the same age. */
export function randomLibrary(): Entry[] {
  const entry = fc.record({
    owner: fc.constantFrom('ann', 'ann', 'bob'),
    day: fc.integer({ min: 1, max: 20 }),
    title: words,
    text: fc.array(words, { minLength: 1, maxLength: 4 }),
  })
  const [entries] = fc.sample(fc.array(entry, { minLength: 60, maxLength: 60 }), { numRuns: 1, seed: 15 })
  return entries!.map(({ owner, day, title, text }, i) => ({
    owner,
    id: `t${i}`,
    title: title.join(' '),
    createdAt: `2026-03-${String(day).padStart(2, '0')}T10:00:00.000Z`,
    segments: text.map((said, k) => segment(said.join(' '), k, k + 1)),
  }))
}

/** Words and phrases, from one to many, of which some occur nowhere. */
export const queries = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...vocabulary, 'bu', '20', 'z') },
      { weight: 1, arbitrary: words.map(phrase => `"${phrase.slice(0, 3).join(' ')}"`) },
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map(parts => parts.join(' '))

/** Ids of the matching transcripts, newest first. */
export function plainSearch(entries: Entry[], query: string): string[] {
  const phrases = query.match(/"[^"]+"|\S+/g)!.map(part => {
    const isPrefix = !part.startsWith('"')
    return { words: part.replaceAll('"', '').split(' '), isPrefix }
  })
  return entries
    .filter(({ title, segments }) => {
      const texts = [title.split(' '), segments.flatMap(({ text }) => text.split(' '))]
      return phrases.every(phrase => texts.some(text => text.some((_, i) => isAt(text, i, phrase))))
    })
    .sort((a, b) => (`${a.createdAt} ${a.id}` < `${b.createdAt} ${b.id}` ? 1 : -1))
    .map(({ id }) => id)
}

function isAt(text: string[], at: number, phrase: { words: string[]; isPrefix: boolean }): boolean {
  return phrase.words.every((word, k) => {
    const spoken = text[at + k] ?? ''
    return phrase.isPrefix ? spoken.startsWith(word) : spoken === word
  })
}
