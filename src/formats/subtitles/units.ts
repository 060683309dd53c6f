// The words of a transcript in the order in which subtitles show them, with times, sizes and the cost of a break.
import { setImmediate } from 'node:timers/promises'
import { formatTime } from '../../domain/format-time.ts'
import { unspacedScript, wordStarts } from '../../domain/reading/word-starts.ts'
import { sentences } from '../../domain/text.ts'
import type { Gap, Segment, Span, Transcript } from '../../domain/transcript.ts'
import { inTurns } from '../../domain/waiting/turns.ts'
import { preferFormatted } from '../shown-segments.ts'
import { breakCost } from './break-cost.ts'
import type { Rules } from './presets.ts'
import { charsOf, type Size, scriptOf, sizeOf } from './script.ts'

/** A word, or a part of one that is longer than a line. */
export interface Unit extends Span {
  /** With the space that follows it. */
  text: string
  size: Size
  /** As in the segment; undefined for a gap. */
  speaker: Segment['speaker']
  /** Cost of ending a cue or a line behind it; 0 at the end of a sentence. */
  cost: number
  /** True for the note that stands for a gap. */
  isGap?: true
}

/** A pause at which another speaker's words may come between. */
const phrasePauseSeconds = 0.3
/** Others wait no longer for the end of a phrase: two lines of a cue then show what two say at once. */
const maxPhraseSeconds = 2
/** Ends a phrase, by the cost of a break. */
const maxPhraseCost = 1

/**
 * Returns the words of all speakers. Where they speak at once, phrases take turns, and the start of a word is never before
 * that of the word before it.
 */
export async function unitsOf(transcript: Transcript, rules: Rules): Promise<Unit[]> {
  const { segments, coverage } = preferFormatted(transcript)
  /** One track a speaker: with overlapping speakers, the words of each keep their order. */
  const tracks = new Map<Segment['speaker'], Phrase[]>()
  for await (const segment of inTurns(segments)) {
    const track = tracks.get(segment.speaker) ?? []
    tracks.set(segment.speaker, track)
    // Sorting keeps the order of a speaker's phrases where none starts before the one before it.
    for (const phrase of phrasesOf(unitsOfSegment(segment, rules, transcript.language)))
      track.push({ ...phrase, start: Math.max(phrase.start, track.at(-1)?.start ?? 0) })
  }
  const gaps = coverage.gaps.map(gap => gapPhrase(gap, rules))
  await setImmediate()
  const phrases = [...tracks.values(), gaps].flat().sort((a, b) => a.start - b.start)
  const units: Unit[] = []
  let from = 0
  for await (const phrase of inTurns(phrases))
    for (const unit of phrase.units) {
      from = Math.max(from, unit.start)
      units.push({ ...unit, start: from, end: Math.max(from, unit.end) })
    }
  return units
}

interface Phrase {
  start: number
  units: Unit[]
}

function phrasesOf(units: Unit[]): Phrase[] {
  const phrases: Phrase[] = []
  let last: Unit | undefined
  for (const unit of units) {
    const open = phrases.at(-1)
    const goesOn =
      open &&
      last &&
      last.cost > maxPhraseCost &&
      unit.start - last.end < phrasePauseSeconds &&
      unit.start - open.start < maxPhraseSeconds
    if (goesOn) open.units.push(unit)
    else phrases.push({ start: unit.start, units: [unit] })
    last = unit
  }
  return phrases
}

function gapPhrase({ start, end }: Gap, { maxSeconds }: Rules): Phrase {
  const text = `[no text until ${formatTime(end)}]`
  const shownUntil = Math.min(end, start + maxSeconds)
  const size = sizeOf(text)
  return { start, units: [{ start, end: shownUntil, text, size, speaker: undefined, cost: 0, isGap: true }] }
}

