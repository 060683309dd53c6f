// Formatted words go back to their times and speakers: a sentence or so each, within the segment that they were said in.

import { sentences } from '../../domain/sentences.ts'
import { joinText } from '../../domain/text.ts'
import { roundToMs, type Segment, type Word } from '../../domain/transcript.ts'
import { type Joined, paragraphsOf } from './join.ts'
import type { Lying, SpokenSource } from './pieces.ts'

interface Sentence {
  text: string
  opens: boolean
}

export function segmentsOf(source: SpokenSource, passages: Joined[]): Segment[] {
  let first = 0
  let opens = true
  return source.lying.flatMap(lying => {
    // Passages and segments are both in order.
    while (passages[first] && passages[first]!.to <= lying.from) first++
    const own: Joined[] = []
    for (let i = first; passages[i] && passages[i]!.from < lying.to; i++) own.push(passages[i]!)
    const said = sentencesOf(own, lying, source.text)
    if (said.length === 0) {
      // A turn of fillers alone is gone, and the next segment still begins a turn.
      opens ||= lying.turns
      return []
    }
    said[0]!.opens ||= lying.turns || opens
    opens = false
    return spread(lying, said, wordsOf(lying, own))
  })
}

function sentencesOf(own: Joined[], { from, to }: Lying, text: string): Sentence[] {
  const parts = own.flatMap(passage => {
    const begins = passage.from + text.slice(passage.from, passage.to).search(/\S|$/)
    const lines = passage.part(from, to).split(/\n+/)
    return lines.map((line, i) => ({
      text: line.replace(/\s+/g, ' ').trim(),
      opens: i === 0 && passage.opens && begins >= from,
      tight: passage.tight === true && passage.from > from,
    }))
  })
  return paragraphsOf(parts).flatMap(paragraph =>
    worded(sentences(paragraph.text)).map((text, k) => ({ text, opens: k === 0 && paragraph.opens })),
  )
}

/** Marks alone go with the sentence before them. */
function worded(parts: string[]): string[] {
  const found: string[] = []
  for (const part of parts)
    if (found.length > 0 && !/[\p{L}\p{N}\p{S}]/u.test(part)) found.push(joinText(found.pop()!, part))
    else found.push(part)
  return found
}

interface Placed {
  word: Word
  /** How far in the segment's letters it begins and ends. */
  from: number
  to: number
}

/** Words with their times as they read now; those that have fallen away are not among them. */
function wordsOf({ segment, from, to }: Lying, own: Joined[]): Placed[] {
  const said = segment.text.replace(/\s+/g, ' ').trim()
  let at = 0
  let letters = 0
  return (segment.words ?? []).flatMap(word => {
    const found = said.indexOf(word.text, at)
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
    const placed = { word: { ...word, text }, from: letters, to: letters + lettersIn(text) }
    letters = placed.to
    return [placed]
  })
}

/** Parts the segment's time among its sentences: by the times of its words, or by letters where there are none. */
function spread({ segment }: Lying, said: Sentence[], words: Placed[]): Segment[] {
  const { start, end, text: _, words: __, ...rest } = segment
  const total = said.reduce((sum, { text }) => sum + lettersIn(text), 0)
  let done = 0
  let next = 0
  return said.map(({ text, opens }, i) => {
    const from = done
    done += lettersIn(text)
    const isLast = i === said.length - 1
    const own: Placed[] = []
    while (words[next] && (isLast || middleOf(words[next]!) < done)) own.push(words[next++]!)
    const at = (letters: number) => roundToMs(start + ((end - start) * letters) / Math.max(1, total))
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

function middleOf({ from, to }: Placed): number {
  return (from + to) / 2
}

function lettersIn(text: string): number {
  return text.match(/[\p{L}\p{M}\p{N}]/gu)?.length ?? 0
}
