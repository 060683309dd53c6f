// Twenty minutes of real words with hardly a pause, cut as a recording is: no word is lost, doubled or wrong at a seam.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { type Chunk, cut } from '../../../../src/pipeline/audio/cut/cut.ts'
import { chunkLength } from '../../../../src/pipeline/chunks/chunk-lengths.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../../../src/pipeline/chunks/recognise.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import {
  asBuffers,
  generator,
  rate,
  type SyntheticRecording,
} from '../../../support/audio/synthetic-speech.ts'
import { fixture, truth } from '../../../support/e2e/system.ts'

const minutes = 20
const maxSeconds = 170

interface Word {
  text: string
  sound: Int16Array
}

let spoken: Word[]
beforeAll(async () => {
  const args = [
    '-v',
    'error',
    '-i',
    fixture('interview.mp3'),
    '-ac',
    '1',
    '-ar',
    `${rate}`,
    '-f',
    's16le',
    '-',
  ]
  const options = { encoding: 'buffer', maxBuffer: 100_000_000 } as const
  const { stdout } = await promisify(execFile)(await testFfmpeg(), args, options)
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1)
  spoken = truth('interview').words.map(({ text, start, end }) => ({
    text,
    sound: samples.subarray(Math.round(start * rate), Math.round(end * rate)),
  }))
})

/** The words again and again, with pauses of up to this length between them. */
function recording(maxPause: number, seed: number): SyntheticRecording {
  const random = generator(seed)
  const samples = new Int16Array(minutes * 60 * rate).map(() => Math.round(20 * (random() - 0.5)))
  const words: SyntheticRecording['words'] = []
  let at = 0
  for (let i = Math.floor(random() * spoken.length); ; i++) {
    const { text, sound } = spoken[i % spoken.length]!
    if (at + sound.length > samples.length) return { samples: samples.subarray(0, at), words }
    samples.set(sound, at)
    words.push({ text, start: at / rate, end: (at + sound.length) / rate })
    at += sound.length + Math.round(random() * maxPause * rate)
  }
}

/** Words that are whole in a chunk are right, and those that its ends cut are wrong. */
function recognised({ index, start, end, speech, overlap }: Chunk, words: SyntheticRecording['words']) {
  const texts = words.flatMap(word => {
    const inside = Math.min(end, word.end) - Math.max(start, word.start)
    const share = inside / (word.end - word.start)
    return share >= 0.97 ? [word.text] : share > 1 / 3 ? [`wrong${index}`] : []
  })
  const facts = { index, start, end, speech, overlap, sent: end - start, cached: 0 }
  return { ...facts, text: texts.join(' ') } satisfies ChunkTranscript
}

it.each([
  [0, 1],
  [0.06, 2],
])('with pauses of at most %d s each word comes once (seed %i)', async (maxPause, seed) => {
  const { samples, words } = recording(maxPause, seed)
  const total = samples.length / rate
  const lengthAt = (start: number, chunksBefore: number) =>
    chunkLength({ start, chunksBefore }, total, maxSeconds)
  const transcripts: ChunkTranscript[] = []
  for await (const chunk of cut(asBuffers(samples), { maxSeconds, lengthAt })) {
    transcripts.push(recognised(chunk, words))
    chunk.release()
  }
  expect(transcripts.filter(({ overlap }) => overlap > 0).length).toBeGreaterThanOrEqual(6)
  const { segments } = createMerge('segment')(transcripts)
  expect(segments.map(({ text }) => text).join(' ')).toBe(words.map(({ text }) => text).join(' '))
})
