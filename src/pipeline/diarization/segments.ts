// Words with their speakers → segments of one speaker each: a sentence or so, in the provider's own spelling.

import { sentences } from '../../domain/sentences.ts'
import { estimateTokens } from '../../domain/token-estimate.ts'
import { roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import type { SpeakerLabel } from './assign-speakers.ts'
import type { TimedSentence, TimedTokens, TimedWord } from './timed-tokens.ts'

/** Where a sentence goes on and on: the most seconds and tokens of a segment. */
const [longest, largest] = [30, 100]
const mark = /[,;:—–，、；：،.!?…。！？][”’"'」』）)\]]*\s*$/u

/** `labels` has one for each word. */
export function segmentsOf({ sentences, words }: TimedTokens, labels: SpeakerLabel[]): Segment[] {
  const ids = idsOf(labels)
  const segments: Segment[] = []
  for (let from = 0, to = 0; from < words.length; from = to) {
    const { sentence } = words[from]!
    const { speaker } = labels[from]!
    while (to < words.length && words[to]!.sentence === sentence && labels[to]!.speaker === speaker) to++
    let at = from
    for (const part of parts(words.slice(from, to))) {
      const own = labels.slice(at, at + part.length)
      at += part.length
      segments.push(segmentOf(part, own, sentences[sentence]!, speaker === null ? null : ids.get(speaker)!))
    }
  }
  return segments
}

/** Speakers by first appearance. */
function idsOf(labels: SpeakerLabel[]): Map<number, string> {
  const ids = new Map<number, string>()
  for (const { speaker } of labels)
    if (speaker !== null && !ids.has(speaker)) ids.set(speaker, `S${ids.size + 1}`)
  return ids
}

function segmentOf(
  words: TimedWord[],
  labels: SpeakerLabel[],
  line: TimedSentence,
  speaker: string | null,
): Segment {
  const text = words
    .map(word => word.text)
    .join('')
    .trim()
  const [start, end] = [words[0]!.start, words.reduce((last, word) => Math.max(last, word.end), 0)]
  const sure = labels.reduce((sum, { confidence = 0 }) => sum + confidence, 0) / labels.length
  return {
    start: roundToMs(start),
    end: roundToMs(end),
    text,
    // Times of words that the provider did not time are no measurement; those of its whole sentence are.
    estimated: !line.measured && (start > line.start || end < line.end),
    ...(line.language !== undefined && { language: line.language }),
    ...(line.measured && {
      words: words.map(word => ({
        text: word.text.trim(),
        start: roundToMs(word.start),
        end: roundToMs(word.end),
      })),
    }),
    speaker,
    ...(speaker !== null &&
      labels[0]!.confidence !== undefined && { confidence: roundToMs(Math.min(1, sure)) }),
  }
}

/** Sentence by sentence, and what is too long for one reading in halves. */
function parts(words: TimedWord[]): TimedWord[][] {
  const text = words.map(word => word.text).join('')
  const ends: number[] = []
  for (const sentence of sentences(text))
    ends.push(text.indexOf(sentence, ends.at(-1) ?? 0) + sentence.length)
  const found: TimedWord[][] = ends.map(() => [])
  let [at, part] = [0, 0]
  for (const word of words) {
    // A word belongs where its first sign stands, not the blank before it.
    const begin = at + word.text.length - word.text.trimStart().length
    while (part < ends.length - 1 && begin >= ends[part]!) part++
    found[part]!.push(word)
    at += word.text.length
  }
  return found.filter(part => part.length > 0).flatMap(halves)
}

function halves(words: TimedWord[]): TimedWord[][] {
  const tokens = estimateTokens(words.map(word => word.text).join(''))
  const length = words.at(-1)!.end - words[0]!.start
  if (words.length < 2 || (length <= longest && tokens <= largest)) return [words]
  const at = cutOf(words)
  return [...halves(words.slice(0, at)), ...halves(words.slice(at))]
}

/** Behind a mark or at a pause near the middle. */
function cutOf(words: TimedWord[]): number {
  let [best, bestScore] = [1, Number.NEGATIVE_INFINITY]
  for (let i = 1; i < words.length; i++) {
    const pause = Math.min(1, Math.max(0, words[i]!.start - words[i - 1]!.end))
    const aside = Math.abs(i / words.length - 0.5)
    const score = pause + (mark.test(words[i - 1]!.text) ? 0.5 : 0) - 2 * aside - (aside > 0.4 ? 2 : 0)
    if (score > bestScore) [best, bestScore] = [i, score]
  }
  return best
}

/** `voices` has told them apart. */
export function speakersOf(segments: Segment[], labels: SpeakerLabel[], voices: TimedTokens): Speaker[] {
  const numbers = new Map([...idsOf(labels)].map(([number, id]) => [id, number]))
  const spoken = new Map<string, number>()
  for (const { speaker, start, end } of segments)
    if (speaker) spoken.set(speaker, (spoken.get(speaker) ?? 0) + end - start)
  const total = [...spoken.values()].reduce((sum, value) => sum + value, 0)
  return [...spoken].map(([id, value]) => ({
    id,
    voice: `${voices.id}:${numbers.get(id)}`,
    seconds: roundToMs(value),
    share: total > 0 ? roundToMs(value / total) : 0,
  }))
}
