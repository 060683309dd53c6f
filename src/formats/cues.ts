// Subtitles: segments become cues of at most two lines that can be read in their time.
import { formatTime } from '../domain/format-time.ts'
import { tokenQuarters } from '../domain/token-estimate.ts'
import { tokens } from '../domain/tokens.ts'
import { type Gap, roundToMs, type Segment, type Span, type Transcript } from '../domain/transcript.ts'
import { preferFormatted } from './reading.ts'
import { type Label, labelOf } from './speakers.ts'

export interface Cue extends Span {
  lines: string[]
  /** Who says it; `?` where nobody could tell. */
  speaker?: string
}

/** Width of a line: 42 signs of Latin script or 18 ideographs. */
const lineWidth = 126
const [latin, ideograph] = [3, 7]
const longest = 7
const shortest = 1

/**
 * In order, without overlap, and of one speaker each. Where speech has no text a cue says so for a while.
 * `namesInText` begins each with its speaker's name, for formats that have no other place for it.
 */
export function cues(transcript: Transcript, { namesInText = false } = {}): Cue[] {
  const { segments, coverage } = preferFormatted(transcript)
  const label = labelOf(transcript)
  const begin = namesInText ? beginnings(segments, label) : () => ''
  /** Who speaks at the same time as others has a lane of his own, in which his sentences keep their order. */
  const lanes = new Map<Segment['speaker'], Cue[]>()
  for (const segment of segments) {
    const lane = lanes.get(segment.speaker) ?? []
    lane.push(...cuesOf(segment, label(segment), begin(segment)))
    lanes.set(segment.speaker, lane)
  }
  return oneAfterAnother(merged([...lanes.values(), coverage.gaps.map(holeCue)]))
}

/** What each one's cues begin with: the name, shortened; or the id, where another name is shortened alike. */
function beginnings(segments: Segment[], label: Label): (segment: Segment) => string {
  const names = new Map(segments.map(segment => [segment.speaker, label(segment)]))
  const shortNames = [...new Set(names.values())].map(name => shorten(name ?? ''))
  const texts = new Map(
    [...names].map(([speaker, name]) => {
      if (name === undefined) return [speaker, '']
      const short = shorten(name)
      const isAlike = shortNames.filter(other => other === short).length > 1
      return [speaker, `${isAlike && speaker ? speaker : short}: `]
    }),
  )
  return ({ speaker }) => texts.get(speaker)!
}

function holeCue({ start, end }: Gap): Cue {
  return { start, end: Math.min(end, start + longest), lines: [`[no text until ${formatTime(end)}]`] }
}

/** All lanes in one, by their beginnings; of two that begin at once, the one of the earlier lane is first. */
function merged(lanes: Cue[][]): Cue[] {
  const at = lanes.map(() => 0)
  const next = (lane: number) => lanes[lane]![at[lane]!]?.start ?? Number.POSITIVE_INFINITY
  const count = lanes.reduce((sum, { length }) => sum + length, 0)
  return Array.from({ length: count }, () => {
    const first = lanes.reduce((best, _, lane) => (next(lane) < next(best) ? lane : best), 0)
    return lanes[first]![at[first]!++]!
  })
}

function oneAfterAnother(all: Cue[]): Cue[] {
  let free = 0
  return all.map((cue, i) => {
    // A short cue stays up a little longer where the next one leaves room; one that others speak into is still seen.
    const room = all[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const start = Math.max(cue.start, free)
    const seen = start + Math.min(cue.end - cue.start, shortest)
    const end = Math.min(Math.max(cue.end, start + shortest), Math.max(room, seen))
    free = roundToMs(Math.max(end, start + 0.001))
    return { ...cue, start, end: free }
  })
}

function cuesOf({ text, start, end }: Segment, speaker: string | undefined, name: string): Cue[] {
  const words = wordsOf(text)
  const total = words.reduce((sum, word) => sum + width(word), 0)
  const room = 2 * lineWidth - width(name)
  const count = Math.max(Math.ceil(total / room), Math.ceil((end - start) / longest))
  const time = (end - start) / Math.max(1, total)
  // Some more than the average, so that a word over it does not open another cue, but never more than the time allows.
  const most = Math.min((1.15 * total) / count, longest / time)
  let done = 0
  return group(words, most, name).map(piece => {
    const from = start + done * time
    done += width(piece.join(''))
    return {
      start: roundToMs(from),
      end: roundToMs(Math.min(end, start + done * time, from + longest)),
      lines: layOut(named(piece, name))!,
      ...(speaker !== undefined && { speaker }),
    }
  })
}

/** A text in words, each with what stands behind it. A word that fills a line is taken apart. */
function wordsOf(text: string): string[] {
  const starts = tokens(text)
    .slice(1)
    .map(({ start }) => start)
  return [0, ...starts]
    .map((from, i) => text.slice(from, starts[i]).replace(/\s+/g, ' '))
    .flatMap(word => (width(word.trim()) > lineWidth ? word.match(/.{1,18}/gsu)! : [word]))
    .filter(word => word.trim() !== '')
}

/** Puts words together until they are too wide, or fit no two lines with the name before them. */
function group(words: string[], most: number, name: string): string[][] {
  const groups: string[][] = []
  let filled = 0
  for (const word of words) {
    const open = groups.at(-1)
    filled += width(word)
    const isShort = filled + width(name) <= lineWidth
    if (open && filled <= most && (isShort || layOut(named([...open, word], name)))) open.push(word)
    else {
      groups.push([word])
      filled = width(word)
    }
  }
  return groups
}

function named(words: string[], name: string): string[] {
  return name ? [name, ...words] : words
}

/** At most half a line, so that any word fits beside a name or below it. */
function shorten(name: string): string {
  const most = lineWidth / 2 - width(': ')
  if (width(name) <= most) return name
  let short = ''
  for (const sign of name) {
    if (width(`${short}${sign}…`) > most) break
    short += sign
  }
  return `${short.trimEnd()}…`
}

/** One line, or two of about the same width; undefined when the words do not fit. */
function layOut(words: string[]): string[] | undefined {
  const line = (from: number, to?: number) => words.slice(from, to).join('').trim()
  const whole = line(0)
  if (width(whole) <= lineWidth) return [whole]
  if (width(whole) > 2 * lineWidth + latin) return undefined
  let [half, before] = [0, 0]
  while (before < width(whole) / 2) before += width(words[half++]!)
  return [half, half - 1]
    .map(at => [line(0, at), line(at)])
    .filter(lines => lines.every(text => width(text) <= lineWidth))
    .sort((a, b) => Math.max(...a.map(width)) - Math.max(...b.map(width)))[0]
}

function width(text: string): number {
  let sum = 0
  for (const character of text) sum += tokenQuarters(character) === 4 ? ideograph : latin
  return sum
}
