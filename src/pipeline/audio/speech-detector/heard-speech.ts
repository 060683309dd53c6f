// Finds the speech of a chunk by ear, where the level takes other sound for it: music, applause, tones, noise.
import { roundToMs, type Span, secondsOf } from '../../../domain/transcript.ts'
import { sampleRate } from '../activity.ts'
import type { Chunk } from '../cut/cut.ts'
import { clockOf } from '../cut/parts.ts'
import type { Samples } from '../cut/sample-memory.ts'
import { type SpeechDetector, windowSize } from './speech-detector.ts'

const windowSeconds = windowSize / sampleRate
/** Speech begins with a window this likely, and ends before one less likely than `minGoingOn`. */
const minBeginning = 0.5
const minGoingOn = 0.35
/** A shorter pause is part of the speech. */
const minPauseWindows = 4
/** Stretches closer than this belong together. */
const minDistanceSeconds = 1
/** A stretch that stands alone with less speech is a blip: they come where music begins or ends. */
const minAloneSeconds = 0.3
/** The detector hears a start late; the level knows where it is. */
const marginSeconds = 0.1
/** With less of what was heard in it, the level is drowned in noise and knows no edges. */
const minLevelShare = 0.85

/**
 * A look doubts the level where it hears nothing for so long, or where so much of what it hears is none by the level.
 */
const maxUnlikely = 0.3
const minUnlikelyWindows = 11
/** A look may miss all syllables of a second. Of the doubtful windows so many have to be unlikely when all are heard. */
const minCheckedUnlikely = 8
/** A second before them and a half, as what was heard sharpens what follows. */
const checkedWindows = 60
const minAgreement = 0.7
/** A look does not hear short pauses that other sound fills. Then the quiet frames are louder than this, against speech. */
const minContrastDb = 32

/**
 * The speech that was heard, in seconds of the recording and without the overlap: empty where there is none. Undefined
 * where a look finds no reason to doubt the level.
 */
export async function heardSpeech(
  chunk: Omit<Chunk, 'release'>,
  detector: SpeechDetector,
): Promise<Span[] | undefined> {
  const { samples, speech, levels } = chunk
  if (contrastDb(levels) >= minContrastDb && !(await isDoubtful(chunk, detector))) return undefined
  const heard = withoutBlips(await stretches(detector.listen(samples), chunk))
  return shareInside(heard, speech) >= minLevelShare ? intersection(speech, heard.map(widened)) : heard
}

/** Between loud and quiet frames: a tenth is louder, a tenth quieter. Every fourth frame tells. */
export function contrastDb(levels: readonly number[]): number {
  const sorted = new Float64Array(Math.ceil(levels.length / 4))
  for (let i = 0; i < sorted.length; i++) sorted[i] = levels[4 * i]!
  sorted.sort()
  const [quiet, loud] = [0.1, 0.9].map(share => sorted[Math.floor(share * sorted.length)])
  return (loud ?? 0) - (quiet ?? 0)
}

type Windows = AsyncIterable<Float32Array>

/**
 * True where `test` is true for a window behind the overlap, given its probability, start in the recording, and number;
 * the first one ends it. An hour has a hundred thousand windows: none of them makes an object.
 */
async function someWindow(
  windows: Windows,
  { parts, overlap }: Pick<Chunk, 'parts' | 'overlap'>,
  test: (likely: number, start: number, index: number) => boolean,
): Promise<boolean> {
  const first = Math.ceil(overlap / windowSeconds)
  const timeAt = clockOf(parts)
  let index = 0
  for await (const heard of windows)
    for (let i = 0; i < heard.length; i++, index++)
      if (index >= first && test(heard[i]!, timeAt(index * windowSeconds), index)) return true
  return false
}

/** Ends with the first reason: music need not be looked at to its end. */
async function isDoubtful(chunk: Omit<Chunk, 'release'>, detector: SpeechDetector): Promise<boolean> {
  const { samples, speech } = chunk
  let unlikely = 0
  let agreed = 0
  let all = 0
  let next = 0
  const hasReason = await someWindow(detector.look(samples), chunk, (likely, start, index) => {
    while (next < speech.length && speech[next]!.end <= start) next++
    const isSpeech = next < speech.length && speech[next]!.start <= start
    if (likely > minBeginning) all++
    if (likely > minBeginning && isSpeech) agreed++
    if (isSpeech) unlikely = likely > maxUnlikely ? 0 : unlikely + 1
    if (unlikely < minUnlikelyWindows) return false
    unlikely = 0
    return areUnlikely(samples, index, detector)
  })
  return hasReason || agreed < minAgreement * all
}

/** Hears all of the windows that end with this one. */
function areUnlikely(samples: Samples, last: number, detector: SpeechDetector): boolean {
  const from = Math.max(0, last + 1 - checkedWindows)
  const heard = detector.createListener().hear(samples, from * windowSize, last + 1 - from, 1)
  const doubtful = heard.subarray(-minUnlikelyWindows)
  return doubtful.filter(likely => likely <= maxUnlikely).length >= minCheckedUnlikely
}

interface Stretch extends Span {
  /** Sum of the probabilities of its windows, in seconds. */
  spoken: number
}

async function stretches(windows: Windows, chunk: Omit<Chunk, 'release'>): Promise<Stretch[]> {
  const found: Stretch[] = []
  let isOpen = false
  await someWindow(windows, chunk, (likely, start) => {
    isOpen = likely >= (isOpen ? minGoingOn : minBeginning)
    if (!isOpen) return false
    const end = start + windowSeconds
    const spoken = likely * windowSeconds
    const last = found.at(-1)
    if (last && start - last.end < (minPauseWindows - 0.5) * windowSeconds) {
      last.end = end
      last.spoken += spoken
    } else found.push({ start, end, spoken })
    return false
  })
  return found
}

/** Leaves out groups of stretches, close to each other, with too little speech. */
function withoutBlips(all: Stretch[]): Stretch[] {
  const groups: Stretch[][] = []
  for (const stretch of all) {
    const last = groups.at(-1)
    if (last && stretch.start - last.at(-1)!.end < minDistanceSeconds) last.push(stretch)
    else groups.push([stretch])
  }
  return groups
    .filter(group => group.reduce((sum, { spoken }) => sum + spoken, 0) >= minAloneSeconds)
    .flat()
    .map(stretch => ({ ...stretch, start: roundToMs(stretch.start), end: roundToMs(stretch.end) }))
}

function widened({ start, end }: Span): Span {
  return { start: start - marginSeconds, end: end + marginSeconds }
}

/** Both in order of time. What overlaps itself, as widened spans may, is there once. */
function intersection(spans: readonly Span[], others: readonly Span[]): Span[] {
  const found: Span[] = []
  let first = 0
  for (const span of spans) {
    while (first < others.length && others[first]!.end <= span.start) first++
    for (let i = first; i < others.length && others[i]!.start < span.end; i++) {
      const [start, end] = [Math.max(span.start, others[i]!.start), Math.min(span.end, others[i]!.end)]
      const last = found.at(-1)
      if (last && start <= last.end) last.end = Math.max(last.end, end)
      else found.push({ start: roundToMs(start), end: roundToMs(end) })
    }
  }
  return found
}

/** Share of the first spans that lies in the others; 1 where there are none. */
function shareInside(spans: readonly Span[], others: readonly Span[]): number {
  const total = secondsOf(spans)
  return total === 0 ? 1 : secondsOf(intersection(spans, others)) / total
}
