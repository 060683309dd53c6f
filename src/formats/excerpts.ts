// Finds excerpts of a transcript that match the words of a search.
import { tokens } from '../domain/tokens.ts'
import { roundToMs, type Segment, type Transcript } from '../domain/transcript.ts'
import { preferFormatted } from './shown-segments.ts'
import { labelOf } from './speakers.ts'

export interface Excerpt {
  /** Start of the matching sentence. */
  start: number
  text: string
  /** Label of the speaker, in a transcript with speakers. */
  speaker?: string
}

/** Length of an excerpt before and after the match, in UTF-16 units. */
const [maxCharsBefore, maxCharsAfter] = [60, 120]

/**
 * Returns a few excerpts in order, with at least one for each word of the query if possible. As in the store's search,
 * quoted words match as a phrase, and words match by prefix. A word that is a speaker's name matches the first segment of
 * that speaker.
 */
export function excerpts(transcript: Transcript, query: string, maxExcerpts = 3): Excerpt[] {
  const terms = termsOf(query)
  const label = labelOf(transcript)
  const named = speakersNamed(transcript, terms)
  /** For each term, its first hits. */
  const hits: Hit[][] = terms.map(() => [])
  for (const segment of preferFormatted(transcript).segments) {
    const words = wordsOf(segment.text)
    for (const [i, term] of terms.entries()) {
      if (hits[i]!.length >= maxExcerpts) continue
      const from = findTerm(words, term)?.start ?? (named[i]!.has(segment.speaker) ? 0 : undefined)
      if (from !== undefined) hits[i]!.push({ segment, from })
    }
  }
  return chooseHits(hits, maxExcerpts).map(({ segment, from }) => {
    const speaker = label(segment)
    return {
      start: roundToMs(segment.start),
      text: cutAround(segment.text, from),
      ...(speaker !== undefined && { speaker }),
    }
  })
}

/** Returns for each term the ids of the speakers whose name contains it. */
function speakersNamed({ speakers = [] }: Transcript, terms: string[][]): Set<Segment['speaker']>[] {
  const names = speakers.map(({ id, name = '' }) => ({ id, words: wordsOf(name) }))
  return terms.map(term => new Set(names.filter(({ words }) => findTerm(words, term)).map(({ id }) => id)))
}

interface Hit {
  segment: Segment
  from: number
}

interface Word {
  key: string
  start: number
}

/** Splits a query into terms of consecutive words: a quoted phrase, words joined by punctuation, or unspaced characters. */
function termsOf(query: string): string[][] {
  const terms = query.replace(/[“”„«»「」『』]/g, '"').match(/"[^"]*"|[^\s"]+/g) ?? []
  return terms.map(term => wordsOf(term).map(({ key }) => key)).filter(term => term.length > 0)
}

function wordsOf(text: string): Word[] {
  // Punctuation inside a word splits it, as in the store's search; the offsets of the words stay.
  const spaced = text.replace(/[^\p{L}\p{M}\p{N}\s]/gu, mark => ' '.repeat(mark.length))
  return tokens(spaced).map(({ key, start }) => ({
    key: key.normalize('NFKD').replace(/\p{M}/gu, ''),
    start,
  }))
}

function findTerm(words: Word[], term: string[]): Word | undefined {
  const last = term.length - 1
  return words.find((_, i) =>
    term.every((key, k) => {
      const spoken = words[i + k]?.key
      return k === last ? spoken?.startsWith(key) : spoken === key
    }),
  )
}

/** Takes hits from each term in turn, so that a rare word is shown beside a frequent one. */
function chooseHits(hits: Hit[][], maxHits: number): Hit[] {
  const chosen = new Map<Segment, Hit>()
  for (let round = 0; round < maxHits; round++)
    for (const ofTerm of hits) {
      const hit = ofTerm[round]
      if (hit && chosen.size < maxHits && !chosen.has(hit.segment)) chosen.set(hit.segment, hit)
    }
  return [...chosen.values()].sort((a, b) => a.segment.start - b.segment.start)
}

function cutAround(text: string, at: number): string {
  const [first, last] = [at - maxCharsBefore, at + maxCharsAfter]
  const from = first <= 0 ? 0 : wordBoundary(text, first)
  const to = last >= text.length ? text.length : wordBoundary(text, last)
  return `${from > 0 ? '…' : ''}${text.slice(from, to).trim()}${to < text.length ? '…' : ''}`
}

/** Returns the start of the next word; within a long word the offset itself, but never within a character. */
function wordBoundary(text: string, from: number): number {
  const space = text.slice(from, from + 30).search(/\s/)
  if (space >= 0) return from + space + 1
  return /[\udc00-\udfff]/.test(text[from] ?? '') ? from + 1 : from
}
