// How far the clocks of two hearings are apart: by the words that both heard, or else by where speech begins.
import type { TimedToken } from './timed-tokens.ts'

export interface ClockOffset {
  /** Seconds that the first hearing's clock is ahead. Clocks are shifted, never stretched. */
  offsetSeconds: number
  /** How far times of one word usually differ once the offset is taken out (median, seconds). */
  spreadSeconds: number
}

/** Two times of what may be the same; the weight says how likely. */
interface Vote {
  difference: number
  weight: number
}

/** Offsets beyond this many seconds are not looked for. */
const [farthest, farthestOnset] = [30, 4]
/** What is heard more often than this says little about where one is in the recording. */
const mostPlaces = 10
/** In so many words there are enough runs of three. */
const plenty = 20_000
/** Votes this near to each other (seconds) agree. */
const near = 0.5
const bin = 0.05
/** Where the votes are too few to tell. */
const unknown: ClockOffset = { offsetSeconds: 0, spreadSeconds: 0.25 }

export function estimateClockOffset(who: TimedToken[], what: TimedToken[]): ClockOffset {
  return peak(wordVotes(who, what), farthest, 4) ?? onsetClock(who, what) ?? unknown
}

/** Runs of one to three words that are rare in both hearings: the rarer and longer, the more they tell. */
function wordVotes(who: TimedToken[], what: TimedToken[]): Vote[] {
  const votes: Vote[] = []
  for (const length of what.length > plenty ? [3] : [1, 2, 3]) {
    const places = runs(who, length)
    for (const [key, times] of runs(what, length)) {
      const others = places.get(key) ?? []
      if (times.length > mostPlaces || others.length > mostPlaces) continue
      const weight = length / Math.max(1, times.length * others.length)
      for (const time of times)
        for (const other of others)
          if (Math.abs(other - time) <= farthest) votes.push({ difference: other - time, weight })
    }
  }
  return votes
}

function runs(sounds: TimedToken[], length: number): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (let i = 0; i + length <= sounds.length; i++) {
    let key = sounds[i]!.key
    for (let k = 1; k < length; k++) key += ` ${sounds[i + k]!.key}`
    const times = found.get(key)
    if (times) times.push(sounds[i]!.at)
    else found.set(key, [sounds[i]!.at])
  }
  return found
}

/** Where no words agree (one model does not know the language), beginnings after a pause still do. */
function onsetClock(who: TimedToken[], what: TimedToken[]): ClockOffset | undefined {
  const [theirs, ours] = [onsets(who), onsets(what)]
  const votes: Vote[] = []
  let first = 0
  for (const time of ours) {
    while (first < theirs.length && theirs[first]! < time - farthestOnset) first++
    for (let k = first; k < theirs.length && theirs[k]! <= time + farthestOnset; k++)
      votes.push({ difference: theirs[k]! - time, weight: 1 })
  }
  const found = peak(votes, farthestOnset, Math.max(8, ours.length / 2))
  if (!found) return undefined
  // Beginnings coincide by chance: a shift must do far better than none.
  const agreeing = (offset: number) =>
    votes.filter(({ difference }) => Math.abs(difference - offset) < near / 2).length
  return agreeing(found.offsetSeconds) > 1.5 * agreeing(0) ? found : undefined
}

function onsets(sounds: TimedToken[]): number[] {
  const times = sounds.map(({ at }) => at).sort((a, b) => a - b)
  return times.filter((at, i) => i === 0 || at - times[i - 1]! > 0.8)
}

/** The difference that most votes agree on; undefined where less than `support` is behind it. */
function peak(votes: Vote[], reach: number, support: number): ClockOffset | undefined {
  const bins = new Float64Array(Math.ceil((2 * reach) / bin) + 1)
  for (const { difference, weight } of votes) bins[Math.round((difference + reach) / bin)]! += weight
  const width = Math.round(near / bin)
  let [best, bestScore] = [0, 0]
  for (let centre = 0; centre < bins.length; centre++) {
    let score = 0
    for (let k = Math.max(0, centre - width); k <= Math.min(bins.length - 1, centre + width); k++)
      score += bins[k]! * (1 - Math.abs(k - centre) / (width + 1))
    // Of two equals the nearer one: providers hear the same file.
    score *= 1 - Math.abs(centre * bin - reach) / (4 * reach)
    if (score > bestScore) [best, bestScore] = [centre, score]
  }
  const agreeing = votes.filter(({ difference }) => Math.abs(difference - (best * bin - reach)) <= near)
  if (agreeing.reduce((sum, { weight }) => sum + weight, 0) < support) return undefined
  const offset = median(agreeing)
  const spread = median(
    agreeing.map(({ difference, weight }) => ({ difference: Math.abs(difference - offset), weight })),
  )
  return { offsetSeconds: offset, spreadSeconds: spread }
}

function median(votes: Vote[]): number {
  const sorted = votes.toSorted((a, b) => a.difference - b.difference)
  let left = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  for (const { difference, weight } of sorted) {
    left -= weight
    if (left <= 0) return difference
  }
  return 0
}
