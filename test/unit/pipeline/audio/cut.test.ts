// Cutting into chunks: complete speech, bounded length, and seams that lose and double nothing.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Chunk, cut } from '../../../../src/pipeline/audio/cut/cut.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../../../src/pipeline/chunks/recognise.ts'
import {
  asBuffers,
  rate,
  type SpeechSection,
  type SyntheticRecording,
  stretchesOf,
  synthesise,
} from '../../../support/audio/synthetic-speech.ts'

const passage = fc.record({
  kind: fc.constantFrom<SpeechSection['kind']>('sentences', 'sentences', 'breathless', 'silence'),
  seconds: fc.double({ min: 0.2, max: 90, noNaN: true }),
})
const recordings = fc.record({
  passages: fc.array(passage, { minLength: 1, maxLength: 6 }),
  seed: fc.integer(),
  noise: fc.constantFrom(1, 6, 30),
  maxSeconds: fc.constantFrom(12, 30, 150),
  /** Length to aim at, if any. */
  aimSeconds: fc.option(fc.constantFrom(1, 3, 5, 20, 45)),
})
/** Fixed cases; FC_RUNS and FC_SEED select others. */
const settings = {
  numRuns: Number(process.env.FC_RUNS ?? 40),
  seed: Number(process.env.FC_SEED ?? 20_261_122),
}

type Cut = Omit<Chunk, 'samples' | 'release'> & { seconds: number; stretches: [number, number][] }

/** Cuts, and inspects each chunk before its memory is released, as the encoder does. */
async function cutAll(
  { samples }: SyntheticRecording,
  maxSeconds: number,
  aimSeconds?: number | null,
): Promise<Cut[]> {
  const chunks: Cut[] = []
  const options = { maxSeconds, ...(aimSeconds && { lengthAt: () => aimSeconds }) }
  for await (const { samples: sound, release, ...chunk } of cut(asBuffers(samples), options)) {
    const from = Math.round(chunk.start * rate)
    chunks.push({
      ...chunk,
      seconds: sound.length / rate,
      stretches: stretchesOf(sound.subarray(0, sound.length), samples, from),
    })
    release()
  }
  return chunks
}

/** A simulated recogniser: complete words are correct, words that were cut are wrong. */
function simulateRecognition(chunk: Cut, { words }: SyntheticRecording): ChunkTranscript {
  const texts = words.flatMap(({ text, start, end }) => {
    const [from, to] = [Math.round(start * rate), Math.round(end * rate)]
    const contained = Math.max(0, ...chunk.stretches.map(([a, b]) => Math.min(b, to) - Math.max(a, from)))
    if (contained >= (to - from) * 0.97) return [text]
    return contained > (to - from) / 3 ? [`broken${text}${chunk.index}`] : []
  })
  const { index, start, end, speech, overlap } = chunk
  return { index, start, end, speech, overlap, sent: chunk.seconds, cached: 0, text: texts.join(' ') }
}

/** Number of samples in both chunks. */
function shared(left: Cut, right: Cut): number {
  return left.stretches
    .flatMap(([a, b]) => right.stretches.map(([c, d]) => Math.max(0, Math.min(b, d) - Math.max(a, c))))
    .reduce((sum, length) => sum + length, 0)
}

/** 200 s of speech with no pauses but these, in seconds. */
function withPauses(...pauses: [from: number, to: number][]): SyntheticRecording {
  const recording = synthesise([{ kind: 'breathless', seconds: 200 }], 7)
  for (const [from, to] of pauses) recording.samples.fill(0, from * rate, to * rate)
  return recording
}

/** Ten seconds of noise about as loud as a voice. */
const hiss = synthesise([{ kind: 'silence', seconds: 10 }], 9, 3000).samples

