// Lays what was heard exactly on a recording, by comparing wave forms around a rough guess.
import type { Known } from './library.ts'
import { readAt } from './shift.ts'

export interface Alignment {
  known: Known
  /** Add it to a sample number of what was heard to get the (fractional) sample of the recording. */
  offset: number
  /** How much louder than the recording it was heard. */
  gain: number
  /** 1 where the wave forms are the same. */
  correlation: number
  /** Energy of what was heard where this was measured. */
  power: number
}

// Hops to either side: half of one because frames lie on different grids, three because a neighbour may have matched
// better.
const REACH = 448

// A steady voice repeats itself every few milliseconds, so that a neighbouring period may fit a little better by chance.
const NEARLY = 0.08
const MOST = 4

/**
 * The best places for `length` samples heard from `start` on, near a guessed offset: best first, none where nothing
 * fits, several where only what comes before and after can decide.
 */
export function align(
  heard: Float32Array,
  start: number,
  length: number,
  known: Known,
  guess: number,
): Alignment[] {
  const base = start + guess - REACH
  const recorded = readAt(known.samples, base, length + 2 * REACH, new Float32Array(length + 2 * REACH))
  const correlations = correlateAll(heard.subarray(start, start + length), recorded)
  const top = correlations.reduce((a, b) => Math.max(a, b), 0)
  if (top < 0.4) return []
  const peaks: number[] = []
  for (let lag = 1; lag + 1 < correlations.length; lag++) {
    const value = correlations[lag]!
    const local = value >= correlations[lag - 1]! && value > correlations[lag + 1]!
    if (local && value > top - NEARLY) peaks.push(lag)
  }
  peaks.sort((a, b) => correlations[b]! - correlations[a]!)
  return peaks
    .slice(0, MOST)
    .map(lag => measure(heard, start, length, known, base - start + lag + summit(correlations, lag)))
}

/** How well a stretch fits at an offset. */
export function measure(
  heard: Float32Array,
  start: number,
  length: number,
  known: Known,
  offset: number,
): Alignment {
  const recorded = readAt(known.samples, start + offset, length, new Float32Array(length))
  let product = 0
  let heardPower = 1e-9
  let recordedPower = 1e-9
  for (let i = 0; i < length; i++) {
    const sample = heard[start + i] ?? 0
    product += sample * recorded[i]!
    heardPower += sample ** 2
    recordedPower += recorded[i]! ** 2
  }
  return {
    known,
    offset,
    gain: product / recordedPower,
    correlation: product / Math.sqrt(heardPower * recordedPower),
    power: heardPower,
  }
}

// Normalised cross-correlation for every lag at which `short` lies inside `long`.
function correlateAll(short: Float32Array, long: Float32Array): Float64Array {
  const { length } = short
  let shortPower = 1e-9
  let longPower = 1e-9
  for (let i = 0; i < length; i++) {
    shortPower += short[i]! ** 2
    longPower += long[i]! ** 2
  }
  const correlations = new Float64Array(long.length - length)
  for (let lag = 0; lag < correlations.length; lag++) {
    let product = 0
    for (let i = 0; i < length; i++) product += short[i]! * long[lag + i]!
    correlations[lag] = product / Math.sqrt(shortPower * Math.max(longPower, 1e-9))
    longPower += long[lag + length]! ** 2 - long[lag]! ** 2
  }
  return correlations
}

// The top of a parabola through a maximum and its neighbours: the part of a sample that is missing.
function summit(values: Float64Array, at: number): number {
  const before = values[at - 1]
  const after = values[at + 1]
  if (before === undefined || after === undefined) return 0
  const bend = before - 2 * values[at]! + after
  return bend < 0 ? (before - after) / (2 * bend) : 0
}
