// Aligns audio with a recording to a fraction of a sample, by cross-correlation around a rough guess.
import type { Recording } from './library.ts'
import { readAt } from './resample.ts'

export interface Alignment {
  recording: Recording
  /** Sample position in the recording minus sample position in the audio; fractional. */
  offset: number
  /** Amplitude of the audio relative to the recording. */
  gain: number
  /** 1 if the waveforms are equal. */
  correlation: number
  /** Energy of the audio in the measured range. */
  power: number
}

// 3.5 hops to either side: half a hop for the offset between frame grids, three because a neighbour may match better.
const searchRadiusSamples = 448

// A steady voice repeats every few milliseconds, so a neighbouring period may correlate slightly better by chance.
const maxCorrelationGap = 0.08
const maxPeaks = 4

/**
 * Returns the best alignments of `length` samples from `start` on, near a guessed offset, best first. Empty if nothing
 * fits; several if only the surrounding audio can decide.
 */
export function align(
  audio: Float32Array,
  start: number,
  length: number,
  recording: Recording,
  guess: number,
): Alignment[] {
  const base = start + guess - searchRadiusSamples
  const reference = readAt(
    recording.samples,
    base,
    length + 2 * searchRadiusSamples,
    new Float32Array(length + 2 * searchRadiusSamples),
  )
  const correlations = correlateAll(audio.subarray(start, start + length), reference)
  const top = correlations.reduce((a, b) => Math.max(a, b), 0)
  if (top < 0.4) return []
  const peaks: number[] = []
  for (let lag = 1; lag + 1 < correlations.length; lag++) {
    const value = correlations[lag]!
    const local = value >= correlations[lag - 1]! && value > correlations[lag + 1]!
    if (local && value > top - maxCorrelationGap) peaks.push(lag)
  }
  peaks.sort((a, b) => correlations[b]! - correlations[a]!)
  return peaks
    .slice(0, maxPeaks)
    .map(lag =>
      measure(audio, start, length, recording, base - start + lag + parabolicPeak(correlations, lag)),
    )
}

/** Measures how well a range of the audio fits the recording at an offset. */
export function measure(
  audio: Float32Array,
  start: number,
  length: number,
  recording: Recording,
  offset: number,
): Alignment {
  const reference = readAt(recording.samples, start + offset, length, new Float32Array(length))
  let product = 0
  let audioPower = 1e-9
  let referencePower = 1e-9
  for (let i = 0; i < length; i++) {
    const sample = audio[start + i] ?? 0
    product += sample * reference[i]!
    audioPower += sample ** 2
    referencePower += reference[i]! ** 2
  }
  return {
    recording,
    offset,
    gain: product / referencePower,
    correlation: product / Math.sqrt(audioPower * referencePower),
    power: audioPower,
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

// Vertex of the parabola through a maximum and its neighbours, as a fraction of a sample.
function parabolicPeak(values: Float64Array, at: number): number {
  const before = values[at - 1]
  const after = values[at + 1]
  if (before === undefined || after === undefined) return 0
  const bend = before - 2 * values[at]! + after
  return bend < 0 ? (before - after) / (2 * bend) : 0
}
