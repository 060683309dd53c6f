// Recognises by listening: finds what was sent in the known recordings and says the words that are in it.
import { BLOCK, type Stretch } from './extend.ts'
import { RATE } from './fourier.ts'
import { blockLevels, type Known, type KnownWord } from './library.ts'
import { findStretches } from './stretches.ts'
import { intervals, wordsOf } from './words.ts'

/** What the stand-in says to sound that it does not know. */
export const UNKNOWN = '(the stand-in knows only its own recordings)'

export interface Heard {
  /** Empty for silence. */
  text: string
  /** Language of most words, undefined where there are none. */
  language: string | undefined
  /** What stands between words of that language. */
  joiner: string
  stretches: Stretch[]
}

// Sound that is not in the library counts from this length on, in seconds.
const LEAST_UNKNOWN = 1.5
// Blocks around a stretch in which coding smears its sound.
const MARGIN = 15

export async function listen(samples: Float32Array, library: Known[]): Promise<Heard> {
  const silent = isSilent(samples)
  const stretches = silent ? [] : await findStretches(samples, library)
  const parts = [...passages(stretches), ...(silent ? [] : unknownParts(samples, stretches))]
  parts.sort((a, b) => a.at - b.at)
  const counts = new Map<string, number>()
  let text = ''
  let joiner = ''
  for (const part of parts) {
    if (part.words.length === 0) continue
    if (text) text += joiner || part.joiner
    text += part.words.map(word => word.text).join(part.joiner)
    joiner = part.joiner
    if (part.language) counts.set(part.language, (counts.get(part.language) ?? 0) + part.words.length)
  }
  const language = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
  joiner = library.find(known => known.language === language)?.joiner ?? ' '
  return { text, language, joiner, stretches }
}

/** What is said from sample `at` on, in one recording or in something unknown. */
export interface Part {
  at: number
  /** Name of the recording; absent where it is unknown. */
  recording?: string
  /** With the times of what was heard. */
  words: KnownWord[]
  joiner: string
  language?: string
}

// Neighbouring stretches that are one passage of a recording are heard together, so that a word is not said twice.
function passages(stretches: Stretch[]): Part[] {
  const groups: Stretch[][] = []
  for (const stretch of stretches) {
    const last = groups.at(-1)?.at(-1)
    const same = last && last.known === stretch.known && Math.abs(last.offset - stretch.offset) < BLOCK
    if (same) groups.at(-1)!.push(stretch)
    else groups.push([stretch])
  }
  return groups.map(toPart)
}

/** The words of stretches that are one passage, in order. */
export function toPart(group: Stretch[]): Part {
  const { known, start, offset } = group[0]!
  const times = group.map(intervals)
  const words = wordsOf(
    known,
    times.map(time => time.core),
    times.map(time => time.heard),
  ).map(word => ({ ...word, start: word.start - offset / RATE, end: word.end - offset / RATE }))
  return { at: start, recording: known.name, words, joiner: known.joiner, language: known.language }
}

// Runs of sound outside all stretches; pauses of up to half a second do not end a run.
export function unknownParts(samples: Float32Array, stretches: Stretch[]): Part[] {
  const levels = blockLevels(samples, BLOCK)
  for (const { quietStart: start, quietEnd: end } of stretches) {
    levels.fill(0, Math.max(0, start / BLOCK - MARGIN), Math.min(levels.length, end / BLOCK + MARGIN))
  }
  const floor = audible(levels)
  const parts: Part[] = []
  let run = { start: 0, end: 0, loud: 0 }
  for (let block = 0; block <= levels.length; block++) {
    const sound = (levels[block] ?? 0) > floor
    if (block === levels.length || (sound && (block - run.end) * BLOCK > RATE / 2)) {
      const long = (run.end - run.start) * BLOCK >= LEAST_UNKNOWN * RATE && run.loud * BLOCK >= RATE
      const again = parts.at(-1)
      const apart = !again || stretches.some(({ start }) => start > again.at && start < run.start * BLOCK)
      const [start, end] = [(run.start * BLOCK) / RATE, (run.end * BLOCK) / RATE]
      if (long && apart) {
        parts.push({ at: run.start * BLOCK, words: [{ text: UNKNOWN, start, end }], joiner: ' ' })
      }
      run = { start: block, end: block, loud: 0 }
    }
    if (sound) run = { start: run.start, end: block + 1, loud: run.loud + 1 }
  }
  return parts
}

/** Nothing but silence, or a low noise that does not change. */
export function isSilent(samples: Float32Array): boolean {
  const levels = blockLevels(samples, RATE / 50).sort()
  const at = (share: number) => levels[Math.floor(share * (levels.length - 1))] ?? 0
  const top = at(0.98)
  return top < 1e-6 || (top < 1e-3 && top < at(0.5) * 6)
}

function audible(levels: Float32Array): number {
  const quiet = levels.slice().sort()[Math.floor(levels.length * 0.1)] ?? 0
  return Math.max(1e-5, Math.min(quiet * 10, 1e-4))
}
