// Assigns a speaker to each word: the most likely one, or null where none was detected; smooths labels within phrases.
import type { Span } from '../../domain/transcript.ts'
import { isTurnOver, mapInTurns, nextTurn } from '../../domain/waiting/turns.ts'
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

export async function assignSpeakers(
  speakerTokens: TimedTokens,
  textTokens: TimedTokens,
): Promise<SpeakerAssignment> {
  const numbers = [...new Set(speakerTokens.sentences.flatMap(({ speaker }) => speaker ?? []))]
  const speakers = new Map(numbers.map((number, i) => [number, i]))
  const clockOffset = await estimateClockOffset(speakerTokens.tokens, textTokens.tokens)
  const turns = await turnsOf(speakerTokens, speakers)
  const nodes = await buildNodes(speakerTokens, speakers, turns, clockOffset.offsetSeconds)
  const emissions = await computeEmissions(textTokens, nodes, turns, clockOffset)
  const posteriors = await forwardBackward(textTokens.tokens, textTokens.words, nodes, emissions)

  const speech = await shifted(await mergeSpans(speakerTokens.words, 0), clockOffset.offsetSeconds)
  const overlap = await coveredShare(textTokens.words, speech)
  const isLabelled = speakerTokens.sentences.every(({ speaker }) => speaker !== undefined)
  // A speaker detected only now and then need not be the one who speaks in between.
  const isSingle = numbers.length === 1 && isLabelled && overlap >= minSingleSpeakerShare
  const classes = nodes.noSpeaker + 1
  const choices = await chooseSpeakers(textTokens, posteriors.speakers, classes, isSingle)
  const labels = await smoothPhrases(textTokens, await withPunctuation(choices), numbers)
  const matches = await matchedWords(textTokens, posteriors.match)
  return {
    labels,
    clockOffset,
    matched: await share(matches, isMatch => isMatch),
    timeOnly: await share(labels, ({ speaker }, i) => speaker !== null && !isSupported(labels, matches, i)),
    overlap,
  }
}

interface Choice {
  speaker: number
  confidence: number
}

/** By the mean posteriors over the tokens of each word; undefined for a word of punctuation alone. */
async function chooseSpeakers(
  textTokens: TimedTokens,
  posteriors: Float64Array,
  classes: number,
  isSingle: boolean,
): Promise<(Choice | undefined)[]> {
  const sums = new Float64Array(textTokens.words.length * classes)
  const counts = new Int32Array(textTokens.words.length)
  for (const [i, { word }] of textTokens.tokens.entries()) {
    if (isTurnOver()) await nextTurn()
    counts[word]!++
    for (let c = 0; c < classes; c++) sums[word * classes + c]! += posteriors[i * classes + c]!
  }
  return mapInTurns(counts, (count, word) => {
    const mean = (speaker: number) => sums[word * classes + speaker]! / count
    if (count > 0) return isSingle ? { speaker: 0, confidence: mean(0) } : mostLikely(mean, classes)
  })
}

/** The most likely class; the last one is no speaker, which is ruled out for a single speaker. */
function mostLikely(mean: (speaker: number) => number, classes: number): Choice {
  let speaker = 0
  for (let c = 1; c < classes; c++) if (mean(c) > mean(speaker)) speaker = c
  return { speaker, confidence: Math.min(1, mean(speaker)) }
}

/** Punctuation takes the choice of the word before it, or at the very beginning of the word after it. */
function withPunctuation(choices: (Choice | undefined)[]): Promise<Choice[]> {
  let last = choices.find(choice => choice !== undefined)
  return mapInTurns(choices, choice => {
    last = choice ?? last
    return last ?? { speaker: -1, confidence: 0 }
  })
}

/** Gives a phrase to its only known speaker, where that speaker says enough of it. */
async function smoothPhrases(
  textTokens: TimedTokens,
  choices: Choice[],
  numbers: number[],
): Promise<SpeakerLabel[]> {
  const labels = await mapInTurns(choices, ({ speaker, confidence }): SpeakerLabel => {
    const number = numbers[speaker]
    return number === undefined ? { speaker: null } : { speaker: number, confidence }
  })
  for (const [from, to] of phrasesOf(textTokens.words)) {
    if (isTurnOver()) await nextTurn()
    const phrase = labels.slice(from, to)
    const known = phrase.flatMap(({ speaker }) => speaker ?? [])
    if (known.length === phrase.length || known.length < phrase.length * minPhraseShare) continue
    if (known.some(speaker => speaker !== known[0])) continue
    for (let i = from; i < to; i++)
      if (labels[i]!.speaker === null) labels[i] = { speaker: known[0]!, confidence: phraseConfidence }
  }
  return labels
}

async function matchedWords(textTokens: TimedTokens, match: Float64Array): Promise<boolean[]> {
  const balance = new Float64Array(textTokens.words.length)
  for (const [i, { word }] of textTokens.tokens.entries()) {
    if (isTurnOver()) await nextTurn()
    balance[word]! += match[i]! - 0.5
  }
  return mapInTurns(balance, value => value > 0)
}

/** True if the word, or a nearby word of the same speaker, was matched. */
function isSupported(labels: SpeakerLabel[], matches: boolean[], word: number): boolean {
  for (let i = word - supportWords; i <= word + supportWords; i++)
    if (matches[i] && labels[i]?.speaker === labels[word]!.speaker) return true
  return false
}

function shifted(spans: Span[], offsetSeconds: number): Promise<Span[]> {
  return mapInTurns(spans, ({ start, end }) => ({ start: start - offsetSeconds, end: end - offsetSeconds }))
}

async function share<T>(items: T[], holds: (item: T, index: number) => boolean): Promise<number> {
  let count = 0
  for (const [i, item] of items.entries()) {
    if (isTurnOver()) await nextTurn()
    if (holds(item, i)) count++
  }
  return count / Math.max(1, items.length)
}
