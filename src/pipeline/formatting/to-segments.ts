// Turns formatted passages into segments of about one sentence, within the times and speaker of the original segment.

import { joinText, sentences } from '../../domain/text.ts'
import { roundToMs, type Segment, type Word } from '../../domain/transcript.ts'
import { type JoinedPassage, joinParagraphs } from './join-pieces.ts'
import type { SegmentRange, TranscriptSource } from './pieces.ts'

interface Sentence {
  text: string
  opens: boolean
}

export function toSegments(source: TranscriptSource, passages: JoinedPassage[]): Segment[] {
  let first = 0
  let opens = true
  return source.ranges.flatMap(range => {
    // Passages and segments are both in order.
    while (passages[first] && passages[first]!.to <= range.from) first++
    const own: JoinedPassage[] = []
    for (let i = first; passages[i] && passages[i]!.from < range.to; i++) own.push(passages[i]!)
    const formatted = sentencesOf(own, range, source.text)
    if (formatted.length === 0) {
      // A turn of fillers alone disappears, and the next segment still begins a turn.
      opens ||= range.beginsTurn
      return []
    }
    formatted[0]!.opens ||= range.beginsTurn || opens
    opens = false
    return timeSentences(range, formatted, wordsOf(range, own))
  })
}

function sentencesOf(own: JoinedPassage[], { from, to }: SegmentRange, text: string): Sentence[] {
  const parts = own.flatMap(passage => {
    const begins = passage.from + text.slice(passage.from, passage.to).search(/\S|$/)
    const lines = passage.part(from, to).split(/\n+/)
    return lines.map((line, i) => ({
      text: line.replace(/\s+/g, ' ').trim(),
      opens: i === 0 && passage.opens && begins >= from,
      tight: passage.tight === true && passage.from > from,
    }))
  })
  return joinParagraphs(parts).flatMap(paragraph =>
    attachPunctuation(sentences(paragraph.text)).map((text, k) => ({
      text,
      opens: k === 0 && paragraph.opens,
    })),
  )
}

/** Attaches parts of punctuation alone to the sentence before them. */
function attachPunctuation(parts: string[]): string[] {
  const found: string[] = []
  for (const part of parts)
    if (found.length > 0 && !/[\p{L}\p{N}\p{S}]/u.test(part)) found.push(joinText(found.pop()!, part))
    else found.push(part)
  return found
}

interface TimedWord {
  word: Word
  /** `[from, to)` in the letters of the formatted segment. */
  from: number
  to: number
}

/** Returns the timed words with their formatted text, without the removed ones. */
function wordsOf({ segment, from, to }: SegmentRange, own: JoinedPassage[]): TimedWord[] {
  const spoken = segment.text.replace(/\s+/g, ' ').trim()
  let at = 0
  let position = 0
  return (segment.words ?? []).flatMap(word => {
    const found = spoken.indexOf(word.text, at)
    const begin = from + (found < 0 ? at : found)
    const end = found < 0 ? begin : begin + word.text.length
    if (found >= 0) at = found + word.text.length
    const text =
      found < 0
        ? word.text
        : own
            .filter(passage => passage.from < end && passage.to > begin)
            .map(({ part }) => part(begin, Math.min(end, to)))
            .filter(Boolean)
            .join(/\s/.test(word.text) ? ' ' : '')
    if (text === '') return []
    const timed = { word: { ...word, text }, from: position, to: position + countLetters(text) }
    position = timed.to
    return [timed]
  })
}

/** Divides the segment's time among its sentences, by the times of its words or, without these, by letters. */
function timeSentences({ segment }: SegmentRange, formatted: Sentence[], words: TimedWord[]): Segment[] {
  const { start, end, text: _, words: __, ...rest } = segment
  const total = formatted.reduce((sum, { text }) => sum + countLetters(text), 0)
  let done = 0
  let next = 0
  return formatted.map(({ text, opens }, i) => {
    const from = done
    done += countLetters(text)
    const isLast = i === formatted.length - 1
    const own: TimedWord[] = []
    while (words[next] && (isLast || middleOf(words[next]!) < done)) own.push(words[next++]!)
    const at = (index: number) => roundToMs(start + ((end - start) * index) / Math.max(1, total))
    return {
      ...rest,
      start: i === 0 ? start : (own[0]?.word.start ?? at(from)),
      end: isLast ? end : (own.at(-1)?.word.end ?? at(done)),
      text,
      opens,
      ...(segment.words && { words: own.map(({ word }) => word) }),
    }
  })
}

function middleOf({ from, to }: TimedWord): number {
  return (from + to) / 2
}

function countLetters(text: string): number {
  return text.match(/[\p{L}\p{M}\p{N}]/gu)?.length ?? 0
}
