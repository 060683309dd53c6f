// Forty recordings: speech of the fixtures with other sound before, between and under it. Half of them to tune on.
import { execFileSync } from 'node:child_process'
import { testFfmpeg } from '../../test/support/audio/ffmpeg.ts'
import { fixture, truth } from '../../test/support/e2e/system.ts'
import { rate, type SoundName, sounds } from './sounds.ts'

export interface TimedWord {
  text: string
  start: number
  end: number
}

export interface Recording {
  name: string
  samples: Int16Array
  words: TimedWord[]
  joiner: string
}

const files = {
  interview: 'interview.mp3',
  meeting: 'meeting.m4a',
  clip: 'clip.mp4',
  'voice-note': 'voice-note.ogg',
  jfk: 'jfk.wav',
  russian: 'russian.flac',
  chinese: 'chinese.flac',
} as const
type Fixture = keyof typeof files

export const fixtureNames = Object.keys(files) as Fixture[]

interface Recipe {
  speech: Fixture
  /** Seconds of the fixture to use. Default: all. */
  from?: number
  to?: number
  sound: SoundName
  /** `before`, `after` and `between`: so many seconds of the sound, in the last case at sentence ends `every` seconds. */
  place: 'before' | 'after' | 'between' | 'under'
  seconds?: number
  every?: number
  /** Level of the sound against the speech. */
  db?: number
}

export const tuned: Recipe[] = [
  { speech: 'clip', sound: 'organ', place: 'before', seconds: 20 },
  { speech: 'clip', sound: 'pink', place: 'before', seconds: 20 },
  { speech: 'clip', sound: 'applause', place: 'before', seconds: 20 },
  { speech: 'jfk', sound: 'guitar', place: 'before', seconds: 25 },
  { speech: 'russian', sound: 'band', place: 'before', seconds: 15 },
  { speech: 'voice-note', sound: 'holdTone', place: 'after', seconds: 30 },
  { speech: 'chinese', sound: 'ringing', place: 'before', seconds: 20 },
  { speech: 'interview', to: 180, sound: 'guitar', place: 'between', seconds: 20, every: 60 },
  { speech: 'interview', from: 60, to: 180, sound: 'band', place: 'between', seconds: 20, every: 30 },
  { speech: 'interview', to: 120, sound: 'guitar', place: 'between', seconds: 60, every: 60 },
  { speech: 'meeting', to: 120, sound: 'applause', place: 'between', seconds: 8, every: 20 },
  { speech: 'meeting', to: 160, sound: 'rain', place: 'between', seconds: 15, every: 40 },
  { speech: 'meeting', from: 40, to: 160, sound: 'typing', place: 'between', seconds: 15, every: 40 },
  { speech: 'meeting', to: 120, sound: 'dialling', place: 'between', seconds: 6, every: 50 },
  { speech: 'interview', from: 30, to: 150, sound: 'guitar', place: 'under', db: -20 },
  { speech: 'interview', to: 120, sound: 'band', place: 'under', db: -15 },
  { speech: 'meeting', to: 120, sound: 'guitar', place: 'under', db: -10 },
  { speech: 'meeting', to: 120, sound: 'pink', place: 'under', db: -10 },
  { speech: 'interview', to: 120, sound: 'traffic', place: 'under', db: -10 },
  { speech: 'interview', from: 60, to: 180, sound: 'rain', place: 'under', db: -15 },
]

export const heldOut: Recipe[] = [
  { speech: 'clip', sound: 'strings', place: 'before', seconds: 35 },
  { speech: 'voice-note', sound: 'fastBand', place: 'before', seconds: 12 },
  { speech: 'russian', sound: 'fewClap', place: 'before', seconds: 18 },
  { speech: 'chinese', sound: 'strings', place: 'before', seconds: 25 },
  { speech: 'jfk', sound: 'traffic', place: 'before', seconds: 20 },
  { speech: 'russian', sound: 'americanRinging', place: 'before', seconds: 24 },
  { speech: 'clip', sound: 'busy', place: 'after', seconds: 30 },
  { speech: 'interview', from: 200, to: 360, sound: 'strings', place: 'between', seconds: 25, every: 45 },
  { speech: 'interview', from: 240, to: 360, sound: 'fastBand', place: 'between', seconds: 12, every: 25 },
  { speech: 'meeting', from: 100, sound: 'strings', place: 'between', seconds: 70, every: 50 },
  { speech: 'meeting', from: 120, sound: 'fewClap', place: 'between', seconds: 10, every: 20 },
  { speech: 'interview', from: 200, to: 320, sound: 'traffic', place: 'between', seconds: 15, every: 30 },
  {
    speech: 'interview',
    from: 180,
    to: 300,
    sound: 'americanRinging',
    place: 'between',
    seconds: 18,
    every: 60,
  },
  { speech: 'meeting', from: 90, sound: 'busy', place: 'between', seconds: 9, every: 30 },
  { speech: 'interview', from: 200, to: 320, sound: 'strings', place: 'under', db: -18 },
  { speech: 'meeting', from: 80, sound: 'fastBand', place: 'under', db: -15 },
  { speech: 'interview', from: 260, to: 360, sound: 'organ', place: 'under', db: -12 },
  { speech: 'meeting', from: 100, sound: 'traffic', place: 'under', db: -6 },
  { speech: 'interview', from: 300, to: 400, sound: 'applause', place: 'under', db: -12 },
  { speech: 'meeting', from: 60, to: 180, sound: 'typing', place: 'under', db: -8 },
]

