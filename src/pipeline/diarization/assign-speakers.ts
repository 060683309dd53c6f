// Assigns a speaker to each word: the most likely one, or null where none was detected; smooths labels within phrases.
import type { Span } from '../../domain/transcript.ts'
import { type ClockOffset, estimateClockOffset } from './clock-offset.ts'
import { buildNodes, computeEmissions } from './emissions.ts'
import { forwardBackward } from './forward-backward.ts'
import { phrasesOf } from './phrase-breaks.ts'
import type { TimedTokens } from './timed-tokens.ts'
import { coveredShare, mergeSpans, turnsOf } from './turns.ts'

export interface SpeakerLabel {
  /** The provider's number; null where no speaker was detected. */
  speaker: number | null
  /** From 0 to 1; absent for a label of the provider alone. */
  confidence?: number
}

export interface SpeakerAssignment {
  /** One for each word. */
  labels: SpeakerLabel[]
  clockOffset: ClockOffset
  /** Share of the words that both recognitions have. */
  matched: number
  /** Share of the words whose speaker rests on time alone. */
  timeOnly: number
  /** Share of the words' time in which the speaker recognition has speech. */
  overlap: number
}

/** A word without a speaker takes that of its phrase, if this share of the phrase has one speaker and no other. */
const minPhraseShare = 1 / 3
const phraseConfidence = 0.5
/** The only speaker is taken as the only one present if it covers this share of the words' time. */
const minSingleSpeakerShare = 0.8
/** A matched word supports words of the same speaker within this distance. */
const supportWords = 2

export function assignSpeakers(speakerTokens: TimedTokens, textTokens: TimedTokens): SpeakerAssignment {
  const numbers = [...new Set(speakerTokens.sentences.flatMap(({ speaker }) => speaker ?? []))]
  const speakers = new Map(numbers.map((number, i) => [number, i]))
  const clockOffset = estimateClockOffset(speakerTokens.tokens, textTokens.tokens)
  const turns = turnsOf(speakerTokens, speakers)
  const nodes = buildNodes(speakerTokens, speakers, turns, clockOffset.offsetSeconds)
  const emissions = computeEmissions(textTokens, nodes, turns, clockOffset)
  const posteriors = forwardBackward(textTokens.tokens, textTokens.words, nodes, emissions)

  const speech = shifted(mergeSpans(speakerTokens.words, 0), clockOffset.offsetSeconds)
  const overlap = coveredShare(textTokens.words, speech)
  const isLabelled = speakerTokens.sentences.every(({ speaker }) => speaker !== undefined)
  // A speaker detected only now and then need not be the one who speaks in between.
  const isSingle = numbers.length === 1 && isLabelled && overlap >= minSingleSpeakerShare
  const rows = wordPosteriors(textTokens, posteriors.speakers, nodes.noSpeaker + 1)
  const choices = rows.map(row => (row ? mostLikely(row, isSingle) : undefined))
  const labels = smoothPhrases(textTokens, withPunctuation(choices), numbers)
  const matches = matchedWords(textTokens, posteriors.match)
  return {
    labels,
    clockOffset,
    matched: share(matches, isMatch => isMatch),
    timeOnly: share(labels, ({ speaker }, i) => speaker !== null && !isSupported(labels, matches, i)),
    overlap,
  }
}

interface Choice {
  speaker: number
  confidence: number
}

/** Mean posteriors over the tokens of each word; undefined for a word of punctuation alone. */
function wordPosteriors(
  textTokens: TimedTokens,
  speakers: Float64Array,
  classes: number,
): (Float64Array | undefined)[] {
  const rows: (Float64Array | undefined)[] = textTokens.words.map(() => undefined)
  const counts = new Int32Array(textTokens.words.length)
  for (const [i, { word }] of textTokens.tokens.entries()) {
    rows[word] ??= new Float64Array(classes)
    counts[word]!++
    for (let c = 0; c < classes; c++) rows[word][c]! += speakers[i * classes + c]!
  }
  return rows.map((row, word) => row?.map(value => value / counts[word]!))
}

/** The most likely class; the last one is no speaker, which is ruled out for a single speaker. */
function mostLikely(row: Float64Array, isSingle: boolean): Choice {
  if (isSingle) return { speaker: 0, confidence: row[0]! }
  let speaker = 0
  for (let c = 1; c < row.length; c++) if (row[c]! > row[speaker]!) speaker = c
  return { speaker, confidence: Math.min(1, row[speaker]!) }
}

/** Punctuation takes the choice of the word before it, or at the very beginning of the word after it. */
function withPunctuation(choices: (Choice | undefined)[]): Choice[] {
  let last = choices.find(choice => choice !== undefined)
  return choices.map(choice => {
    last = choice ?? last
    return last ?? { speaker: -1, confidence: 0 }
  })
}

/** Gives a phrase to its only known speaker, where that speaker says enough of it. */
function smoothPhrases(textTokens: TimedTokens, choices: Choice[], numbers: number[]): SpeakerLabel[] {
  const labels = choices.map(({ speaker, confidence }): SpeakerLabel => {
    const number = numbers[speaker]
    return number === undefined ? { speaker: null } : { speaker: number, confidence }
  })
  for (const [from, to] of phrasesOf(textTokens.words)) {
    const phrase = labels.slice(from, to)
    const known = phrase.flatMap(({ speaker }) => speaker ?? [])
    if (known.length === phrase.length || known.length < phrase.length * minPhraseShare) continue
    if (known.some(speaker => speaker !== known[0])) continue
    for (let i = from; i < to; i++)
      if (labels[i]!.speaker === null) labels[i] = { speaker: known[0]!, confidence: phraseConfidence }
  }
  return labels
}

function matchedWords(textTokens: TimedTokens, match: Float64Array): boolean[] {
  const balance = new Float64Array(textTokens.words.length)
  for (const [i, { word }] of textTokens.tokens.entries()) balance[word]! += match[i]! - 0.5
  return [...balance].map(value => value > 0)
}

/** True if the word, or a nearby word of the same speaker, was matched. */
function isSupported(labels: SpeakerLabel[], matches: boolean[], word: number): boolean {
  for (let i = word - supportWords; i <= word + supportWords; i++)
    if (matches[i] && labels[i]?.speaker === labels[word]!.speaker) return true
  return false
}

function shifted(spans: Span[], offsetSeconds: number): Span[] {
  return spans.map(({ start, end }) => ({ start: start - offsetSeconds, end: end - offsetSeconds }))
}

function share<T>(items: T[], holds: (item: T, index: number) => boolean): number {
  return items.length ? items.filter(holds).length / items.length : 0
}
