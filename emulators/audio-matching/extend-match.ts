// Extends an alignment to the left and right of where it was found, until audio and recording differ.
import type { Alignment } from './align.ts'
import { readAt } from './resample.ts'

/** A block, the unit of comparison: 5 ms. */
export const blockSamples = 40

/** A range of the audio that equals a range of a recording. Positions are samples of the audio. */
export interface Match extends Alignment {
  /** The range whose sound was recognised. */
  start: number
  end: number
  /** Including the recording's silence around it: nothing of the recording is missing up to here. */
  quietStart: number
  quietEnd: number
  /** Number of blocks that agree minus blocks that do not. */
  score: number
}

// In blocks: 120 ms of disagreement end a match. Lossy coding disturbs single sounds for less.
const maxDisagreement = 24
// Resampling in batches costs less than block by block.
const blocksPerRead = 40
// Lossy coding smears a sound over 75 ms, one MP3 frame at 8 kHz.
const smearBlocks = 15
// Mean square of noise that hides the edges of words: -45 dBFS.
const minBackgroundPower = 3e-5

/** Follows an alignment from a position where it holds. Only silence may extend it beyond `from`..`to`. */
export function extendMatch(
  audio: Float32Array,
  alignment: Alignment,
  position: number,
  from: number,
  to: number,
): Match {
  const right = extendInDirection(audio, alignment, position, to, 1)
  const left = extendInDirection(audio, alignment, position, from, -1)
  return {
    ...alignment,
    start: left.edge,
    end: right.edge,
    quietStart: throughSilence(audio, alignment, left.edge, -1),
    quietEnd: throughSilence(audio, alignment, right.edge, 1),
    score: left.score + right.score,
  }
}

function extendInDirection(
  audio: Float32Array,
  alignment: Alignment,
  position: number,
  limit: number,
  direction: 1 | -1,
) {
  const { recording, offset } = alignment
  const batch = new Float32Array(blockSamples * blocksPerRead)
  const blocks = Math.floor(Math.max(0, direction * (limit - position)) / blockSamples)
  let { gain } = alignment
  // The gain follows slow volume changes, over about a second.
  let product = gain * recording.floor * blockSamples * 200
  let power = recording.floor * blockSamples * 200
  let score = 0
  let best = 0
  let edge = position
  for (let block = 0; block < blocks; block++) {
    const inBatch = block % blocksPerRead
    if (inBatch === 0) {
      const start =
        direction > 0 ? position + block * blockSamples : position - (block + blocksPerRead) * blockSamples
      readAt(recording.samples, start + offset, blockSamples * blocksPerRead, batch)
    }
    const referenceAt = (direction > 0 ? inBatch : blocksPerRead - 1 - inBatch) * blockSamples
    const audioAt = position + (direction > 0 ? block : -block - 1) * blockSamples
    let cross = 0
    let audioPower = 0
    let referencePower = 0
    for (let i = 0; i < blockSamples; i++) {
      const h = audio[audioAt + i]!
      const r = batch[referenceAt + i]!
      cross += h * r
      audioPower += h * h
      referencePower += r * r
    }
    const agreement = agree(
      gain * cross,
      audioPower,
      gain * gain * referencePower,
      gain * gain * recording.floor * blockSamples,
    )
    if (agreement > 0.5) {
      product = product * 0.995 + cross
      power = power * 0.995 + referencePower
      gain = product / power
    }
    score += agreement
    // Silence on both sides does not move the edge: something else may follow it.
    if (score > best) {
      best = score
      edge = audioAt + (direction > 0 ? blockSamples : 0)
    }
    if (score < best - maxDisagreement) break
  }
  return { edge, score: best }
}

/** 1 if two blocks are equal, -1 if they have nothing in common or one is silent, 0 if both are silent. */
function agree(cross: number, audioPower: number, referencePower: number, floor: number): number {
  if (audioPower < 2 * floor && referencePower < floor) return 0
  const mean = (audioPower + referencePower) / 2
  return (2 * cross - mean) / (mean + floor)
}

/**
 * Extends an edge through the recording's silence as long as the audio is silent too. Lossy coding smears the loud sound
 * at the edge into its surroundings; that smear still counts as silence.
 */
function throughSilence(audio: Float32Array, alignment: Alignment, edge: number, direction: 1 | -1): number {
  const { recording, offset, gain } = alignment
  let loudest = 0
  for (let block = 1; block <= smearBlocks; block++) {
    loudest = Math.max(
      loudest,
      power(audio, direction > 0 ? edge - block * blockSamples : edge + (block - 1) * blockSamples),
    )
  }
  const quiet = 2 * gain * gain * recording.floor * blockSamples
  let position = edge
  for (let block = 0; ; block++) {
    const start = direction > 0 ? position : position - blockSamples
    const reference = Math.round(start + offset)
    if (start < 0 || start + blockSamples > audio.length) return position
    if (reference < 0 || reference + blockSamples > recording.samples.length) return position
    // A single block slightly above the floor is noise, not a sound.
    const level = power(recording.samples, reference)
    const next =
      power(recording.samples, reference + direction * blockSamples) +
      power(recording.samples, reference + 2 * direction * blockSamples)
    if (level > recording.floor * blockSamples && level + next > 3 * recording.floor * blockSamples)
      return position
    const audioLevel = power(audio, start)
    if (audioLevel > Math.max(quiet, block < smearBlocks ? loudest * 0.05 : 0)) return position
    // Digital silence is not part of a recording with audible background noise.
    if (level > minBackgroundPower * blockSamples && audioLevel < 0.005 * gain * gain * level) return position
    position += direction * blockSamples
  }
}

function power(samples: Float32Array, start: number): number {
  let sum = 0
  for (let i = start; i < start + blockSamples; i++) sum += (samples[i] ?? 0) ** 2
  return sum
}
