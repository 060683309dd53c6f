// Finds excerpts of a transcript that match the words of a search.
import {
  hasPhrase,
  type Phrase,
  phrasesOf,
  spacedTerms,
  startOfPhrase,
} from '../domain/reading/search-terms.ts'
import { roundToMs, type Segment, type Transcript } from '../domain/transcript.ts'
import { slices } from '../domain/waiting/turns.ts'
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
export async function excerpts(transcript: Transcript, query: string, maxExcerpts = 3): Promise<Excerpt[]> {
  const phrases = phrasesOf(query)
  const label = labelOf(transcript)
  const named = speakersNamed(transcript, phrases)
  /** For each phrase, its first hits. */
  const hits: Hit[][] = phrases.map(() => [])
  for await (const slice of slices(preferFormatted(transcript).segments)) {
    for (const segment of slice) {
      const said = spacedTerms(segment.text)
      for (const [i, phrase] of phrases.entries()) {
        if (hits[i]!.length >= maxExcerpts) continue
        if (hasPhrase(said, phrase)) hits[i]!.push({ segment, phrase })
        else if (named[i]!.has(segment.speaker)) hits[i]!.push({ segment })
      }
    }
    if (hits.every(({ length }) => length >= maxExcerpts)) break
  }
  return chooseHits(hits, maxExcerpts).map(({ segment, phrase }) => {
    const speaker = label(segment)
    return {
      start: roundToMs(segment.start),
      text: cutAround(segment.text, phrase ? startOfPhrase(segment.text, phrase) : 0),
      ...(speaker !== undefined && { speaker }),
    }
  })
}

/** Returns for each phrase the ids of the speakers whose name contains it. */
function speakersNamed({ speakers = [] }: Transcript, phrases: Phrase[]): Set<Segment['speaker']>[] {
  const names = speakers.map(({ id, name = '' }) => ({ id, terms: spacedTerms(name) }))
  return phrases.map(
    phrase => new Set(names.filter(({ terms }) => hasPhrase(terms, phrase)).map(({ id }) => id)),
  )
}

interface Hit {
  segment: Segment
  /** Absent where the speaker's name matches. */
  phrase?: Phrase
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
