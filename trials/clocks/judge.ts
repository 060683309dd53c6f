// Compares a transcript with the truth of its file: no word lost, added or out of order, each at its time.
import type { Truth } from './build.ts'
import type { TimedWord } from './reels.ts'

interface HeardSegment {
  start: number
  end: number
  speaker?: string | null
  words?: TimedWord[]
}

export interface HeardTranscript {
  status: string
  duration: number
  warnings: string[]
  coverage: { gaps: unknown[] }
  segments: HeardSegment[]
}

const maxLateSeconds = 0.15
const maxLengthError = 0.1
/** The ear of the emulator leaves out words of which it hears less. */
const minAudibleShare = 1 / 3
/** Codecs of a telephone blur words at the ends of utterances. */
const minHeardShare = 0.9
const parts = 10
/** Tells of the tracks that were heard, and is no alarm. */
const choice = /^The file has \d+ audio tracks\./

/** A word, and how it is heard in a file without a clock. */
export interface ControlledWord extends TimedWord {
  /** Of its letters; 0 for a word that is not heard. */
  heardLetters?: number
}

/**
 * The faults, and the worst median of a tenth of the words, in seconds. `words`: of each voice; a word that its control
 * hears in part, or elsewhere, may be heard like that.
 */
export function judge(
  heard: HeardTranscript,
  { seconds, voices }: Truth,
  words: readonly ControlledWord[][] = voices.map(voice => voice.words),
): { faults: string[]; late: number } {
  const faults = backward(heard)
  if (heard.status !== 'completed') faults.push(`status ${heard.status}`)
  if (heard.coverage.gaps.length > 0) faults.push(`gaps ${JSON.stringify(heard.coverage.gaps)}`)
  for (const warning of heard.warnings) if (!choice.test(warning)) faults.push(`warning: ${warning}`)
  const error = heard.duration - seconds
  if (Math.abs(error) > maxLengthError)
    faults.push(`duration ${heard.duration} instead of ${seconds.toFixed(2)}`)
  const groups = bySpeaker(heard.segments)
  if (groups.length > words.length) faults.push(`${groups.length} speakers`)
  let late = 0
  for (const [i, said] of words.entries()) {
    const pairings = groups.map(group => pair(said, group, isHeard))
    const best = pairings.reduce((a, b) => (b.length > a.length ? b : a), [])
    const found = groups[pairings.indexOf(best)]?.length ?? 0
    const track = words.length > 1 ? ` of voice ${i + 1}` : ''
    const paired = new Set(best.map(([word]) => word))
    const lost = said.filter(word => word.heardLetters !== 0 && !paired.has(word)).map(({ text }) => text)
    if (lost.length > 0)
      faults.push(`lost ${lost.length} of ${said.length} words${track}: ${lost.slice(0, 12).join(' ')}`)
    if (found > best.length) faults.push(`added ${found - best.length} words${track}`)
    const medians = latest(best)
    const worst = medians.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
    if (Math.abs(worst) > Math.abs(late)) late = worst
    if (Math.abs(worst) > maxLateSeconds)
      faults.push(`late${track}: ${medians.map(seconds => seconds.toFixed(2)).join(' ')}`)
  }
  return { faults, late }
}

/** The words of a voice, and how its control is heard; a text where too little of it is. */
export function controlled(
  words: readonly TimedWord[],
  { segments }: HeardTranscript,
): ControlledWord[] | string {
  const heard = segments.flatMap(segment => segment.words ?? [])
  const pairs = new Map(pair(words, heard, (said, word) => lettersOf(said, word) > 0))
  if (pairs.size < minHeardShare * words.length) return `control: ${heard.map(({ text }) => text).join(' ')}`
  return words.map(word => {
    const found = pairs.get(word)
    if (!found) return { ...word, heardLetters: 0 }
    return { ...word, heardLetters: lettersOf(word, found), late: found.start - word.start }
  })
}