describe('cut', () => {
  it('covers every word within the length limit, and repeats only the overlap', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, async ({ passages, seed, noise, maxSeconds, aimSeconds }) => {
        const recording = synthesise(passages, seed, noise)
        const chunks = await cutAll(recording, maxSeconds, aimSeconds)
        for (const chunk of chunks) expect(chunk.seconds).toBeLessThanOrEqual(maxSeconds)
        for (const { text, start, end } of recording.words) {
          const inside = chunks.some(({ stretches }) =>
            stretches.some(([a, b]) => a <= Math.ceil(start * rate) && b >= Math.floor(end * rate)),
          )
          expect(inside, `${text} from ${start} to ${end}`).toBe(true)
        }
        for (let i = 1; i < chunks.length; i++)
          expect(shared(chunks[i - 1]!, chunks[i]!) / rate).toBeCloseTo(chunks[i]!.overlap, 2)
      }),
      settings,
    )
  })

  it('loses and doubles no word at a seam', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, async ({ passages, seed, noise, maxSeconds, aimSeconds }) => {
        const recording = synthesise(passages, seed, noise)
        const chunks = await cutAll(recording, maxSeconds, aimSeconds)
        const transcripts = chunks.toReversed().map(chunk => simulateRecognition(chunk, recording))
        const { segments } = createMerge('segment')(transcripts)
        expect(segments.map(({ text }) => text).join(' ')).toBe(
          recording.words.map(({ text }) => text).join(' '),
        )
      }),
      settings,
    )
  })

  it.each([1, 2, 3])(
    'a soft voice between loud ones is no pause: its seam costs no word (seed %i)',
    async seed => {
      const voices = [18, 14, 20].map((seconds, i) =>
        synthesise([{ kind: 'breathless', seconds }], seed + [0, 50, 90][i]!, 1),
      )
      const length = voices.reduce((sum, { samples }) => sum + samples.length, 0)
      const recording: SyntheticRecording = { samples: new Int16Array(length), words: [] }
      let at = 0
      for (const [i, { samples, words }] of voices.entries()) {
        recording.samples.set(i === 1 ? samples.map(sample => Math.round(sample / 100)) : samples, at)
        const by = at / rate
        for (const { text, start, end } of words)
          recording.words.push({ text: `${text}v${i}`, start: start + by, end: end + by })
        at += samples.length
      }
      const chunks = await cutAll(recording, 30)
      const { segments } = createMerge('segment')(chunks.map(chunk => simulateRecognition(chunk, recording)))
      expect(segments.map(({ text }) => text).join(' ')).toBe(
        recording.words.map(({ text }) => text).join(' '),
      )
    },
  )

  it('cuts in the longest pause of the last third', async () => {
    const recording = withPauses([80, 83], [110, 110.4], [130, 131])
    const [first, second] = await cutAll(recording, 150)
    expect(first!.end).toBeCloseTo(130.5, 1)
    expect(second!.overlap).toBe(0)
  })

  it('cuts in the longest pause about as far from the start as it should, or else in the next one', async () => {
    const recording = withPauses([38, 39], [43, 43.4], [47, 48], [124, 125])
    const [first, second, third] = await cutAll(recording, 150, 45)
    expect([first!.end, second!.end]).toEqual([expect.closeTo(47.5, 1), expect.closeTo(124.5, 1)])
    expect([second!.overlap, third!.overlap]).toEqual([0, 0])
  })

  it('overlaps no chunks for a length that it only aims at', async () => {
    const recording = synthesise([{ kind: 'breathless', seconds: 140 }], 3)
    expect(await cutAll(recording, 150, 30)).toHaveLength(1)
  })

  it('overlaps chunks where there is no pause', async () => {
    const recording = synthesise([{ kind: 'breathless', seconds: 200 }], 3)
    const [first, second] = await cutAll(recording, 150)
    expect(second!.overlap).toBeGreaterThanOrEqual(2)
    expect(second!.overlap).toBeLessThanOrEqual(4)
    expect(first!.end - second!.start).toBeCloseTo(second!.overlap, 2)
  })

  it('cut leaves out silence and reports the spans of speech', async () => {
    const recording = synthesise(
      [
        { kind: 'sentences', seconds: 20 },
        { kind: 'silence', seconds: 12 },
        { kind: 'sentences', seconds: 20 },
        { kind: 'silence', seconds: 90 },
        { kind: 'sentences', seconds: 20 },
      ],
      11,
    )
    const chunks = await cutAll(recording, 150)
    expect(chunks).toHaveLength(2)
    expect(chunks[0]!.end - chunks[0]!.start).toBeGreaterThan(50)
    expect(chunks[0]!.seconds).toBeLessThan(44)
    const spoken = recording.words.reduce((sum, { start, end }) => sum + end - start, 0)
    const found = chunks.flatMap(({ speech }) => speech).reduce((sum, { start, end }) => sum + end - start, 0)
    expect(found / spoken).toBeGreaterThan(0.9)
    expect(found / spoken).toBeLessThan(1.25)
  })

  it.each([
    ['digital silence', new Int16Array(60 * rate)],
    ['steady noise', synthesise([{ kind: 'silence', seconds: 60 }], 5, 60).samples],
    ['an offset', new Int16Array(60 * rate).fill(9000)],
    ['nothing at all', new Int16Array(0)],
  ])('makes no chunk of %s', async (_, samples) => {
    expect(await cutAll({ samples, words: [] }, 150)).toEqual([])
  })

  it.each([
    ['loud steady noise', (sample: number, i: number) => sample * 0.2 + hiss[i % hiss.length]!],
    ['a loud hum', (sample: number, i: number) => sample * 0.1 + 6000 * Math.sin(i / 20)],
    ['an offset', (sample: number) => sample * 0.1 + 9000],
  ])('keeps speech under %s', async (_, distort) => {
    const { samples } = synthesise([{ kind: 'sentences', seconds: 30 }], 4)
    const chunks = await cutAll({ samples: samples.map(distort), words: [] }, 150)
    expect(chunks.reduce((sum, chunk) => sum + chunk.seconds, 0)).toBeGreaterThan(samples.length / rate - 4)
  })

  it('cut keeps a quiet speaker between loud ones', async () => {
    const loud = synthesise([{ kind: 'sentences', seconds: 30 }], 1)
    const quiet = synthesise([{ kind: 'sentences', seconds: 30 }], 2, 1)
    const samples = new Int16Array(loud.samples.length * 2 + quiet.samples.length)
    samples.set(loud.samples)
    // 40 dB down: barely above the room.
    samples.set(
      quiet.samples.map(sample => Math.round(sample / 100)),
      loud.samples.length,
    )
    samples.set(loud.samples, loud.samples.length + quiet.samples.length)
    const chunks = await cutAll({ samples, words: [] }, 150)
    const kept = chunks.reduce((sum, chunk) => sum + chunk.seconds, 0)
    expect(kept).toBeGreaterThan(samples.length / rate - 6)
  })
})
