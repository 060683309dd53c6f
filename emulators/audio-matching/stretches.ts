// Takes what was heard apart into stretches of known recordings, from its beginning to its end.
import { setImmediate as breathe } from 'node:timers/promises'
import { type Alignment, align, measure } from './align.ts'
import { BLOCK, extend, type Stretch } from './extend.ts'
import { fingerprints } from './fingerprint.ts'
import { FRAME, HOP } from './fourier.ts'
import { blockLevels, type Known } from './library.ts'
import { type Print, search } from './search.ts'

// Net agreement a stretch needs, in blocks: less than 0.15 s could be chance.
const ENOUGH = 30
// Samples compared to lay a recording exactly on what was heard: 0.3 s.
const WINDOW = 2400
// Less than 0.2 s before a stretch is not looked at.
const SHORTEST = 1600

/** What is listened to, and how loud it is. */
interface Sound {
  samples: Float32Array
  /** Mean squares of its blocks. */
  levels: Float32Array
  /** The level above which a block is worth looking at. */
  loud: number
}

/** The stretches in the order of what was heard; between them is silence or something unknown. */
export async function findStretches(heard: Float32Array, library: Known[]): Promise<Stretch[]> {
  const levels = blockLevels(heard, BLOCK)
  const sound = { samples: heard, levels, loud: loudness(levels) }
  const stretches: Stretch[] = []
  await explain(sound, 0, levels.length, library, stretches)
  return stretches
}

// Explains the blocks `from`..`to`: appends the stretches in them, in order.
async function explain(
  sound: Sound,
  from: number,
  to: number,
  library: Known[],
  stretches: Stretch[],
): Promise<void> {
  let failures = 0
  let free = from
  let place = from
  for (;;) {
    place = nextSound(sound, place, to)
    if (place >= to) return
    await breathe()
    const stretch =
      continued(sound, stretches.at(-1), place, free, to) ?? find(sound, place, free, to, library)
    if (stretch) {
      // What was found may lie behind something shorter.
      if (stretch.start - free * BLOCK > SHORTEST) {
        await explain(sound, free, Math.min(to - 1, Math.floor(stretch.start / BLOCK)), library, stretches)
      }
      stretches.push(stretch)
      free = Math.ceil(stretch.end / BLOCK)
      place = Math.max(place + 1, free)
      failures = 0
    } else {
      // Something unknown goes on for a while, so look less closely the longer it lasts.
      failures++
      place += failures < 5 ? 50 : 150
    }
  }
}

// What parted for a moment, by a click or a bad block, may go on at the same place of the same recording.
function continued(sound: Sound, last: Stretch | undefined, place: number, from: number, to: number) {
  const start = place * BLOCK
  if (!last || place + 20 > to) return undefined
  const { correlation } = measure(sound.samples, start, 20 * BLOCK, last.known, last.offset)
  if (correlation < 0.7) return undefined
  const stretch = extend(sound.samples, last, start + 10 * BLOCK, from * BLOCK, to * BLOCK)
  return stretch.score >= ENOUGH ? stretch : undefined
}

function find(sound: Sound, place: number, from: number, to: number, library: Known[]): Stretch | undefined {
  const prints = takePrints(sound, place, to)
  // A long look is surer; a short one still finds a stretch that soon ends.
  for (const count of [48, 20]) {
    if (prints.length < 8 || (count === 20 && prints.length <= 20)) break
    const look = prints.slice(0, count)
    const windows = loudestWindows(look, sound.levels)
    let best: Stretch | undefined
    for (const { known, frames } of search(look, library)) {
      for (const { alignment, place } of fitWindows(sound.samples, windows, known, frames * HOP)) {
        const stretch = extend(sound.samples, alignment, place, from * BLOCK, to * BLOCK)
        if (stretch.score >= ENOUGH && stretch.score > (best?.score ?? 0)) best = stretch
      }
    }
    if (best) return best
  }
  return undefined
}

interface Window {
  start: number
  length: number
  power: number
}

// Alignments of the first window that fits well, or else of the one that fits best.
function fitWindows(heard: Float32Array, windows: Window[], known: Known, guess: number) {
  let best: Alignment[] = []
  let chosen = windows[0]!
  for (const window of windows) {
    const alignments = align(heard, window.start, window.length, known, guess)
    const correlation = alignments[0]?.correlation ?? 0
    if (correlation < Math.max(0.6, best[0]?.correlation ?? 0)) continue
    best = alignments
    chosen = window
    if (correlation > 0.8) break
  }
  return best.map(alignment => surest(heard, chosen, alignment))
}

// The 20 ms of a window that fit best: the window itself may reach beyond the end of the stretch.
function surest(
  heard: Float32Array,
  window: Window,
  alignment: Alignment,
): { alignment: Alignment; place: number } {
  const size = 4 * BLOCK
  let best = alignment
  let place = window.start
  let most = 0
  for (let at = window.start; at + size <= window.start + window.length; at += size) {
    const part = measure(heard, at, size, alignment.known, alignment.offset)
    // A loud part says more than a faint one.
    const weight = part.correlation > 0.5 ? part.correlation ** 4 * part.power ** 0.25 : 0
    if (weight > most) {
      most = weight
      best = { ...alignment, gain: part.gain }
      place = at + size / 2
    }
  }
  return { alignment: best, place }
}

// The prints of loud frames in the next second and a half: those of silent frames say nothing.
function takePrints({ samples, levels, loud }: Sound, place: number, to: number): Print[] {
  const first = Math.ceil((place * BLOCK) / HOP)
  const count = Math.min(94, Math.floor((to * BLOCK - FRAME) / HOP) - first + 1)
  if (count <= 0) return []
  const bits = fingerprints(samples, first, count)
  const prints: Print[] = []
  for (let i = 0; i < count; i++) {
    const middle = Math.floor(((first + i) * HOP + FRAME / 2) / BLOCK)
    if ((levels[middle] ?? 0) > loud) prints.push({ frame: first + i, bits: bits[i]! })
  }
  return prints
}

// Up to three windows of the seen part, loudest first, for comparing wave forms.
function loudestWindows(prints: Print[], levels: Float32Array): Window[] {
  const start = prints[0]!.frame * HOP
  const end = prints.at(-1)!.frame * HOP + FRAME
  const length = Math.min(WINDOW, end - start)
  const windows: Window[] = []
  for (let at = start; at + length <= end; at += length) {
    let power = 0
    for (let b = Math.ceil(at / BLOCK); b < (at + length) / BLOCK; b++) power += levels[b] ?? 0
    windows.push({ start: at, length, power })
  }
  return windows.sort((a, b) => b.power - a.power).slice(0, 3)
}

// The first block from `place` on where sound begins: a third of the next 0.1 s is loud.
function nextSound({ levels, loud }: Sound, place: number, to: number): number {
  for (let block = place; block < to; block++) {
    if (levels[block]! <= loud) continue
    let count = 0
    for (let b = block; b < Math.min(to, block + 20); b++) if (levels[b]! > loud) count++
    if (count >= 7) return block
  }
  return to
}

/** Mean square above which a block is worth looking at. */
function loudness(levels: Float32Array): number {
  const top = levels.slice().sort()[Math.floor(levels.length * 0.98)] ?? 0
  return Math.max(1e-6, top * 1e-3)
}
