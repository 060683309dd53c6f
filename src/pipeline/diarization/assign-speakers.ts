// Gives each word its speaker: the likeliest, none where nobody is known to speak, and and nobody is cut off within a sentence.
import type { Span } from '../../domain/transcript.ts'
import { type ClockOffset, estimateClockOffset } from './clock-offset.ts'
import { buildNodes, computeEmissions } from './emissions.ts'
import { forwardBackward } from './forward-backward.ts'
import { phrasesOf } from './phrase-breaks.ts'
import type { TimedTokens } from './timed-tokens.ts'
import { coveredShare, mergeSpans, turnsOf } from './turns.ts'

export interface SpeakerLabel {
  /** The provider's number; null where nobody could tell. */
  speaker: number | null
  /** From 0 to 1; absent where the provider's word is all there is. */
  confidence?: number
}

export interface SpeakerAssignment {
  /** One for each word. */
  labels: SpeakerLabel[]
  clockOffset: ClockOffset
  /** Share of the words that both heard alike. */
  matched: number
  /** Share of the words whose speaker rests on time alone. */
  timeOnly: number
  /** Share of the time of the words in which the other hearing has someone speak. */
  overlap: number
}

/** How sure the speaker of a word is that has none of its own but whose sentence is one speaker's, by a third at least. */
const [bySentence, enough] = [0.5, 3]
/** Share of the words' time in which the one speaker there is must have been heard to count as the only one. */
const throughout = 0.8
/** A word supports those that stand so near to it. */
const support = 2

export function assignSpeakers(who: TimedTokens, what: TimedTokens): SpeakerAssignment {
  const numbers = [...new Set(who.sentences.flatMap(({ speaker }) => speaker ?? []))]
  const speakers = new Map(numbers.map((number, i) => [number, i]))
  const clock = estimateClockOffset(who.tokens, what.tokens)
  const turns = turnsOf(who, speakers)
  const places = buildNodes(who, speakers, turns, clock.offsetSeconds)
  const evidence = computeEmissions(what, places, turns, clock)
  const followed = forwardBackward(what.tokens, what.words, places, evidence)

  const overlap = coveredShare(what.words, shifted(mergeSpans(who.words, 0), clock.offsetSeconds))
  const isLabelled = who.sentences.every(({ speaker }) => speaker !== undefined)
  // One who was heard now and then need not be the one who speaks in between.
  const isAlone = numbers.length === 1 && isLabelled && overlap >= throughout
  const chances = wordChances(what, followed.speakers, places.noSpeaker + 1)
  const likeliest = chances.map(row => (row ? best(row, isAlone) : undefined))
  const labels = inSentences(what, filled(likeliest), numbers)
  const alike = wordsAlike(what, followed.match)
  return {
    labels,
    clockOffset: clock,
    matched: share(alike, isAlike => isAlike),
    timeOnly: share(labels, ({ speaker }, i) => speaker !== null && !isBacked(labels, alike, i)),
    overlap,
  }
}

interface Choice {
  speaker: number
  confidence: number
}

/** For each word how likely each speaker is; undefined for a word of marks alone. */
function wordChances(
  what: TimedTokens,
  speakers: Float64Array,
  classes: number,
): (Float64Array | undefined)[] {
  const rows: (Float64Array | undefined)[] = what.words.map(() => undefined)
  const counts = new Int32Array(what.words.length)
  for (const [i, { word }] of what.tokens.entries()) {
    rows[word] ??= new Float64Array(classes)
    counts[word]!++
    for (let c = 0; c < classes; c++) rows[word][c]! += speakers[i * classes + c]!
  }
  return rows.map((row, word) => row?.map(value => value / counts[word]!))
}

/** The likeliest speaker; the last class is nobody, who does not count where one person speaks all the time. */
function best(row: Float64Array, isAlone: boolean): Choice {
  if (isAlone) return { speaker: 0, confidence: row[0]! }
  let speaker = 0
  for (let c = 1; c < row.length; c++) if (row[c]! > row[speaker]!) speaker = c
  return { speaker, confidence: Math.min(1, row[speaker]!) }
}

/** Marks go with the word before them, or at the very beginning with the one behind. */
function filled(choices: (Choice | undefined)[]): Choice[] {
  let last = choices.find(choice => choice !== undefined)
  return choices.map(choice => {
    last = choice ?? last
    return last ?? { speaker: -1, confidence: 0 }
  })
}

/** Who is the only one known in a sentence, and says a good part of it, says the rest of it. */
function inSentences(what: TimedTokens, choices: Choice[], numbers: number[]): SpeakerLabel[] {
  const labels = choices.map(({ speaker, confidence }): SpeakerLabel => {
    const number = numbers[speaker]
    return number === undefined ? { speaker: null } : { speaker: number, confidence }
  })
  for (const [from, to] of phrasesOf(what.words)) {
    const sentence = labels.slice(from, to)
    const known = sentence.flatMap(({ speaker }) => speaker ?? [])
    if (known.length === sentence.length || known.length * enough < sentence.length) continue
    if (known.some(speaker => speaker !== known[0])) continue
    for (let i = from; i < to; i++)
      if (labels[i]!.speaker === null) labels[i] = { speaker: known[0]!, confidence: bySentence }
  }
  return labels
}

function wordsAlike(what: TimedTokens, alike: Float64Array): boolean[] {
  const balance = new Float64Array(what.words.length)
  for (const [i, { word }] of what.tokens.entries()) balance[word]! += alike[i]! - 0.5
  return [...balance].map(value => value > 0)
}

/** Whether the word, or one beside it of the same speaker, was heard alike. */
function isBacked(labels: SpeakerLabel[], alike: boolean[], word: number): boolean {
  for (let i = word - support; i <= word + support; i++)
    if (alike[i] && labels[i]?.speaker === labels[word]!.speaker) return true
  return false
}

function shifted(spans: Span[], offset: number): Span[] {
  return spans.map(({ start, end }) => ({ start: start - offset, end: end - offset }))
}

function share<T>(items: T[], holds: (item: T, index: number) => boolean): number {
  return items.length ? items.filter(holds).length / items.length : 0
}
