// Estimates the clock offset between two recognitions by a vote of common words, or else of speech onsets.
import { isTurnOver, nextTurn, sortInTurns } from '../../domain/waiting/turns.ts'
import type { TimedToken } from './timed-tokens.ts'

export interface ClockOffset {
  /** Seconds by which the first clock is ahead. Clocks are shifted, never stretched. */
  offsetSeconds: number
  /** Median difference of two times of one word, without the offset. */
  spreadSeconds: number
}

/** Difference of two times that may be of the same event; the weight says how likely. */
interface Vote {
  difference: number
  weight: number
}

const maxOffsetSeconds = 30
const maxOnsetOffsetSeconds = 4
/** More frequent runs say little about the position in the recording. */
const maxOccurrences = 10
/** In a longer text there are enough runs of three tokens. */
const longTextTokens = 20_000
/** Votes this close agree. */
const agreementSeconds = 0.5
const binSeconds = 0.05
const minWordSupport = 4
const minOnsetSupport = 8
const minOnsetPauseSeconds = 0.8
/** An offset must explain this many times the onsets that no offset explains. */
const minOnsetGain = 1.5
/** For too few votes. */
const noOffset: ClockOffset = { offsetSeconds: 0, spreadSeconds: 0.25 }

export async function estimateClockOffset(first: TimedToken[], second: TimedToken[]): Promise<ClockOffset> {
  const votes = await wordVotes(first, second)
  return (
    (await peak(votes, maxOffsetSeconds, minWordSupport)) ?? (await onsetOffset(first, second)) ?? noOffset
  )
}

/** Votes of runs of one to three tokens that are rare in both; rarer and longer runs weigh more. */
async function wordVotes(first: TimedToken[], second: TimedToken[]): Promise<Vote[]> {
  const votes: Vote[] = []
  for (const length of second.length > longTextTokens ? [3] : [1, 2, 3]) {
    const firstRuns = await runTimes(first, length)
    for (const [key, times] of await runTimes(second, length)) {
      if (isTurnOver()) await nextTurn()
      const others = firstRuns.get(key) ?? []
      if (times.length > maxOccurrences || others.length > maxOccurrences) continue
      const weight = length / Math.max(1, times.length * others.length)
      for (const time of times)
        for (const other of others)
          if (Math.abs(other - time) <= maxOffsetSeconds) votes.push({ difference: other - time, weight })
    }
  }
  return votes
}

/** Times of each run of this many tokens. */
async function runTimes(tokens: TimedToken[], length: number): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  for (let i = 0; i + length <= tokens.length; i++) {
    if (isTurnOver()) await nextTurn()
    let key = tokens[i]!.key
    for (let k = 1; k < length; k++) key += ` ${tokens[i + k]!.key}`
    const times = found.get(key)
    if (times) times.push(tokens[i]!.at)
    else found.set(key, [tokens[i]!.at])
  }
  return found
}

/** Uses onsets after a pause where no words agree, as when one model does not know the language. */
async function onsetOffset(first: TimedToken[], second: TimedToken[]): Promise<ClockOffset | undefined> {
  const [firstOnsets, secondOnsets] = [onsets(first), onsets(second)]
  const votes: Vote[] = []
  let from = 0
  for (const time of secondOnsets) {
    while (from < firstOnsets.length && firstOnsets[from]! < time - maxOnsetOffsetSeconds) from++
    for (let k = from; k < firstOnsets.length && firstOnsets[k]! <= time + maxOnsetOffsetSeconds; k++)
      votes.push({ difference: firstOnsets[k]! - time, weight: 1 })
  }
  const found = await peak(votes, maxOnsetOffsetSeconds, Math.max(minOnsetSupport, secondOnsets.length / 2))
  if (!found) return undefined
  // Onsets coincide by chance, so an offset must explain far more of them than none.
  const agreeing = (offset: number) =>
    votes.filter(({ difference }) => Math.abs(difference - offset) < agreementSeconds / 2).length
  return agreeing(found.offsetSeconds) > minOnsetGain * agreeing(0) ? found : undefined
}

function onsets(tokens: TimedToken[]): number[] {
  const times = tokens.map(({ at }) => at).sort((a, b) => a - b)
  return times.filter((at, i) => i === 0 || at - times[i - 1]! > minOnsetPauseSeconds)
}

/** The difference with the most votes; undefined where their total weight is below `minSupport`. */
async function peak(votes: Vote[], maxSeconds: number, minSupport: number): Promise<ClockOffset | undefined> {
  const bins = new Float64Array(Math.ceil((2 * maxSeconds) / binSeconds) + 1)
  for (const { difference, weight } of votes)
    bins[Math.round((difference + maxSeconds) / binSeconds)]! += weight
  const width = Math.round(agreementSeconds / binSeconds)
  let [best, bestScore] = [0, 0]
  for (let centre = 0; centre < bins.length; centre++) {
    let score = 0
    for (let k = Math.max(0, centre - width); k <= Math.min(bins.length - 1, centre + width); k++)
      score += bins[k]! * (1 - Math.abs(k - centre) / (width + 1))
    // Of equal peaks the one closer to zero wins: both providers process the same file.
    score *= 1 - Math.abs(centre * binSeconds - maxSeconds) / (4 * maxSeconds)
    if (score > bestScore) [best, bestScore] = [centre, score]
  }
  const centre = best * binSeconds - maxSeconds
  const agreeing = votes.filter(({ difference }) => Math.abs(difference - centre) <= agreementSeconds)
  if (agreeing.reduce((sum, { weight }) => sum + weight, 0) < minSupport) return undefined
  const offsetSeconds = await weightedMedian(agreeing)
  const deviations = agreeing.map(({ difference, weight }) => ({
    difference: Math.abs(difference - offsetSeconds),
    weight,
  }))
  return { offsetSeconds, spreadSeconds: await weightedMedian(deviations) }
}

async function weightedMedian(votes: Vote[]): Promise<number> {
  const sorted = await sortInTurns(votes, (a, b) => a.difference - b.difference)
  let left = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  for (const { difference, weight } of sorted) {
    left -= weight
    if (left <= 0) return difference
  }
  return 0
}
