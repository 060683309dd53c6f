// Voices at the same time: recordings that lie over each other are told apart, and each is followed under the others.
import { BLOCK, type Stretch } from './extend.ts'
import { blockLevels } from './library.ts'
import { readAt } from './shift.ts'

/** All stretches of one recording at one offset: it plays on, whatever is heard besides. */
export type Layer = Stretch[]

// Samples that are weighed together: 40 ms.
const PIECE = 8 * BLOCK
// So many pieces in which a layer is not heard do not end it: coding disturbs single sounds for less.
const PATIENCE = 3
// Fewer pieces could be chance.
const ENOUGH = 4
// More layers are a recording that was cut up, not voices at the same time.
const MOST = 6

/** In the order of their beginnings. */
export function toLayers(stretches: Stretch[]): Layer[] {
  const layers: Layer[] = []
  for (const stretch of stretches) {
    const layer = layers.find(([first]) => isSame(first!, stretch))
    if (layer) layer.push(stretch)
    else layers.push([stretch])
  }
  for (const layer of layers) layer.sort((a, b) => a.start - b.start)
  return layers.sort((a, b) => a[0]!.start - b[0]!.start)
}

/**
 * What is heard of each layer besides its stretches, where others are louder. `earlier`: stretches before these
 * samples, whose recordings may go on unnoticed.
 */
export function underneath(samples: Float32Array, stretches: Stretch[], earlier: Stretch[]): Stretch[] {
  const goingOn = earlier.filter(({ known, offset }) => offset < known.samples.length)
  const layers = toLayers([...stretches, ...goingOn])
  if (layers.length < 2 || layers.length > MOST) return []
  const sounds = layers.map(([layer]) => {
    const { known, offset } = layer!
    return readAt(known.samples, offset, samples.length, new Float32Array(samples.length))
  })
  const levels = sounds.map(sound => blockLevels(sound, PIECE))
  const pieces = Math.floor(samples.length / PIECE)
  const gains = Array.from({ length: pieces }, (_, piece) => weigh(samples, sounds, piece * PIECE))
  return layers.flatMap((layer, place) => {
    const usual = median(layer.map(({ gain }) => gain))
    const floor = layer[0]!.known.floor
    const heard = gains.map((gain, piece): Hearing => {
      if (levels[place]![piece]! < 4 * floor) return 'silent'
      return gain[place]! > usual / 2 && gain[place]! < usual * 2 ? 'heard' : 'missing'
    })
    return runs(heard).map(run => stretchOf(layer[0]!, run))
  })
}

type Hearing = 'heard' | 'missing' | 'silent'

interface Run {
  start: number
  end: number
  quietStart: number
  quietEnd: number
  count: number
}

// Runs of pieces in which a layer is heard, joined over its own pauses.
function runs(heard: Hearing[]): Run[] {
  const found: Run[] = []
  let run: Run | undefined
  let missing = 0
  let quiet = 0
  const end = () => {
    if (run && run.count >= ENOUGH) found.push(run)
    run = undefined
  }
  for (const [piece, hearing] of heard.entries()) {
    if (hearing === 'heard') {
      run ??= { start: piece, end: piece, quietStart: quiet, quietEnd: piece, count: 0 }
      run.end = piece + 1
      run.count++
      missing = 0
    } else if (hearing === 'missing' && ++missing > PATIENCE) end()
    if (run && missing === 0) run.quietEnd = piece + 1
    if (hearing === 'missing') quiet = piece + 1
  }
  end()
  return found
}

function stretchOf(like: Stretch, run: Run): Stretch {
  return {
    ...like,
    start: run.start * PIECE,
    end: run.end * PIECE,
    quietStart: run.quietStart * PIECE,
    quietEnd: run.quietEnd * PIECE,
    score: run.count,
  }
}

// How loud each sound is in the piece that begins here, so that their sum comes closest to what was heard.
function weigh(heard: Float32Array, sounds: Float32Array[], start: number): number[] {
  const size = sounds.length
  // Half a piece to either side makes chance likenesses rarer.
  const [from, to] = [Math.max(0, start - PIECE / 2), Math.min(heard.length, start + 1.5 * PIECE)]
  const rows = sounds.map((sound, row) => {
    const products = sounds.map((other, column) => (column < row ? 0 : dot(sound, other, from, to)))
    return [...products, dot(sound, heard, from, to)]
  })
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) rows[row]![column] = rows[column]![row]!
  }
  // A sound that is silent here would otherwise have any gain.
  for (let row = 0; row < size; row++) rows[row]![row]! += 1e-6 * (to - from)
  return solve(rows)
}

function dot(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += a[i]! * b[i]!
  return sum
}

// Gauss and Jordan, for a matrix that is positive definite.
function solve(rows: number[][]): number[] {
  const size = rows.length
  for (let pivot = 0; pivot < size; pivot++) {
    const row = rows[pivot]!
    const by = row[pivot]!
    for (let column = pivot; column <= size; column++) row[column]! /= by
    for (const [place, other] of rows.entries()) {
      const times = other[pivot]!
      if (place === pivot || times === 0) continue
      for (let column = pivot; column <= size; column++) other[column]! -= times * row[column]!
    }
  }
  return rows.map(row => row[size]!)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function isSame(a: Stretch, b: Stretch): boolean {
  return a.known === b.known && Math.abs(a.offset - b.offset) < BLOCK
}
