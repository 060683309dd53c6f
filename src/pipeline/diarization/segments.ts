// Builds segments of one speaker each, a sentence or so long, from words with speaker labels.

import { estimateModelTokens } from '../../domain/models/model-tokens.ts'
import { sentences } from '../../domain/text.ts'
import { roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { isTurnOver, nextTurn } from '../../domain/waiting/turns.ts'
import type { SpeakerLabel } from './assign-speakers.ts'
import type { TimedSentence, TimedTokens, TimedWord } from './timed-tokens.ts'

/** A longer segment is split. */
const maxSegmentSeconds = 30
const maxSegmentTokens = 100
const punctuationAtEnd = /[,;:—–，、；：،.!?…。！？][”’"'」』）)\]]*\s*$/u

/** `labels` has one for each word. */
export async function segmentsOf(text: TimedTokens, labels: SpeakerLabel[]): Promise<Segment[]> {
  const { words } = text
  const ids = speakerIds(labels)
  const segments: Segment[] = []
  for (let from = 0, to = 0; from < words.length; from = to) {
    if (isTurnOver()) await nextTurn()
    const { sentence } = words[from]!
    const { speaker } = labels[from]!
    while (to < words.length && words[to]!.sentence === sentence && labels[to]!.speaker === speaker) to++
    let at = from
    for (const part of split(words.slice(from, to))) {
      const own = labels.slice(at, at + part.length)
      at += part.length
      const id = speaker === null ? null : ids.get(speaker)!
      segments.push(segmentOf(part, own, text.sentences[sentence]!, id))
    }
  }
  return segments
}

/** Ids in order of first appearance, by the provider's number. */
function speakerIds(labels: SpeakerLabel[]): Map<number, string> {
  const ids = new Map<number, string>()
  for (const { speaker } of labels)
    if (speaker !== null && !ids.has(speaker)) ids.set(speaker, `S${ids.size + 1}`)
  return ids
}

function segmentOf(
  words: TimedWord[],
  labels: SpeakerLabel[],
  sentence: TimedSentence,
  speaker: string | null,
): Segment {
  const start = words[0]!.start
  const end = words.reduce((last, word) => Math.max(last, word.end), 0)
  const confidence = labels.reduce((sum, { confidence = 0 }) => sum + confidence, 0) / labels.length
  const { language, measured } = sentence
  return {
    start: roundToMs(start),
    end: roundToMs(end),
    text: textOf(words).trim(),
    // Times of words that the provider did not time are estimates; those of its whole sentence are not.
    estimated: !measured && (start > sentence.start || end < sentence.end),
    ...(language !== undefined && { language }),
    ...(measured && {
      words: words.map(({ text, start, end }) => ({
        text: text.trim(),
        start: roundToMs(start),
        end: roundToMs(end),
      })),
    }),
    speaker,
    ...(speaker !== null &&
      labels[0]!.confidence !== undefined && { confidence: roundToMs(Math.min(1, confidence)) }),
  }
}

function textOf(words: TimedWord[]): string {
  return words.map(({ text }) => text).join('')
}

/** Splits words into sentences, and a sentence that is too long into halves. */
function split(words: TimedWord[]): TimedWord[][] {
  const text = textOf(words)
  const ends: number[] = []
  for (const sentence of sentences(text))
    ends.push(text.indexOf(sentence, ends.at(-1) ?? 0) + sentence.length)
  const found: TimedWord[][] = ends.map(() => [])
  let [at, part] = [0, 0]
  for (const word of words) {
    // A word belongs to the sentence of its first character, not of the space before it.
    const begin = at + word.text.length - word.text.trimStart().length
    while (part < ends.length - 1 && begin >= ends[part]!) part++
    found[part]!.push(word)
    at += word.text.length
  }
  return found.filter(part => part.length > 0).flatMap(halve)
}

function halve(words: TimedWord[]): TimedWord[][] {
  const tokens = estimateModelTokens(textOf(words))
  const length = words.at(-1)!.end - words[0]!.start
  if (words.length < 2 || (length <= maxSegmentSeconds && tokens <= maxSegmentTokens)) return [words]
  const at = bestSplit(words)
  return [...halve(words.slice(0, at)), ...halve(words.slice(at))]
}

/** The best index to split at: after punctuation or at a pause near the middle. */
function bestSplit(words: TimedWord[]): number {
  let [best, bestScore] = [1, Number.NEGATIVE_INFINITY]
  for (let i = 1; i < words.length; i++) {
    const pause = Math.min(1, Math.max(0, words[i]!.start - words[i - 1]!.end))
    const offCentre = Math.abs(i / words.length - 0.5)
    const isAfterPunctuation = punctuationAtEnd.test(words[i - 1]!.text)
    const score = pause + (isAfterPunctuation ? 0.5 : 0) - 2 * offCentre - (offCentre > 0.4 ? 2 : 0)
    if (score > bestScore) [best, bestScore] = [i, score]
  }
  return best
}

/** `recognition` is the one that labelled the speakers; their voices refer to it. */
export function speakersOf(segments: Segment[], labels: SpeakerLabel[], recognition: TimedTokens): Speaker[] {
  const numbers = new Map([...speakerIds(labels)].map(([number, id]) => [id, number]))
  const seconds = new Map<string, number>()
  for (const { speaker, start, end } of segments)
    if (speaker) seconds.set(speaker, (seconds.get(speaker) ?? 0) + end - start)
  const total = [...seconds.values()].reduce((sum, value) => sum + value, 0)
  return [...seconds].map(([id, value]) => ({
    id,
    voice: `${recognition.id}:${numbers.get(id)}`,
    seconds: roundToMs(value),
    share: total > 0 ? roundToMs(value / total) : 0,
  }))
}
