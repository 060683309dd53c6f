// RTTM and CTM output: who spoke when, and each word with its time, for NIST's scoring tools and those that follow them.

import type { Segment, Span, Transcript } from '../domain/transcript.ts'
import { inTurns, mapInTurns } from '../domain/waiting/turns.ts'
import { labelOf } from './speakers.ts'
import { type TimedWord, timedWords } from './timed-words.ts'

/** Speech whose speaker is unknown, or of a transcript without speakers. */
const unknownSpeaker = 'unknown'

/**
 * Rich Transcription Time Marked (NIST RT-09 evaluation plan, appendix A): the speakers, then their turns by time. Turns of
 * one speaker never overlap. All are of channel 1.
 */
export async function rttm(transcript: Transcript): Promise<string> {
  const recording = fieldOf(transcript.title)
  const nameOf = speakerNames(transcript)
  const turns = await turnsBySpeaker(transcript.segments, nameOf)
  const infos = [...new Set(turns.map(({ name }) => name))].map(
    name => `SPKR-INFO ${recording} 1 <NA> <NA> <NA> unknown ${name} <NA> <NA>\n`,
  )
  const lines = turns.map(
    ({ name, ...turn }) => `SPEAKER ${recording} 1 ${timesOf(turn)} <NA> <NA> ${name} <NA> <NA>\n`,
  )
  return [...infos, ...lines].join('')
}

/**
 * Conversation Time Marked (NIST sctk): the recognised words by time over all speakers. The confidence is absent for a
 * measured time, and `NA` for an estimated one. Words are in lower case, without the marks around them, as sclite folds the
 * case of ASCII alone.
 */
export async function ctm(transcript: Transcript): Promise<string> {
  const recording = fieldOf(transcript.title)
  const words: TimedWord[] = []
  for await (const segment of inTurns(transcript.segments)) words.push(...timedWords(segment))
  words.sort((a, b) => a.start - b.start)
  return (await mapInTurns(words, lineOf)).join('')

  function lineOf(word: TimedWord): string {
    const spelling = spellingOf(word.text)
    return spelling && `${recording} 1 ${timesOf(word)} ${spelling}${word.isEstimated ? ' NA' : ''}\n`
  }
}

/** Start and duration. Tools refuse a duration of 0. */
function timesOf({ start, end }: Span): string {
  return `${start.toFixed(3)} ${Math.max(0.001, end - start).toFixed(3)}`
}

/** Joins the segments of a speaker that touch or overlap; in order of their starts. */
async function turnsBySpeaker(
  segments: Segment[],
  nameOf: (segment: Segment) => string,
): Promise<(Span & { name: string })[]> {
  const turns: (Span & { name: string })[] = []
  const open = new Map<string, Span>()
  for await (const segment of inTurns([...segments].sort((a, b) => a.start - b.start))) {
    const name = nameOf(segment)
    const last = open.get(name)
    if (last && segment.start <= last.end) last.end = Math.max(last.end, segment.end)
    else {
      const turn = { name, start: segment.start, end: segment.end }
      open.set(name, turn)
      turns.push(turn)
    }
  }
  return turns
}

/** Names as fields; the id where a name is that of another speaker, another's id, or the mark of unknown speech. */
function speakerNames(transcript: Transcript): (segment: Segment) => string {
  const { speakers = [] } = transcript
  const label = labelOf(transcript)
  const names = speakers.map(({ id }) => fieldOf(label({ speaker: id }) ?? id))
  const taken = [unknownSpeaker, ...names, ...speakers.map(({ id }) => id)]
  const found = new Map(
    speakers.map(({ id }, i) => {
      const isFree = taken.filter(name => name === names[i]).length === (names[i] === id ? 2 : 1)
      return [id, isFree ? names[i]! : id]
    }),
  )
  return ({ speaker }) => (speaker ? (found.get(speaker) ?? fieldOf(speaker)) : unknownSpeaker)
}

/** A field has no space, is never empty, and begins no comment. */
function fieldOf(text: string): string {
  return text.trim().replace(/\s+/g, '_').replace(/^;+/, '') || 'recording'
}

/** Brackets, slashes and the like are sclite's own marks, within a word too. */
function spellingOf(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[(){}<>[\]@;*\\|/]+/g, '-')
    .replace(/^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu, '')
}
