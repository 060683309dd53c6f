// Speech heard where the level takes other sound for it.
import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { secondsOf } from '../../../../src/domain/transcript.ts'
import { type Chunk, cut } from '../../../../src/pipeline/audio/cut/cut.ts'
import { heardSpeech } from '../../../../src/pipeline/audio/speech-detector/heard-speech.ts'
import {
  loadSpeechDetector,
  type SpeechDetector,
} from '../../../../src/pipeline/audio/speech-detector/speech-detector.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import { betweenPauses } from '../../../../src/pipeline/chunks/short-pauses.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { asBuffers, rate } from '../../../support/audio/synthetic-speech.ts'
import { fixture, truth, truthText } from '../../../support/e2e/system.ts'

let detector: SpeechDetector
let clip: Int16Array

beforeAll(async () => {
  detector = (await loadSpeechDetector())!
  clip = await samplesOf('clip.mp4')
})

async function samplesOf(name: string, ...cut: string[]): Promise<Int16Array> {
  const format = [...cut, '-ac', '1', '-ar', String(rate), '-f', 's16le', 'pipe:1']
  const bytes = execFileSync(await testFfmpeg(), ['-v', 'error', '-i', fixture(name), ...format], {
    maxBuffer: 1 << 24,
  })
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** A chord that begins anew twice a second. */
function music(seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * rate }, (_, i) => {
    const pitches = [220, 277.2, 329.6].map(pitch => Math.sin((2 * Math.PI * pitch * i) / rate))
    return (
      2500 * (0.25 + Math.exp((-6 * (i % (rate / 2))) / rate)) * pitches.reduce((sum, each) => sum + each)
    )
  })
}

function joined(...pieces: Int16Array[]): Int16Array {
  const samples = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    samples.set(piece, at)
    at += piece.length
  }
  return samples
}

async function chunksOf(samples: Int16Array): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of cut(asBuffers(samples), { maxSeconds: 150 })) chunks.push(chunk)
  return chunks
}

/** When the sentences of the clip begin, by the times of the only chunk of these samples. */
async function starts(samples: Int16Array): Promise<number[]> {
  const [chunk] = await chunksOf(samples)
  const heard = await heardSpeech(chunk!, detector)
  const transcript = {
    ...chunk!,
    ...(heard && { heard }),
    text: truthText(truth('clip')),
    sent: 0,
    cached: 0,
  }
  return createMerge('segment')([transcript]).segments.map(({ start }) => start)
}

describe('heardSpeech', () => {
  it('words after twenty seconds of music are timed as they are without it', async () => {
    const without = await starts(clip)
    const times = await starts(joined(music(20), clip))
    expect(times).toHaveLength(without.length)
    for (const [i, time] of times.entries()) expect(Math.abs(time - 20 - without[i]!)).toBeLessThan(0.15)
  })

  it('no sentence goes on over music between two passages', async () => {
    const [chunk] = await chunksOf(joined(clip, music(30), clip))
    const heard = (await heardSpeech(chunk!, detector))!
    const end = clip.length / rate
    expect(heard.filter(({ start, end: to }) => to > end + 0.5 && start < end + 29.5)).toEqual([])
    expect(heard[0]!.start).toBeLessThan(0.6)
    expect(secondsOf(heard)).toBeGreaterThan(0.8 * 2 * secondsOf((await chunksOf(clip))[0]!.speech))
  })

  it('the level alone gives the times of a plain recording', async () => {
    const [chunk] = await chunksOf(clip)
    expect(await heardSpeech(chunk!, detector)).toBeUndefined()
  })

  it('a slow voice takes no words of the fast one that answers it without a pause for breath', async () => {
    const { words } = truth('interview')
    const [chunk] = await chunksOf(await samplesOf('interview.mp3', '-t', '170'))
    const said = words.filter(({ start, end }) => (start + end) / 2 < chunk!.end).map(({ text }) => text)
    const heard = await heardSpeech(chunk!, detector)
    const voiced = betweenPauses(heard ?? chunk!.speech, chunk!)
    const { segments } = createMerge('segment')([
      { ...chunk!, voiced, text: said.join(' '), sent: 0, cached: 0 },
    ])
    const answer = segments.find(({ text }) => text.startsWith('Well, it starts'))!
    const truly = words.find(({ text, start }) => text === 'Well,' && start > 90)!
    expect(Math.abs(answer.start - truly.start)).toBeLessThan(0.15)
  })

  it('a voice that the level takes for silence is sent', async () => {
    const quiet = clip.map(sample => Math.round(sample / 250))
    const pause = new Int16Array(8 * rate)
    const chunks = await chunksOf(joined(clip, pause, quiet, pause, clip))
    const sent = chunks.reduce((sum, { samples }) => sum + samples.length, 0) / rate
    expect(sent).toBeGreaterThan((2.9 * clip.length) / rate)
    expect(sent).toBeLessThan((3 * clip.length) / rate + 6)
    expect(await chunksOf(joined(pause, quiet))).not.toEqual([])
  })

  it.each([3.5, 3.9, 4.3, 4.7])(
    'a soft voice behind %s s of silence begins where it sounds, though it is heard late',
    async silence => {
      const voice = (await samplesOf('jfk.wav')).subarray(5_500, 53_500)
      const soft = voice.map((sample, i) => (i < rate ? Math.round(sample / 400) : sample))
      const pause = new Int16Array(silence * rate)
      const [chunk] = await chunksOf(joined(voice.subarray(0, 2 * rate), pause, soft))
      expect(Math.abs(chunk!.speech[1]!.start - 2 - silence)).toBeLessThan(0.1)
    },
  )

  it('no speech is heard in music', async () => {
    const [chunk] = await chunksOf(music(20))
    expect(await heardSpeech(chunk!, detector)).toEqual([])
  })
})
