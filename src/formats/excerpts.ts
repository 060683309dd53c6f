// The places in a transcript where the words of a search were said.
import { tokens } from '../domain/tokens.ts'
import { roundToMs, type Segment, type Transcript } from '../domain/transcript.ts'
import { preferFormatted } from './reading.ts'
import { labelOf } from './speakers.ts'

export interface Excerpt {
  /** When the sentence begins in which it was said. */
  start: number
  text: string
  /** Who says it, in a transcript with speakers. */
  speaker?: string
}

/** Length of an excerpt on either side of what was found, in UTF-16 units. */
const [before, after] = [60, 120]

/**
 * A few places, in order, and for each word of the query at least one if there is room. Like in the store's search,
 * words in quotes stand together and the last letters of a word may be missing. Whoever is called like a word of the
 * query is shown where they first speak.
 */
export function excerpts(transcript: Transcript, query: string, most = 3): Excerpt[] {
  const terms = termsOf(query)
  const label = labelOf(transcript)
  const named = speakersNamed(transcript, terms)
  /** For each term, the first places where it was said. */
  const places: Place[][] = terms.map(() => [])
  for (const segment of preferFormatted(transcript).segments) {
    const words = wordsOf(segment.text)
    for (const [i, term] of terms.entries()) {
      if (places[i]!.length >= most) continue
      const from = findTerm(words, term)?.start ?? (named[i]!.has(segment.speaker) ? 0 : undefined)
      if (from !== undefined) places[i]!.push({ segment, from })
    }
  }
  return choose(places, most).map(({ segment, from }) => {
    const speaker = label(segment)
    return {
      start: roundToMs(segment.start),
      text: shorten(segment.text, from),
      ...(speaker !== undefined && { speaker }),
    }
  })
}

/** For each term, the speakers whose name it is in. */
function speakersNamed({ speakers = [] }: Transcript, terms: string[][]): Set<Segment['speaker']>[] {
  const names = speakers.map(({ id, name = '' }) => ({ id, words: wordsOf(name) }))
  return terms.map(term => new Set(names.filter(({ words }) => findTerm(words, term)).map(({ id }) => id)))
}

interface Place {
  segment: Segment
  from: number
}

interface Word {
  key: string
  start: number
}

/** Each term is a run of words: one in quotes, one parted by nothing but marks, or characters of a script without spaces. */
function termsOf(query: string): string[][] {
  const terms = query.replace(/[“”„«»「」『』]/g, '"').match(/"[^"]*"|[^\s"]+/g) ?? []
  return terms.map(term => wordsOf(term).map(({ key }) => key)).filter(term => term.length > 0)
}

function wordsOf(text: string): Word[] {
  // Marks inside a word part it, as they do for the store; the places of the words stay.
  const parted = text.replace(/[^\p{L}\p{M}\p{N}\s]/gu, mark => ' '.repeat(mark.length))
  return tokens(parted).map(({ key, start }) => ({
    key: key.normalize('NFKD').replace(/\p{M}/gu, ''),
    start,
  }))
}

function findTerm(words: Word[], term: string[]): Word | undefined {
  const last = term.length - 1
  return words.find((_, i) =>
    term.every((key, k) => {
      const said = words[i + k]?.key
      return k === last ? said?.startsWith(key) : said === key
    }),
  )
}

/** Takes from each term in turn, so that a rare word is shown beside a frequent one. */
function choose(places: Place[][], most: number): Place[] {
  const chosen = new Map<Segment, Place>()
  for (let round = 0; round < most; round++)
    for (const found of places) {
      const place = found[round]
      if (place && chosen.size < most && !chosen.has(place.segment)) chosen.set(place.segment, place)
    }
  return [...chosen.values()].sort((a, b) => a.segment.start - b.segment.start)
}

function shorten(text: string, at: number): string {
  const from = at - before <= 0 ? 0 : wordBorder(text, at - before)
  const to = at + after >= text.length ? text.length : wordBorder(text, at + after)
  return `${from > 0 ? '…' : ''}${text.slice(from, to).trim()}${to < text.length ? '…' : ''}`
}

/** The beginning of the first word from here on; of a long one, its middle, but not of a character. */
function wordBorder(text: string, from: number): number {
  const blank = text.slice(from, from + 30).search(/\s/)
  if (blank >= 0) return from + blank + 1
  return /[\udc00-\udfff]/.test(text[from] ?? '') ? from + 1 : from
}
