// Finds where audio may occur in the recordings, by comparing fingerprints.
import type { Recording } from './library.ts'

/** A fingerprint of the audio, and its frame. */
export interface Print {
  frame: number
  bits: number
}

interface Candidate {
  recording: Recording
  /** Frame number in the recording minus frame number in the audio. */
  frames: number
  /** Share of differing bits: about 0.15 for the same sound, 0.3 and more for another. */
  difference: number
}

const maxDifference = 0.36
const maxCandidates = 6

/** The most likely candidates, best first. */
export function search(prints: Print[], library: Recording[]): Candidate[] {
  const ordered = sampleFirst(prints)
  const sample = Math.min(8, ordered.length)
  const found: Candidate[] = []
  for (const recording of library) {
    for (const candidate of searchOne(ordered, sample, recording)) found.push(candidate)
  }
  return found.sort((a, b) => a.difference - b.difference).slice(0, maxCandidates)
}

function searchOne(ordered: Print[], sample: number, recording: Recording): Candidate[] {
  const { prints } = recording
  const frames = ordered.map(print => print.frame)
  const first = -Math.min(...frames)
  const last = prints.length - 1 - Math.max(...frames)
  const sampleLimit = sample * 32 * 0.44
  const limit = ordered.length * 32 * maxDifference
  const found: Candidate[] = []
  for (let at = first; at <= last; at++) {
    let differing = 0
    for (let i = 0; i < sample; i++) differing += distance(ordered[i]!.bits, prints[at + frames[i]!]!)
    if (differing > sampleLimit) continue
    for (let i = sample; i < ordered.length && differing <= limit; i++) {
      differing += distance(ordered[i]!.bits, prints[at + frames[i]!]!)
    }
    if (differing > limit) continue
    const difference = differing / (ordered.length * 32)
    const neighbour = found.at(-1)
    // Adjacent candidates are nearly as good: keep the best of them.
    if (neighbour && at - neighbour.frames <= 3) {
      if (difference < neighbour.difference) Object.assign(neighbour, { frames: at, difference })
    } else found.push({ recording, frames: at, difference })
  }
  return found
}

// A sample spread over the range comes first, so that most candidates are dropped early.
function sampleFirst(prints: Print[]): Print[] {
  const step = Math.max(1, Math.floor(prints.length / 8))
  const first8 = prints.filter((_, i) => i % step === 0)
  return [...first8, ...prints.filter((_, i) => i % step !== 0)]
}

/** Hamming distance of two fingerprints. */
function distance(a: number, b: number): number {
  let x = a ^ b
  x -= (x >>> 1) & 0x55555555
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  x = (x + (x >>> 4)) & 0x0f0f0f0f
  return Math.imul(x, 0x01010101) >>> 24
}
