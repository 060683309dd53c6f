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
/** Codecs of a telephone blur first and last letters. */
const minHeardShare = 0.7
const parts = 10
/** Tells of the tracks that were heard, and is no alarm. */
const choice = /^The file has \d+ audio tracks\./

/** The faults, and the worst median of a tenth of the words, in seconds. */
export function judge(heard: HeardTranscript, truth: Truth): { faults: string[]; late: number } {
  const faults = backward(heard)
  if (heard.status !== 'completed') faults.push(`status ${heard.status}`)
  if (heard.coverage.gaps.length > 0) faults.push(`gaps ${JSON.stringify(heard.coverage.gaps)}`)
  for (const warning of heard.warnings) if (!choice.test(warning)) faults.push(`warning: ${warning}`)
  const error = heard.duration - truth.seconds
  if (Math.abs(error) > maxLengthError)
    faults.push(`duration ${heard.duration} instead of ${truth.seconds.toFixed(2)}`)
  const groups = bySpeaker(heard.segments)
  if (groups.length > truth.tracks.length) faults.push(`${groups.length} speakers`)
  let late = 0
  for (const [i, words] of truth.tracks.entries()) {
    const pairings = groups.map(group => pair(words, group))
    const best = pairings.reduce((a, b) => (b.length > a.length ? b : a), [])
    const found = groups[pairings.indexOf(best)]?.length ?? 0
    const track = truth.tracks.length > 1 ? ` of voice ${i + 1}` : ''
    if (best.length < words.length) {
      const missing = words.filter(word => !best.some(([said]) => said === word)).map(({ text }) => text)
      faults.push(
        `lost ${missing.length} of ${words.length} words${track}: ${missing.slice(0, 12).join(' ')}`,
      )
    }
    if (found > best.length) faults.push(`added ${found - best.length} words${track}`)
    const medians = tenths(best.map(([said, word]) => word.start - said.start - (said.late ?? 0)))
    const worst = medians.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
    if (Math.abs(worst) > Math.abs(late)) late = worst
    if (Math.abs(worst) > maxLateSeconds)
      faults.push(`late${track}: ${medians.map(seconds => seconds.toFixed(2)).join(' ')}`)
  }
  return { faults, late }
}

/** The words of a single voice as they were heard, at the times at which they are said. */
export function asHeard({ segments }: HeardTranscript, words: readonly TimedWord[]): TimedWord[] {
  const heard = bySpeaker(segments)[0] ?? []
  const pairs = new Map(pair(words, heard).map(([said, word]) => [word, said]))
  if (pairs.size < minHeardShare * words.length)
    throw new Error(`An utterance alone is heard as: ${heard.map(({ text }) => text).join(' ')}`)
  return heard.map(word => {
    const said = pairs.get(word)
    return said ? { ...said, late: word.start - said.start } : word
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

/** The longest common sequence of words. */
function pair(said: readonly TimedWord[], heard: readonly TimedWord[]): [TimedWord, TimedWord][] {
  const [a, b] = [said.map(plain), heard.map(plain)]
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--)
    for (let k = b.length - 1; k >= 0; k--)
      best[i]![k] = a[i] === b[k] ? best[i + 1]![k + 1]! + 1 : Math.max(best[i + 1]![k]!, best[i]![k + 1]!)
  const pairs: [TimedWord, TimedWord][] = []
  for (let i = 0, k = 0; i < a.length && k < b.length; )
    if (a[i] === b[k]) pairs.push([said[i++]!, heard[k++]!])
    else if (best[i + 1]![k]! >= best[i]![k + 1]!) i++
    else k++
  return pairs
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
