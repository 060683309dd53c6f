// Overlapping voices: separates mixed recordings into layers and finds each one also where others are louder.
import { blockSamples, type Match } from './extend-match.ts'
import { blockLevels } from './library.ts'
import { readAt } from './resample.ts'

/** All matches of one recording at one offset, that is, of one continuous playback. */
export type Layer = Match[]

// Gains are solved for 40 ms at a time.
const pieceSamples = 8 * blockSamples
// A layer that is inaudible for this long does not end: lossy coding disturbs single sounds for less.
const maxMissingPieces = 3
// Fewer pieces may match by chance.
const minPieces = 4
// More layers mean a recording that was cut up, not overlapping voices.
const maxLayers = 6

/** Ordered by start. */
export function toLayers(matches: Match[]): Layer[] {
  const layers: Layer[] = []
  for (const match of matches) {
    const layer = layers.find(([first]) => isSamePlayback(first!, match))
    if (layer) layer.push(match)
    else layers.push([match])
  }
  for (const layer of layers) layer.sort((a, b) => a.start - b.start)
  return layers.sort((a, b) => a[0]!.start - b[0]!.start)
}

/**
 * Finds where each layer is audible beside its matches, under louder ones. `earlier`: matches before these samples,
 * whose recordings may continue undetected.
 */
export function findUnderlying(samples: Float32Array, matches: Match[], earlier: Match[]): Match[] {
  const goingOn = earlier.filter(({ recording, offset }) => offset < recording.samples.length)
  const layers = toLayers([...matches, ...goingOn])
  if (layers.length < 2 || layers.length > maxLayers) return []
  const sounds = layers.map(([layer]) => {
    const { recording, offset } = layer!
    return readAt(recording.samples, offset, samples.length, new Float32Array(samples.length))
  })
  const levels = sounds.map(sound => blockLevels(sound, pieceSamples))
  const pieces = Math.floor(samples.length / pieceSamples)
  const gains = Array.from({ length: pieces }, (_, piece) =>
    solveGains(samples, sounds, piece * pieceSamples),
  )
  return layers.flatMap((layer, index) => {
    const usual = median(layer.map(({ gain }) => gain))
    const floor = layer[0]!.recording.floor
    const presence = gains.map((gain, piece): Presence => {
      if (levels[index]![piece]! < 4 * floor) return 'silent'
      return gain[index]! > usual / 2 && gain[index]! < usual * 2 ? 'audible' : 'missing'
    })
    return runs(presence).map(run => matchOf(layer[0]!, run))
  })
}

type Presence = 'audible' | 'missing' | 'silent'

interface Run {
  start: number
  end: number
  quietStart: number
  quietEnd: number
  count: number
}

// Runs of pieces in which a layer is audible, joined across its own pauses.
function runs(presence: Presence[]): Run[] {
  const found: Run[] = []
  let run: Run | undefined
  let missing = 0
  let quiet = 0
  const end = () => {
    if (run && run.count >= minPieces) found.push(run)
    run = undefined
  }
  for (const [piece, state] of presence.entries()) {
    if (state === 'audible') {
      run ??= { start: piece, end: piece, quietStart: quiet, quietEnd: piece, count: 0 }
      run.end = piece + 1
      run.count++
      missing = 0
    } else if (state === 'missing' && ++missing > maxMissingPieces) end()
    if (run && missing === 0) run.quietEnd = piece + 1
    if (state === 'missing') quiet = piece + 1
  }
  end()
  return found
}

function matchOf(like: Match, run: Run): Match {
  return {
    ...like,
    start: run.start * pieceSamples,
    end: run.end * pieceSamples,
    quietStart: run.quietStart * pieceSamples,
    quietEnd: run.quietEnd * pieceSamples,
    score: run.count,
  }
}

// Least-squares gains of the sounds in the piece at `start`: their sum comes closest to the audio.
function solveGains(audio: Float32Array, sounds: Float32Array[], start: number): number[] {
  const size = sounds.length
  // Half a piece to either side makes accidental similarity rarer.
  const [from, to] = [
    Math.max(0, start - pieceSamples / 2),
    Math.min(audio.length, start + 1.5 * pieceSamples),
  ]
  const rows = sounds.map((sound, row) => {
    const products = sounds.map((other, column) => (column < row ? 0 : dot(sound, other, from, to)))
    return [...products, dot(sound, audio, from, to)]
  })
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) rows[row]![column] = rows[column]![row]!
  }
  // Regularises the system: the gain of a silent sound would be arbitrary.
  for (let row = 0; row < size; row++) rows[row]![row]! += 1e-6 * (to - from)
  return solve(rows)
}

function dot(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += a[i]! * b[i]!
  return sum
}

// Gauss-Jordan elimination of a positive definite matrix.
function solve(rows: number[][]): number[] {
  const size = rows.length
  for (let pivot = 0; pivot < size; pivot++) {
    const row = rows[pivot]!
    const by = row[pivot]!
    for (let column = pivot; column <= size; column++) row[column]! /= by
    for (const [index, other] of rows.entries()) {
      const times = other[pivot]!
      if (index === pivot || times === 0) continue
      for (let column = pivot; column <= size; column++) other[column]! -= times * row[column]!
    }
  }
  return rows.map(row => row[size]!)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function isSamePlayback(a: Match, b: Match): boolean {
  return a.recording === b.recording && Math.abs(a.offset - b.offset) < blockSamples
}
