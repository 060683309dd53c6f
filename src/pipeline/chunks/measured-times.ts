// Times that the model itself measured, for any stretch of a chunk's text.
import type { Timestamps } from '../../domain/job.ts'
import type { Recognition } from '../../domain/ports.ts'
import { tokens } from '../../domain/tokens.ts'
import { roundToMs, type Segment, type Span } from '../../domain/transcript.ts'
import { type Part, timeInRecording } from '../audio/cut/parts.ts'
import { timeWords } from './timing.ts'

export interface MeasuredTimes {
  of: 'words' | 'segments'
  /** In the order of the text and of time, in seconds of the recording. */
  stretches: (Span & {
    /** Offsets in the text; spaces at the end do not count. */ from: number
    to: number
  })[]
}

/** Undefined where the model measured none, or where they are not those of this text. They are late by `delay` seconds. */
export function measuredTimes(
  text: string,
  { words, segments }: Recognition,
  parts: readonly Part[],
  delay = 0,
): MeasuredTimes | undefined {
  const timed = words ?? segments
  if (!timed?.length || timed.map(({ text }) => text).join('') !== text) return undefined
  let from = 0
  const stretches = timed.map(({ text, ...late }) => {
    const start = timeInRecording(late.start - delay, parts)
    const end = Math.max(start, timeInRecording(late.end - delay, parts, true))
    const stretch = { from, to: from + text.trimEnd().length, start, end }
    from += text.length
    return stretch
  })
  return { of: words ? 'words' : 'segments', stretches }
}

/** The times without those of the first characters of the text. */
export function withoutStart({ of, stretches }: MeasuredTimes, characters: number): MeasuredTimes {
  const left = stretches.filter(({ to }) => to > characters)
  return {
    of,
    stretches: left.map(each => ({ ...each, from: each.from - characters, to: each.to - characters })),
  }
}

/** `texts` are stretches of the whole text, in their order. Where words have times, these are the words' own. */
export function measuredSegments(
  texts: string[],
  whole: string,
  times: MeasuredTimes,
  timestamps: Timestamps,
): Segment[] {
  let at = 0
  return texts.map(text => {
    const from = whole.indexOf(text, at)
    at = from + text.length
    const { exact, ...span } = spanOf(from, at, times)
    const estimated = times.of === 'segments' && (timestamps === 'word' || !exact)
    if (timestamps !== 'word') return { ...span, text, estimated }
    if (times.of === 'segments') return { ...span, text, estimated, words: timeWords(text, span, [span]) }
    const words = tokens(text).map(({ start, end }) => {
      const { exact: _, ...span } = spanOf(from + start, from + end, times)
      return { text: text.slice(start, end), ...span }
    })
    return { ...span, text, estimated, words }
  })
}

/** When these characters of the text are said; `exact` where neither end lies within a measured stretch. */
function spanOf(from: number, to: number, { stretches }: MeasuredTimes): Span & { exact: boolean } {
  const first = stretches.findLast(stretch => stretch.from <= from) ?? stretches[0]!
  const last = stretches.findLast(stretch => stretch.from < to) ?? first
  const start = timeAt(from, first)
  return { start, end: Math.max(start, timeAt(to, last)), exact: from <= first.from && to >= last.to }
}

function timeAt(offset: number, { from, to, start, end }: MeasuredTimes['stretches'][number]): number {
  const share = Math.min(1, Math.max(0, (offset - from) / Math.max(1, to - from)))
  return roundToMs(start + share * (end - start))
}