export async function plain(speech: Fixture): Promise<Recording> {
  return { name: speech, ...(await stretch({ speech })) }
}

/** The same seed gives the same samples. */
export async function make(recipe: Recipe, seed: number): Promise<Recording> {
  const { speech, sound, place, seconds = 0, every = 0, db = 0 } = recipe
  const spoken = await stretch(recipe)
  const level = rms(spoken.samples) * 10 ** (db / 20)
  const made = (length: number, at: number) => scaled(sounds[sound](length, seed * 1000 + at), level)
  const how =
    place === 'between' ? `${seconds} s each ${every} s` : place === 'under' ? `${db} dB` : `${seconds} s`
  const name = `${speech}, ${sound} ${place} ${how}`
  if (place === 'under') {
    const under = made(spoken.samples.length / rate, 0)
    return { ...spoken, name, samples: spoken.samples.map((sample, i) => clipped(sample + (under[i] ?? 0))) }
  }
  const end = spoken.samples.length / rate
  const cuts = place === 'before' ? [0] : place === 'after' ? [end] : sentenceEnds(spoken.words, every)
  const pieces: Int16Array[] = []
  let at = 0
  for (const cut of cuts) {
    pieces.push(spoken.samples.subarray(Math.round(at * rate), Math.round(cut * rate)), made(seconds, cut))
    at = cut
  }
  pieces.push(spoken.samples.subarray(Math.round(at * rate)))
  const samples = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const piece of pieces) {
    samples.set(piece, filled)
    filled += piece.length
  }
  const shift = (time: number) => seconds * cuts.filter(cut => cut <= time).length
  const words = spoken.words.map(word => {
    const by = shift(word.start)
    return { ...word, start: word.start + by, end: word.end + by }
  })
  return { ...spoken, name, samples, words }
}

export function endsSentence({ text }: TimedWord): boolean {
  return /[.!?。！？…]["”']?$/.test(text)
}

/** The middles of pauses after sentences, about so many seconds apart. */
function sentenceEnds(words: TimedWord[], every: number): number[] {
  const cuts: number[] = []
  for (const [i, word] of words.entries()) {
    const next = words[i + 1]
    if (!next || !endsSentence(word) || next.start - word.end < 0.2) continue
    const middle = (word.end + next.start) / 2
    if (middle - (cuts.at(-1) ?? 0) >= every) cuts.push(middle)
  }
  return cuts
}

/** Whole sentences of a fixture. */
async function stretch({ speech, from = 0, to = 1e9 }: Pick<Recipe, 'speech' | 'from' | 'to'>) {
  const { words: all, joiner } = truth(speech)
  const first =
    from === 0 ? 0 : 1 + all.findIndex((word, i) => word.end > from && endsSentence(word) && i > 0)
  const last = all.findLastIndex(word => word.end < to && endsSentence(word))
  const words = all.slice(first, last + 1)
  const start = first === 0 ? 0 : (all[first - 1]!.end + all[first]!.start) / 2
  const next = all[last + 1]
  const end = next ? (all[last]!.end + next.start) / 2 : undefined
  const cut = ['-ss', String(start), ...(end === undefined ? [] : ['-t', String(end - start)])]
  const output = ['-ac', '1', '-ar', String(rate), '-f', 's16le', 'pipe:1']
  const bytes = execFileSync(
    await testFfmpeg(),
    ['-v', 'error', '-i', fixture(files[speech]), ...cut, ...output],
    {
      maxBuffer: 1 << 28,
    },
  )
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  const shifted = words.map(word => ({ ...word, start: word.start - start, end: word.end - start }))
  return { samples, words: shifted, joiner }
}

function rms(samples: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2
  return Math.sqrt(sum / Math.max(1, samples.length))
}

function scaled(sound: Float32Array, level: number): Int16Array {
  const by = level / Math.max(1e-9, rms(sound))
  return Int16Array.from(sound, sample => clipped(sample * by))
}

function clipped(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample)))
}