function unitsOfSegment(segment: Segment, { lineChars }: Rules, language: string | undefined): Unit[] {
  const { text, speaker } = segment
  const fits = (part: string) => {
    const size = sizeOf(part.trimEnd())
    const script = scriptOf(size, language)
    return charsOf(size, script) <= lineChars[script]
  }
  const parts = wordsOf(text).flatMap(({ from, to }) => splitToFit(text, from, to, fits))
  const ends = sentenceEnds(text)
  const timeOf = clockOf(segment)
  return parts.map(({ from, to }, i) => {
    const next = parts[i + 1]
    // The next segment follows behind a space, except in scripts without spaces.
    const isTight = next || unspacedEnd.test(text.trimEnd())
    const word = `${text.slice(from, to)}${isTight ? '' : ' '}`.replace(/\s+/gu, ' ')
    const cost = next
      ? breakCost(
          word,
          text.slice(next.from, next.to),
          ends.has(from + text.slice(from, to).trimEnd().length),
        )
      : endCost(word)
    return { text: word, size: sizeOf(word), ...timeOf(from, to), speaker, cost }
  })
}

/** A segment is about a sentence; where marks are missing, its end is still a better place than most. */
function endCost(word: string): number {
  return Math.min(1, breakCost(word, '', true))
}

const unspacedEnd = new RegExp(`(?:${unspacedScript.source}|[\u3000-\u303f\uff00-\uffef])$`, 'u')

interface Range {
  from: number
  to: number
}

/** Ranges of words with the space and the marks behind them; opening marks belong to the next word. */
function wordsOf(text: string): Range[] {
  const starts: number[] = []
  for (const { 0: run, index } of text.matchAll(/\S+/gu)) {
    // A dash or another mark between spaces stays with the word before it.
    if (/[\p{L}\p{N}]/u.test(run) || starts.length === 0) starts.push(index)
    if (unspacedScript.test(run))
      for (const start of wordStarts(run)) {
        const opened = run.slice(0, start).search(/[「『（《〈【“‘([{]+$/u)
        if (opened !== 0) starts.push(index + (opened < 0 ? start : opened))
      }
  }
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? text.length }))
}

/** Splits a word that is longer than a line into parts that fit. */
function splitToFit(text: string, from: number, to: number, fits: (part: string) => boolean): Range[] {
  if (fits(text.slice(from, to))) return [{ from, to }]
  const parts: Range[] = []
  let start = from
  let at = from
  for (const { segment } of new Intl.Segmenter().segment(text.slice(from, to).trimEnd())) {
    if (at > start && !fits(text.slice(start, at + segment.length))) {
      parts.push({ from: start, to: at })
      start = at
    }
    at += segment.length
  }
  return [...parts, { from: start, to }]
}

function sentenceEnds(text: string): Set<number> {
  const ends = new Set<number>()
  let at = 0
  for (const sentence of sentences(text)) {
    at = text.indexOf(sentence, at) + sentence.length
    ends.add(at)
  }
  return ends
}

/** Returns when a range of the text is said: by the times of its words, otherwise in proportion to its length. */
function clockOf({ text, start, end, words = [] }: Segment): (from: number, to: number) => Span {
  const spans: (Range & Span)[] = []
  let at = 0
  for (const word of words) {
    const said = word.text.trim()
    const from = text.indexOf(said, at)
    if (said === '' || from < 0) continue
    at = from + said.length
    spans.push({ from, to: at, start: word.start, end: word.end })
  }
  if (spans.length === 0) spans.push({ from: 0, to: text.length, start, end })
  const weights = weightsOf(text)
  const timeAt = (span: Range & Span, offset: number) => {
    const [low, high] = [weights[span.from]!, weights[span.to]!]
    const share = (weights[Math.min(Math.max(offset, span.from), span.to)]! - low) / Math.max(1, high - low)
    return span.start + share * (span.end - span.start)
  }
  let i = 0
  return (from, to) => {
    while (i + 1 < spans.length && spans[i + 1]!.from <= from) i++
    let last = i
    while (last + 1 < spans.length && spans[last + 1]!.from < to) last++
    return { start: timeAt(spans[i]!, from), end: timeAt(spans[last]!, to) }
  }
}

/** For each offset, the weight of the text before it: an ideograph takes about as long to say as two letters. */
function weightsOf(text: string): Float64Array {
  const weights = new Float64Array(text.length + 1)
  for (let i = 0; i < text.length; i++) weights[i + 1] = weights[i]! + (text.charCodeAt(i) < 0x1100 ? 1 : 2)
  return weights
}
