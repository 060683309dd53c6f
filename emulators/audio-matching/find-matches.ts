// Splits audio into matches with known recordings, from start to end.
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import { type Alignment, align, measure } from './align.ts'
import { blockSamples, extendMatch, type Match } from './extend-match.ts'
import { fingerprints } from './fingerprint.ts'
import { frameSamples, hopSamples } from './fourier.ts'
import { blockLevels, type Recording } from './library.ts'
import { type Print, search } from './search.ts'

// Net agreement of a match in blocks: less than 0.15 s may be chance.
const minScore = 30
// Waveforms are compared over 0.3 s.
const windowSamples = 2400
// Less than 0.2 s before a match is not searched.
const minLeadSamples = 1600

/** The audio and its loudness. */
interface Sound {
  samples: Float32Array
  /** Mean square of each block. */
  levels: Float32Array
  /** Blocks above this level are searched. */
  loud: number
}

/** Returns the matches in order of the audio; silence or unknown sound lies between them. */
export async function findMatches(audio: Float32Array, library: Recording[]): Promise<Match[]> {
  const levels = blockLevels(audio, blockSamples)
  const sound = { samples: audio, levels, loud: loudness(levels) }
  const matches: Match[] = []
  await matchRange(sound, 0, levels.length, library, matches)
  return matches
}

// Appends the matches in the blocks `from`..`to`, in order.
async function matchRange(
  sound: Sound,
  from: number,
  to: number,
  library: Recording[],
  matches: Match[],
): Promise<void> {
  let failures = 0
  let free = from
  let position = from
  for (;;) {
    position = nextSound(sound, position, to)
    if (position >= to) return
    await yieldToEventLoop()
    const match =
      continuePrevious(sound, matches.at(-1), position, free, to) ?? find(sound, position, free, to, library)
    if (match) {
      // A shorter match may come before this one.
      if (match.start - free * blockSamples > minLeadSamples) {
        await matchRange(
          sound,
          free,
          Math.min(to - 1, Math.floor(match.start / blockSamples)),
          library,
          matches,
        )
      }
      matches.push(match)
      free = Math.ceil(match.end / blockSamples)
      position = Math.max(position + 1, free)
      failures = 0
    } else {
      // Unknown sound usually lasts, so the steps grow.
      failures++
      position += failures < 5 ? 50 : 150
    }
  }
}

// Continues the previous match after a short disturbance, such as a click.
function continuePrevious(sound: Sound, last: Match | undefined, position: number, from: number, to: number) {
  const start = position * blockSamples
  if (!last || position + 20 > to) return undefined
  const { correlation } = measure(sound.samples, start, 20 * blockSamples, last.recording, last.offset)
  if (correlation < 0.7) return undefined
  const match = extendMatch(
    sound.samples,
    last,
    start + 10 * blockSamples,
    from * blockSamples,
    to * blockSamples,
  )
  return match.score >= minScore ? match : undefined
}

function find(
  sound: Sound,
  position: number,
  from: number,
  to: number,
  library: Recording[],
): Match | undefined {
  const prints = takePrints(sound, position, to)
  // A long sample is more reliable; a short one still finds a match that soon ends.
  for (const count of [48, 20]) {
    if (prints.length < 8 || (count === 20 && prints.length <= 20)) break
    const sample = prints.slice(0, count)
    const windows = loudestWindows(sample, sound.levels)
    let best: Match | undefined
    for (const { recording, frames } of search(sample, library)) {
      for (const { alignment, position } of fitWindows(
        sound.samples,
        windows,
        recording,
        frames * hopSamples,
      )) {
        const match = extendMatch(sound.samples, alignment, position, from * blockSamples, to * blockSamples)
        if (match.score >= minScore && match.score > (best?.score ?? 0)) best = match
      }
    }
    if (best) return best
  }
  return undefined
}

interface ComparedWindow {
  start: number
  length: number
  power: number
}

// Alignments of the first window that fits well, or of the best one.
function fitWindows(audio: Float32Array, windows: ComparedWindow[], recording: Recording, guess: number) {
  let best: Alignment[] = []
  let chosen = windows[0]!
  for (const window of windows) {
    const alignments = align(audio, window.start, window.length, recording, guess)
    const correlation = alignments[0]?.correlation ?? 0
    if (correlation < Math.max(0.6, best[0]?.correlation ?? 0)) continue
    best = alignments
    chosen = window
    if (correlation > 0.8) break
  }
  return best.map(alignment => bestPart(audio, chosen, alignment))
}

// The best 20 ms of a window: the window itself may reach beyond the end of the match.
function bestPart(
  audio: Float32Array,
  window: ComparedWindow,
  alignment: Alignment,
): { alignment: Alignment; position: number } {
  const size = 4 * blockSamples
  let best = alignment
  let position = window.start
  let maxWeight = 0
  for (let at = window.start; at + size <= window.start + window.length; at += size) {
    const part = measure(audio, at, size, alignment.recording, alignment.offset)
    // Loud parts are more reliable.
    const weight = part.correlation > 0.5 ? part.correlation ** 4 * part.power ** 0.25 : 0
    if (weight > maxWeight) {
      maxWeight = weight
      best = { ...alignment, gain: part.gain }
      position = at + size / 2
    }
  }
  return { alignment: best, position }
}

// Fingerprints of the loud frames in the next 1.5 s: silent frames carry no information.
function takePrints({ samples, levels, loud }: Sound, position: number, to: number): Print[] {
  const first = Math.ceil((position * blockSamples) / hopSamples)
  const count = Math.min(94, Math.floor((to * blockSamples - frameSamples) / hopSamples) - first + 1)
  if (count <= 0) return []
  const bits = fingerprints(samples, first, count)
  const prints: Print[] = []
  for (let i = 0; i < count; i++) {
    const middle = Math.floor(((first + i) * hopSamples + frameSamples / 2) / blockSamples)
    if ((levels[middle] ?? 0) > loud) prints.push({ frame: first + i, bits: bits[i]! })
  }
  return prints
}

// Up to three windows of the sampled range for waveform comparison, loudest first.
function loudestWindows(prints: Print[], levels: Float32Array): ComparedWindow[] {
  const start = prints[0]!.frame * hopSamples
  const end = prints.at(-1)!.frame * hopSamples + frameSamples
  const length = Math.min(windowSamples, end - start)
  const windows: ComparedWindow[] = []
  for (let at = start; at + length <= end; at += length) {
    let power = 0
    for (let b = Math.ceil(at / blockSamples); b < (at + length) / blockSamples; b++) power += levels[b] ?? 0
    windows.push({ start: at, length, power })
  }
  return windows.sort((a, b) => b.power - a.power).slice(0, 3)
}

// First block from `position` on where sound begins: a third of the next 0.1 s is loud.
function nextSound({ levels, loud }: Sound, position: number, to: number): number {
  for (let block = position; block < to; block++) {
    if (levels[block]! <= loud) continue
    let count = 0
    for (let b = block; b < Math.min(to, block + 20); b++) if (levels[b]! > loud) count++
    if (count >= 7) return block
  }
  return to
}

/** Mean square above which a block is searched. */
function loudness(levels: Float32Array): number {
  const top = levels.slice().sort()[Math.floor(levels.length * 0.98)] ?? 0
  return Math.max(1e-6, top * 1e-3)
}
