// Synthesises recordings: words of noise that rises and falls, with random pauses and silences.

export const rate = 16_000

interface SpokenWord {
  text: string
  start: number
  end: number
}

export interface SyntheticRecording {
  samples: Int16Array
  words: SpokenWord[]
}

export interface SpeechSection {
  kind: 'sentences' | 'breathless' | 'silence'
  /** Seconds, about. */
  seconds: number
}

/** A seeded random generator (mulberry32), so that a failing case can be repeated. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Synthesises the sections. Background noise makes every stretch of samples unique. */
export function synthesise(passages: SpeechSection[], seed: number, noise = 6): SyntheticRecording {
  const random = generator(seed)
  const between = (min: number, max: number) => min + (max - min) * random()
  const words: SpokenWord[] = []
  let time = between(0, 1)
  for (const { kind, seconds } of passages) {
    const end = time + seconds
    if (kind === 'silence') time = end
    while (time < end) {
      const length = between(0.12, 0.6)
      words.push({ text: `w${words.length}`, start: time, end: time + length })
      time += length
      if (kind === 'breathless') time += between(0, 0.03)
      else time += random() < 0.15 ? between(0.3, 1.5) : between(0, 0.08)
    }
  }
  const samples = new Int16Array(Math.ceil((time + between(0, 1)) * rate))
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((random() - 0.5) * 2 * noise)
  for (const { start, end } of words) {
    const loud = between(800, 9000)
    const [from, to] = [Math.floor(start * rate), Math.floor(end * rate)]
    // Each word is a syllable or two: louder in the middle, and never silent.
    const syllables = end - start > 0.35 ? 2 : 1
    for (let i = from; i < to; i++) {
      const swell = 0.1 + 0.9 * Math.abs(Math.sin((Math.PI * syllables * (i - from)) / (to - from)))
      samples[i] = samples[i]! + Math.round((random() - 0.5) * 2 * loud * swell)
    }
  }
  return { samples, words }
}

/** The recording as a decoder yields it: buffers of uneven size. */
export function* asBuffers(samples: Int16Array, seed = 1): Generator<Buffer> {
  const random = generator(seed)
  for (let at = 0; at < samples.length; ) {
    const length = 1 + Math.floor(random() * 20_000)
    const piece = samples.slice(at, at + length)
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    at += length
  }
}

/** The stretches of the recording (in samples) that a chunk consists of, found by their samples alone. */
export function stretchesOf(
  chunk: Int16Array,
  recording: Int16Array,
  from: number,
): [start: number, end: number][] {
  const stretches: [number, number][] = []
  let at = from
  let i = 0
  while (i < chunk.length) {
    at = findRun(chunk, i, recording, at)
    const start = at
    while (i < chunk.length && chunk[i] === recording[at]) {
      i++
      at++
    }
    stretches.push([start, at])
    // The last frame of a recording is filled up with zeros.
    if (at >= recording.length) break
  }
  return stretches
}

function findRun(chunk: Int16Array, i: number, recording: Int16Array, from: number): number {
  const length = Math.min(48, chunk.length - i)
  for (let at = from; at + length <= recording.length; at++) {
    let same = 0
    while (same < length && chunk[i + same] === recording[at + same]) same++
    if (same === length) return at
  }
  throw new Error('A chunk contains samples that the recording does not have there.')
}
