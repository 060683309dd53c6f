// Turns segments into subtitle cues of at most two lines that can be read in their time.
import { formatTime } from '../../domain/format-time.ts'
import { modelTokenQuarters } from '../../domain/model-tokens.ts'
import { slices } from '../../domain/reading/slices.ts'
import { tokens } from '../../domain/tokens.ts'
import { type Gap, roundToMs, type Segment, type Span, type Transcript } from '../../domain/transcript.ts'
import { preferFormatted } from '../shown-segments.ts'
import { labelOf, type SpeakerLabel } from '../speakers.ts'

export interface Cue extends Span {
  lines: string[]
  /** Label of the speaker; `?` where unknown. */
  speaker?: string
}

/** 42 Latin characters or 18 ideographs. */
const maxLineWidth = 126
const [latinWidth, ideographWidth] = [3, 7]
const maxCueSeconds = 7
const minCueSeconds = 1
/** They take about 5 ms. */
const segmentsPerSlice = 100

/**
 * Returns cues in order, without overlap and of one speaker each. A gap is shown as a cue of its own.
 * `namesInText` starts each cue with the speaker's name, for formats without a field for it.
 */
export async function cues(transcript: Transcript, { namesInText = false } = {}): Promise<Cue[]> {
  const { segments, coverage } = preferFormatted(transcript)
  const label = labelOf(transcript)
  const prefixOf = namesInText ? createPrefixes(segments, label) : () => ''
  /** One track a speaker: with overlapping speakers, the sentences of each keep their order. */
  const tracks = new Map<Segment['speaker'], Cue[]>()
  for await (const slice of slices(segments, segmentsPerSlice))
    for (const segment of slice) {
      const track = tracks.get(segment.speaker) ?? []
      track.push(...cuesOf(segment, label(segment), prefixOf(segment)))
      tracks.set(segment.speaker, track)
    }
  return withoutOverlap(mergeTracks([...tracks.values(), coverage.gaps.map(gapCue)]))
}

/** Returns the prefix of a speaker's cues: the shortened name, or the id where two shortened names are equal. */
function createPrefixes(segments: Segment[], label: SpeakerLabel): (segment: Segment) => string {
  const names = new Map(segments.map(segment => [segment.speaker, label(segment)]))
  const shortNames = [...new Set(names.values())].map(name => shortenName(name ?? ''))
  const texts = new Map(
    [...names].map(([speaker, name]) => {
      if (name === undefined) return [speaker, '']
      const short = shortenName(name)
      const isAlike = shortNames.filter(other => other === short).length > 1
      return [speaker, `${isAlike && speaker ? speaker : short}: `]
    }),
  )
  return ({ speaker }) => texts.get(speaker)!
}

function gapCue({ start, end }: Gap): Cue {
  return { start, end: Math.min(end, start + maxCueSeconds), lines: [`[no text until ${formatTime(end)}]`] }
}

/** Merges tracks by start time; of cues that start together, the one of the earlier track comes first. */
function mergeTracks(tracks: Cue[][]): Cue[] {
  const at = tracks.map(() => 0)
  const next = (track: number) => tracks[track]![at[track]!]?.start ?? Number.POSITIVE_INFINITY
  const count = tracks.reduce((sum, { length }) => sum + length, 0)
  return Array.from({ length: count }, () => {
    const first = tracks.reduce((best, _, track) => (next(track) < next(best) ? track : best), 0)
    return tracks[first]![at[first]!++]!
  })
}

function withoutOverlap(all: Cue[]): Cue[] {
  let free = 0
  return all.map((cue, i) => {
    // A short cue is extended up to the next one. A cue under overlapping speech is still shown for its minimum.
    const room = all[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const start = Math.max(cue.start, free)
    const minEnd = start + Math.min(cue.end - cue.start, minCueSeconds)
    const end = Math.min(Math.max(cue.end, start + minCueSeconds), Math.max(room, minEnd))
    free = roundToMs(Math.max(end, start + 0.001))
    return { ...cue, start, end: free }
  })
}

function cuesOf({ text, start, end }: Segment, speaker: string | undefined, prefix: string): Cue[] {
  const words = splitWords(text)
  const total = words.reduce((sum, word) => sum + width(word), 0)
  const room = 2 * maxLineWidth - width(prefix)
  const count = Math.max(Math.ceil(total / room), Math.ceil((end - start) / maxCueSeconds))
  const time = (end - start) / Math.max(1, total)
  // A little above the average, so that one long word opens no further cue, within the allowed time.
  const maxWidth = Math.min((1.15 * total) / count, maxCueSeconds / time)
  let done = 0
  return groupWords(words, maxWidth, prefix).map(piece => {
    const from = start + done * time
    done += width(piece.join(''))
    return {
      start: roundToMs(from),
      end: roundToMs(Math.min(end, start + done * time, from + maxCueSeconds)),
      lines: breakLines(withPrefix(piece, prefix))!,
      ...(speaker !== undefined && { speaker }),
    }
  })
}

/** Splits a text into words with what follows each; a word wider than a line is split. */
function splitWords(text: string): string[] {
  const starts = tokens(text)
    .slice(1)
    .map(({ start }) => start)
  return [0, ...starts]
    .map((from, i) => text.slice(from, starts[i]).replace(/\s+/g, ' '))
    .flatMap(word => (width(word.trim()) > maxLineWidth ? word.match(/.{1,18}/gsu)! : [word]))
    .filter(word => word.trim() !== '')
}

/** Groups words until they are too wide, or do not fit two lines with the prefix. */
function groupWords(words: string[], maxWidth: number, prefix: string): string[][] {
  const groups: string[][] = []
  let filled = 0
  for (const word of words) {
    const open = groups.at(-1)
    filled += width(word)
    const isShort = filled + width(prefix) <= maxLineWidth
    if (open && filled <= maxWidth && (isShort || breakLines(withPrefix([...open, word], prefix))))
      open.push(word)
    else {
      groups.push([word])
      filled = width(word)
    }
  }
  return groups
}

function withPrefix(words: string[], prefix: string): string[] {
  return prefix ? [prefix, ...words] : words
}

/** Shortens a name to half a line, so that any word fits beside it or below it. */
function shortenName(name: string): string {
  const maxWidth = maxLineWidth / 2 - width(': ')
  if (width(name) <= maxWidth) return name
  let short = ''
  for (const character of name) {
    if (width(`${short}${character}…`) > maxWidth) break
    short += character
  }
  return `${short.trimEnd()}…`
}

/** Breaks words into one line, or two of similar width; undefined if they do not fit. */
function breakLines(words: string[]): string[] | undefined {
  const line = (from: number, to?: number) => words.slice(from, to).join('').trim()
  const whole = line(0)
  if (width(whole) <= maxLineWidth) return [whole]
  if (width(whole) > 2 * maxLineWidth + latinWidth) return undefined
  let [half, before] = [0, 0]
  while (before < width(whole) / 2) before += width(words[half++]!)
  return [half, half - 1]
    .map(at => [line(0, at), line(at)])
    .filter(lines => lines.every(text => width(text) <= maxLineWidth))
    .sort((a, b) => Math.max(...a.map(width)) - Math.max(...b.map(width)))[0]
}

function width(text: string): number {
  // Fast path: ASCII.
  if (/^[\0-\x7f]*$/.test(text)) return text.length * latinWidth
  let sum = 0
  for (const character of text) sum += modelTokenQuarters(character) === 4 ? ideographWidth : latinWidth
  return sum
}
