// Clips of real files: the sound is that of the recording at these times, whatever its container, tracks and channels.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { type Clip, makeClip } from '../../../../src/pipeline/clips/clip.ts'
import type { SourcePorts } from '../../../../src/pipeline/source/source.ts'
import { sentencesOf, wordsCutAt } from '../../../support/audio/clip-words.ts'
import { locateTestFfmpeg, testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { decodedSamples } from '../../../support/audio/hear.ts'
import { makeAudio } from '../../../support/audio/make-audio.ts'
import { fixture, type TempFolder, tempFolder, truth } from '../../../support/e2e/system.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())

const rate = 16_000

interface Told {
  segments?: Segment[]
  duration: number
  from: number
  to?: number
  track?: string
}

/** Writes down how it is started. */
async function notingFfmpeg(): Promise<{ path: string; log: string }> {
  const [path, log] = [join(folder.path, 'ffmpeg'), join(folder.path, 'ffmpeg.log')]
  await writeFile(path, `#!/bin/sh\necho "$@" >> '${log}'\nexec '${await testFfmpeg()}' "$@"\n`, {
    mode: 0o700,
  })
  return { path, log }
}

async function clipOf(
  audio: string,
  { segments = [], duration, ...request }: Told,
  located = locateTestFfmpeg,
): Promise<Clip> {
  const checkpoints = { get: async () => undefined, put: async () => {}, isFromThisJob: () => false }
  const { signal } = new AbortController()
  const run = { owner: 'local', signal, checkpoints, scratch: async () => folder.path, progress() {} }
  const ports = { allowedDirs: [folder.path], ffmpeg: located } as unknown as SourcePorts & {
    ffmpeg: typeof locateTestFfmpeg
  }
  return makeClip({ audio, ...request }, { segments, duration }, ports, run, { onVoices() {} })
}

/** As a player hears it, by the tag. */
async function samplesOf({ audio }: Clip): Promise<Int16Array> {
  const file = join(folder.path, 'heard.mp3')
  await writeFile(file, audio)
  const args = ['-v', 'error', '-i', file, '-ac', '1', '-ar', String(rate), '-f', 's16le', '-']
  const bytes = execFileSync(await testFfmpeg(), args, { maxBuffer: 1e8 })
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** Milliseconds by which the clip is late against the recording, and how alike both are, from 0 to 1. */
async function lateness(clip: Clip, recording: Int16Array): Promise<{ ms: number; alike: number }> {
  const heard = await samplesOf(clip)
  const first = Math.round(clip.start * rate)
  const reach = 800
  const length = Math.min(heard.length - 2 * reach, 5 * rate)
  let best = { ms: 0, alike: 0 }
  for (let lag = -reach; lag <= reach; lag++) {
    let [both, own, other] = [0, 1, 1]
    for (let i = reach; i < reach + length; i += 7) {
      const [a, b] = [heard[i + lag]!, recording[first + i] ?? 0]
      both += a * b
      own += a * a
      other += b * b
    }
    const alike = both / Math.sqrt(own * other)
    if (alike > best.alike) best = { ms: (1000 * lag) / rate, alike }
  }
  return best
}

async function expectSame(clip: Clip, recording: Int16Array): Promise<void> {
  const { ms, alike } = await lateness(clip, recording)
  expect(alike).toBeGreaterThan(0.95)
  expect(Math.abs(ms)).toBeLessThan(10)
}

describe('a clip of a fixture', () => {
  it.each([
    ['clip', 5, 9],
    ['meeting', 100, 110],
    ['jfk', 3, 8],
  ])('the clip of %s from %d s to %d s is that stretch, without half a word', async (name, from, to) => {
    const known = truth(name)
    const file = fixture(known.recording)
    const segments = sentencesOf(known, false)
    const clip = await clipOf(file, { segments, duration: known.duration, from, to })
    expect(wordsCutAt(known, [clip.start, clip.end])).toEqual([])
    expect((await samplesOf(clip)).length / rate).toBeCloseTo(clip.end - clip.start, 2)
    await expectSame(clip, await decodedSamples(file))
  })

  it('a longer stretch gives its first part, in at most 150,000 characters of base64, and says where it goes on', async () => {
    const known = truth('meeting')
    const segments = sentencesOf(known, true)
    const given = { segments, duration: known.duration, from: 0 }
    const first = await clipOf(fixture(known.recording), given)
    expect(first.end).toBeGreaterThan(18)
    expect(first.audio.toString('base64').length).toBeLessThanOrEqual(150_000)
    const next = await clipOf(fixture(known.recording), { ...given, from: first.next! })
    expect(Math.abs(next.start - first.end)).toBeLessThan(1)
    expect(next.start).toBeGreaterThanOrEqual(first.end - 0.001)
  })
})

describe('the clock of a player', () => {
  it('sound that starts late in a video is clipped by the time of the video', async () => {
    const file = join(folder.path, 'late.mp4')
    const picture = ['-f', 'lavfi', '-i', 'color=s=64x64:r=5:d=16']
    const late = ['-itsoffset', '4.1', '-i', fixture('jfk.wav'), '-map', '0:v', '-map', '1:a', '-c:a', 'aac']
    execFileSync(await testFfmpeg(), ['-v', 'error', '-y', ...picture, ...late, '-ar', '48000', file])
    const clip = await clipOf(file, { duration: 15.1, from: 7, to: 12 })
    expect([clip.start, clip.end]).toEqual([7, 12])
    const original = await decodedSamples(fixture('jfk.wav'))
    await expectSame(clip, concat(new Int16Array(Math.round(4.1 * rate)), original))
  })

  it.each([
    ['VBR MP3', 'vbr.mp3', ['-c:a', 'libmp3lame', '-q:a', '6']],
    [
      'MP3 without a tag',
      'bare.mp3',
      ['-c:a', 'libmp3lame', '-b:a', '32k', '-write_xing', '0', '-id3v2_version', '0'],
    ],
    ['M4A', 'long.m4a', ['-c:a', 'aac', '-b:a', '40k']],
    ['FLAC', 'long.flac', []],
    ['Opus', 'long.opus', ['-c:a', 'libopus', '-b:a', '24k']],
  ])('in a long %s a jump finds the same samples as decoding from the start', async (_, name, codec) => {
    // The frames of silence are much shorter than those of speech.
    const silence = "volume=0:enable='between(t,70,110)'"
    const inputs = ['-i', fixture('meeting.m4a'), '-af', silence, '-ar', '16000', '-ac', '1']
    const file = await makeAudio(folder.path, name, [...inputs, ...codec])
    const whole = await decodedSamples(file)
    const duration = whole.length / rate
    for (const from of [123.4, 210.25]) {
      const { path, log } = await notingFfmpeg()
      const clip = await clipOf(file, { duration, from, to: from + 6 }, async () => ({ path }))
      expect(await readFile(log, 'utf8')).toContain(`-ss ${Math.floor(from - 5)} `)
      expect(clip.start).toBe(from)
      await expectSame(clip, whole)
    }
  })
})

describe('voices', () => {
  it('both sides of a call are heard, also where they cancel each other in the mix', async () => {
    const graph =
      '[0:a]aresample=16000,aformat=channel_layouts=mono,asplit[l][n];[n]volume=-1[r];[l][r]join=inputs=2:channel_layout=stereo'
    const file = await makeAudio(folder.path, 'call.wav', [
      '-i',
      fixture('jfk.wav'),
      '-filter_complex',
      graph,
    ])
    await expectSame(
      await clipOf(file, { duration: 11, from: 3, to: 9 }),
      await decodedSamples(fixture('jfk.wav')),
    )
  })

  it('two tracks with voices of their own are heard together', async () => {
    const inputs = ['-i', fixture('jfk.wav'), '-t', '11', '-i', fixture('meeting.m4a')]
    const file = await makeAudio(folder.path, 'two.mkv', [
      ...inputs,
      '-map',
      '0',
      '-map',
      '1',
      '-c:a',
      'flac',
      '-ar',
      '16000',
    ])
    const [one, other] = [
      await decodedSamples(fixture('jfk.wav')),
      await decodedSamples(fixture('meeting.m4a')),
    ]
    const both = one.map((sample, i) => sample + (other[i] ?? 0))
    await expectSame(await clipOf(file, { duration: 11, from: 3, to: 9 }), both)
  })
})

it('the clip leaves no file behind', async () => {
  await clipOf(fixture('jfk.wav'), { duration: 11, from: 1, to: 2 })
  await expect(readFile(join(folder.path, 'clip.mp3'))).rejects.toThrow()
})

function concat(...parts: Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