function backward({ segments }: HeardTranscript): string[] {
  const faults: string[] = []
  let last = 0
  const ends = new Map<unknown, number>()
  for (const { start, end, speaker, words = [] } of segments) {
    if (start < last || end < start) faults.push(`a segment goes back at ${start}`)
    last = start
    for (const word of words) {
      if (word.start < (ends.get(speaker) ?? 0) - 0.0005 || word.end < word.start || word.end > end + 0.0005)
        faults.push(`${word.text} goes back at ${word.start}`)
      ends.set(speaker, word.end)
    }
  }
  return faults
}

function bySpeaker(segments: readonly HeardSegment[]): TimedWord[][] {
  const groups = new Map<string, TimedWord[]>()
  for (const { speaker, words = [] } of segments)
    groups.set(speaker ?? '', [...(groups.get(speaker ?? '') ?? []), ...words])
  return [...groups.values()]
}

const plain = ({ text }: TimedWord) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

function isHeard(said: ControlledWord, word: TimedWord): boolean {
  return lettersOf(said, word) >= Math.max(1, said.heardLetters ?? plain(said).length)
}

/** The letters of a word that were heard: all, the first or the last ones; or 0. */
function lettersOf(said: TimedWord, word: TimedWord): number {
  const [all, some] = [plain(said), plain(word)]
  const isPart = all.startsWith(some) || all.endsWith(some)
  return isPart && some.length >= minAudibleShare * all.length ? some.length : 0
}

/** The longest common sequence of words. */
function pair<T extends TimedWord>(
  said: readonly T[],
  heard: readonly TimedWord[],
  isSame: (said: T, heard: TimedWord) => boolean,
): [T, TimedWord][] {
  const same = said.map(word => heard.map(other => isSame(word, other)))
  const best = Array.from({ length: said.length + 1 }, () => new Uint16Array(heard.length + 1))
  for (let i = said.length - 1; i >= 0; i--)
    for (let k = heard.length - 1; k >= 0; k--)
      best[i]![k] = Math.max(best[i + 1]![k]!, best[i]![k + 1]!, same[i]![k] ? best[i + 1]![k + 1]! + 1 : 0)
  const pairs: [T, TimedWord][] = []
  for (let i = 0, k = 0; i < said.length && k < heard.length; )
    if (best[i]![k] === best[i + 1]![k]) i++
    else if (best[i]![k] === best[i]![k + 1]) k++
    else pairs.push([said[i++]!, heard[k++]!])
  return pairs
}

/** Of each tenth of the words, the median of the seconds by which they are late: against the truth or their control, where that is less. */
function latest(pairs: readonly [ControlledWord, TimedWord][]): number[] {
  const plainly = tenths(pairs.map(([said, word]) => word.start - said.start))
  const comparedly = tenths(pairs.map(([said, word]) => word.start - said.start - (said.late ?? 0)))
  return plainly.map((late, i) => (Math.abs(late) < Math.abs(comparedly[i]!) ? late : comparedly[i]!))
}

function tenths(values: readonly number[]): number[] {
  return Array.from({ length: parts }, (_, i) => {
    const [from, to] = [i, i + 1].map(part => Math.floor((part * values.length) / parts))
    const some = values.slice(from, to).sort((a, b) => a - b)
    return some.length > 0 ? (some[(some.length - 1) >> 1]! + some[some.length >> 1]!) / 2 : 0
  })
}

/** The faults of subtitles in SRT: cues that go back, or end when they begin. */
export function judgeCues(srt: string): string[] {
  const seconds = (clock: string) => {
    const [h, m, s] = clock.replace(',', '.').split(':').map(Number)
    return h! * 3600 + m! * 60 + s!
  }
  let last = 0
  return [...srt.matchAll(/^([\d:,]+) --> ([\d:,]+)/gm)].flatMap(([cue, from, to]) => {
    const isRight = seconds(from!) >= last && seconds(to!) > seconds(from!)
    last = seconds(from!)
    return isRight ? [] : [`a cue goes back: ${cue}`]
  })
}
