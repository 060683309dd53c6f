// How far an alignment holds: from where it was found, to the left and to the right, until the sounds part.
import type { Alignment } from './align.ts'
import { readAt } from './shift.ts'

/** Samples in a block, the unit of comparison: 5 ms. */
export const BLOCK = 40

/** A stretch of what was heard that is a stretch of a recording. Places are samples of what was heard. */
export interface Stretch extends Alignment {
  /** The part whose sound was recognised. */
  start: number
  end: number
  /** With the silence of the recording around it: nothing of the recording is missing up to here. */
  quietStart: number
  quietEnd: number
  /** Blocks that agree, less blocks that do not. */
  score: number
}

// After 120 ms of nothing but disagreement the sounds have parted; coding disturbs single sounds for less.
const PATIENCE = 24
// Blocks read at a time, so that each step does not filter the recording for 40 samples only.
const BATCH = 40
// Blocks over which coding smears a sound: 75 ms, a frame of MP3 at 8 kHz.
const SMEAR = 15
// Mean square of noise that hides the edges of words: -45 dB.
const BACKGROUND = 3e-5

/** Follows an alignment from a place where it holds; it may not leave `from`..`to` but through silence. */
export function extend(
  heard: Float32Array,
  alignment: Alignment,
  place: number,
  from: number,
  to: number,
): Stretch {
  const right = follow(heard, alignment, place, to, 1)
  const left = follow(heard, alignment, place, from, -1)
  return {
    ...alignment,
    start: left.edge,
    end: right.edge,
    quietStart: throughSilence(heard, alignment, left.edge, -1),
    quietEnd: throughSilence(heard, alignment, right.edge, 1),
    score: left.score + right.score,
  }
}

function follow(heard: Float32Array, alignment: Alignment, place: number, limit: number, direction: 1 | -1) {
  const { known, offset } = alignment
  const batch = new Float32Array(BLOCK * BATCH)
  const blocks = Math.floor(Math.max(0, direction * (limit - place)) / BLOCK)
  let { gain } = alignment
  // The gain follows slow changes of volume, over about a second.
  let product = gain * known.floor * BLOCK * 200
  let power = known.floor * BLOCK * 200
  let score = 0
  let best = 0
  let edge = place
  for (let block = 0; block < blocks; block++) {
    const inBatch = block % BATCH
    if (inBatch === 0) {
      const start = direction > 0 ? place + block * BLOCK : place - (block + BATCH) * BLOCK
      readAt(known.samples, start + offset, BLOCK * BATCH, batch)
    }
    const recordedAt = (direction > 0 ? inBatch : BATCH - 1 - inBatch) * BLOCK
    const heardAt = place + (direction > 0 ? block : -block - 1) * BLOCK
    let cross = 0
    let heardPower = 0
    let recordedPower = 0
    for (let i = 0; i < BLOCK; i++) {
      const h = heard[heardAt + i]!
      const r = batch[recordedAt + i]!
      cross += h * r
      heardPower += h * h
      recordedPower += r * r
    }
    const agreement = agree(
      gain * cross,
      heardPower,
      gain * gain * recordedPower,
      gain * gain * known.floor * BLOCK,
    )
    if (agreement > 0.5) {
      product = product * 0.995 + cross
      power = power * 0.995 + recordedPower
      gain = product / power
    }
    score += agreement
    // Silence on both sides does not move the edge: what comes after it may be something else.
    if (score > best) {
      best = score
      edge = heardAt + (direction > 0 ? BLOCK : 0)
    }
    if (score < best - PATIENCE) break
  }
  return { edge, score: best }
}

/** 1 where two blocks are the same, -1 where they have nothing in common or one is silent, 0 where both are silent. */
function agree(cross: number, heardPower: number, recordedPower: number, floor: number): number {
  if (heardPower < 2 * floor && recordedPower < floor) return 0
  const mean = (heardPower + recordedPower) / 2
  return (2 * cross - mean) / (mean + floor)
}

/**
 * Beyond the edge the recording may be silent: nothing of it is lost there, as long as nothing else is heard.
 * Coding smears the loud sound at the edge into its surroundings, and that does not count as something else.
 */
function throughSilence(heard: Float32Array, alignment: Alignment, edge: number, direction: 1 | -1): number {
  const { known, offset, gain } = alignment
  let loudest = 0
  for (let block = 1; block <= SMEAR; block++) {
    loudest = Math.max(
      loudest,
      power(heard, direction > 0 ? edge - block * BLOCK : edge + (block - 1) * BLOCK),
    )
  }
  const quiet = 2 * gain * gain * known.floor * BLOCK
  let place = edge
  for (let block = 0; ; block++) {
    const start = direction > 0 ? place : place - BLOCK
    const recorded = Math.round(start + offset)
    if (start < 0 || start + BLOCK > heard.length) return place
    if (recorded < 0 || recorded + BLOCK > known.samples.length) return place
    // A single block a little above the floor is a flicker of the noise, not a sound.
    const level = power(known.samples, recorded)
    const next =
      power(known.samples, recorded + direction * BLOCK) +
      power(known.samples, recorded + 2 * direction * BLOCK)
    if (level > known.floor * BLOCK && level + next > 3 * known.floor * BLOCK) return place
    const heardLevel = power(heard, start)
    if (heardLevel > Math.max(quiet, block < SMEAR ? loudest * 0.05 : 0)) return place
    // Where a recording has an audible background, silence without it is not from there.
    if (level > BACKGROUND * BLOCK && heardLevel < 0.005 * gain * gain * level) return place
    place += direction * BLOCK
  }
}

function power(samples: Float32Array, start: number): number {
  let sum = 0
  for (let i = start; i < start + BLOCK; i++) sum += (samples[i] ?? 0) ** 2
  return sum
}
