// Recognition by matching: finds the audio in the known recordings and returns the words in it.
import { blockSamples, type Match } from './extend-match.ts'
import { findMatches } from './find-matches.ts'
import { sampleRateHz } from './fourier.ts'
import { blockLevels, type RecordedWord, type Recording } from './library.ts'
import { intervals, wordsIn } from './words.ts'

/** The text of audio that is in none of the recordings. */
export const unknownText = '(the emulator knows only its own recordings)'

export interface RecognisedAudio {
  /** Empty for silence. */
  text: string
  /** Language of most words; undefined without words. */
  language: string | undefined
  /** Separator between words of that language. */
  joiner: string
  /** Times are seconds of the audio. */
  words: RecordedWord[]
  matches: Match[]
}

// Shorter unknown sounds are ignored.
const minUnknownSeconds = 1.5
// Lossy coding smears the sound of a match into its surroundings.
const marginBlocks = 15

export async function recogniseSamples(
  samples: Float32Array,
  library: Recording[],
): Promise<RecognisedAudio> {
  const silent = isSilent(samples)
  const matches = silent ? [] : await findMatches(samples, library)
  const parts = [...passagesOf(matches), ...(silent ? [] : unknownParts(samples, matches))]
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
  joiner = library.find(recording => recording.language === language)?.joiner ?? ' '
  return { text, language, joiner, words: parts.flatMap(({ words }) => words), matches }
}

/** The words from sample `at` on, of one recording or of unknown audio. */
export interface Part {
  at: number
  /** Name of the recording; absent if unknown. */
  recording?: string
  /** Times are seconds of the audio. */
  words: RecordedWord[]
  joiner: string
  language?: string
}

// Groups adjacent matches of one playback, so that a word they share occurs once.
function passagesOf(matches: Match[]): Part[] {
  const groups: Match[][] = []
  for (const match of matches) {
    const last = groups.at(-1)?.at(-1)
    const same =
      last && last.recording === match.recording && Math.abs(last.offset - match.offset) < blockSamples
    if (same) groups.at(-1)!.push(match)
    else groups.push([match])
  }
  return groups.map(toPart)
}

/** The words of matches that form one passage, in order. */
export function toPart(group: Match[]): Part {
  const { recording, start, offset } = group[0]!
  const times = group.map(intervals)
  const words = wordsIn(
    recording,
    times.map(time => time.core),
    times.map(time => time.complete),
  ).map(word => ({
    ...word,
    start: word.start - offset / sampleRateHz,
    end: word.end - offset / sampleRateHz,
  }))
  return {
    at: start,
    recording: recording.name,
    words,
    joiner: recording.joiner,
    language: recording.language,
  }
}

// Runs of sound outside all matches; a pause of up to half a second does not end a run.
export function unknownParts(samples: Float32Array, matches: Match[]): Part[] {
  const levels = blockLevels(samples, blockSamples)
  for (const { quietStart: start, quietEnd: end } of matches) {
    levels.fill(
      0,
      Math.max(0, start / blockSamples - marginBlocks),
      Math.min(levels.length, end / blockSamples + marginBlocks),
    )
  }
  const floor = audibleLevel(levels)
  const parts: Part[] = []
  let run = { start: 0, end: 0, loud: 0 }
  for (let block = 0; block <= levels.length; block++) {
    const sound = (levels[block] ?? 0) > floor
    if (block === levels.length || (sound && (block - run.end) * blockSamples > sampleRateHz / 2)) {
      const long =
        (run.end - run.start) * blockSamples >= minUnknownSeconds * sampleRateHz &&
        run.loud * blockSamples >= sampleRateHz
      const previous = parts.at(-1)
      const apart =
        !previous || matches.some(({ start }) => start > previous.at && start < run.start * blockSamples)
      const [start, end] = [
        (run.start * blockSamples) / sampleRateHz,
        (run.end * blockSamples) / sampleRateHz,
      ]
      if (long && apart) {
        parts.push({ at: run.start * blockSamples, words: [{ text: unknownText, start, end }], joiner: ' ' })
      }
      run = { start: block, end: block, loud: 0 }
    }
    if (sound) run = { start: run.start, end: block + 1, loud: run.loud + 1 }
  }
  return parts
}

/** True for silence and for low constant noise. */
export function isSilent(samples: Float32Array): boolean {
  const levels = blockLevels(samples, sampleRateHz / 50).sort()
  const at = (share: number) => levels[Math.floor(share * (levels.length - 1))] ?? 0
  const top = at(0.98)
  return top < 1e-6 || (top < 1e-3 && top < at(0.5) * 6)
}

function audibleLevel(levels: Float32Array): number {
  const quiet = levels.slice().sort()[Math.floor(levels.length * 0.1)] ?? 0
  return Math.max(1e-5, Math.min(quiet * 10, 1e-4))
}
