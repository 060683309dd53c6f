// Where in the library a moment of sound may come from, by comparing fingerprints with all recordings.
import { distance } from './fingerprint.ts'
import type { Known } from './library.ts'

/** A fingerprint of what was heard, and the frame it was taken from. */
export interface Print {
  frame: number
  bits: number
}

interface Candidate {
  known: Known
  /** Add it to a frame number of what was heard to get the frame of the recording. */
  frames: number
  /** Share of bits that differ: about 0.15 where it is the same sound, 0.3 and more where it is not. */
  difference: number
}

const WORST = 0.36
const MOST = 6

/** The likeliest places, best first. */
export function search(prints: Print[], library: Known[]): Candidate[] {
  const order = spread(prints)
  const sample = Math.min(8, order.length)
  const found: Candidate[] = []
  for (const known of library) {
    for (const candidate of searchOne(order, sample, known)) found.push(candidate)
  }
  return found.sort((a, b) => a.difference - b.difference).slice(0, MOST)
}

function searchOne(order: Print[], sample: number, known: Known): Candidate[] {
  const { prints } = known
  const frames = order.map(print => print.frame)
  const first = -Math.min(...frames)
  const last = prints.length - 1 - Math.max(...frames)
  const sampleLimit = sample * 32 * 0.44
  const limit = order.length * 32 * WORST
  const found: Candidate[] = []
  for (let at = first; at <= last; at++) {
    let differing = 0
    for (let i = 0; i < sample; i++) differing += distance(order[i]!.bits, prints[at + frames[i]!]!)
    if (differing > sampleLimit) continue
    for (let i = sample; i < order.length && differing <= limit; i++) {
      differing += distance(order[i]!.bits, prints[at + frames[i]!]!)
    }
    if (differing > limit) continue
    const difference = differing / (order.length * 32)
    const neighbour = found.at(-1)
    // Next to a good place there are nearly as good ones: keep the best of them.
    if (neighbour && at - neighbour.frames <= 3) {
      if (difference < neighbour.difference) Object.assign(neighbour, { frames: at, difference })
    } else found.push({ known, frames: at, difference })
  }
  return found
}

// A few prints from all over come first, so that most places are given up after a glance at those.
function spread(prints: Print[]): Print[] {
  const step = Math.max(1, Math.floor(prints.length / 8))
  const glance = prints.filter((_, i) => i % step === 0)
  return [...glance, ...prints.filter((_, i) => i % step !== 0)]
}
