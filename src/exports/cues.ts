// Subtitles: segments become cues of at most two lines that can be read in their time.
import { clock, tokenQuarters, tokens } from '../domain/text.ts'
import { type Gap, type Segment, type Span, seconds, type Transcript } from '../domain/transcript.ts'

export interface Cue extends Span {
  lines: string[]
}

/** Width of a line: 42 signs of Latin script or 18 ideographs. */
const lineWidth = 126
const [latin, ideograph] = [3, 7]
const longest = 7
const shortest = 1

/** In order, without overlap. Where speech has no text a cue says so for a while. */
export function cues({ segments, coverage }: Transcript): Cue[] {
  const holes = coverage.gaps.map(holeCue)
  const spoken = segments.flatMap(segment => [...takeBefore(holes, segment.start), ...cuesOf(segment)])
  const all = [...spoken, ...holes]
  let free = 0
  return all.map(({ lines, ...span }, i) => {
    // A short cue stays up a little longer where the next one leaves room.
    const room = all[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const start = Math.max(span.start, free)
    const end = Math.min(Math.max(span.end, start + shortest), room)
    free = seconds(Math.max(end, start + 0.001))
    return { start, end: free, lines }
  })
}

function holeCue({ start, end }: Gap): Cue {
  return { start, end: Math.min(end, start + longest), lines: [`[no text until ${clock(end)}]`] }
}

/** Takes the cues that begin before this time off the front of a list. */
function takeBefore(cues: Cue[], time: number): Cue[] {
  const count = cues.findIndex(({ start }) => start >= time)
  return cues.splice(0, count < 0 ? cues.length : count)
}

function cuesOf({ text, start, end }: Segment): Cue[] {
  const words = wordsOf(text)
  const total = words.reduce((sum, word) => sum + width(word), 0)
  const count = Math.max(Math.ceil(total / (2 * lineWidth)), Math.ceil((end - start) / longest))
  const time = (end - start) / Math.max(1, total)
  // Some more than the average, so that a word over it does not open another cue, but never more than the time allows.
  const most = Math.min((1.15 * total) / count, longest / time)
  let done = 0
  return group(words, most).map(piece => {
    const from = start + done * time
    done += width(piece.join(''))
    return {
      start: seconds(from),
      end: seconds(Math.min(end, start + done * time, from + longest)),
      lines: layOut(piece)!,
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

/** Puts words together until they are too wide, or fit no two lines. */
function group(words: string[], most: number): string[][] {
  const groups: string[][] = []
  let filled = 0
  for (const word of words) {
    const open = groups.at(-1)
    filled += width(word)
    if (open && filled <= most && (filled <= lineWidth || layOut([...open, word]))) open.push(word)
    else {
      groups.push([word])
      filled = width(word)
    }
  }
  return groups
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
