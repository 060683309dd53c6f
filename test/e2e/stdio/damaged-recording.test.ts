// Damaged, very short, silent or misnamed recordings: everything decodable is transcribed.
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lavfi, makeAudio, transcribe } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
  await makeAudio(system, 'cover.png', [...lavfi('color=red:s=64x64'), '-frames:v', '1'])
})
afterAll(() => system.close())

describe('a truncated recording', () => {
  const jfk = ['-i', fixture('jfk.wav')]
  const clip = ['-i', fixture('clip.mp4')]
  const copied = ['-c', 'copy']
  const cover = ['-i', 'cover.png', '-map', '0', '-map', '1', '-c:v', 'copy']
  it.each([
    ['WAV', 'jfk', 'cut.wav', [...jfk, ...copied]],
    ['FLAC', 'jfk', 'cut.flac', jfk],
    ['MP3', 'jfk', 'cut.mp3', jfk],
    ['MP3 with a cover', 'jfk', 'cover.mp3', [...jfk, ...cover]],
    ['AIFF', 'jfk', 'cut.aiff', jfk],
    ['CAF', 'jfk', 'cut.caf', jfk],
    ['AVI', 'jfk', 'cut.avi', jfk],
    ['Ogg', 'voice-note', 'cut.ogg', ['-i', fixture('voice-note.ogg'), ...copied]],
    ['MP4 film', 'clip', 'cut.mp4', [...clip, ...copied, '-movflags', 'faststart']],
    ['M4A', 'clip', 'cut.m4a', [...clip, ...copied, '-vn', '-movflags', 'faststart']],
    ['Matroska film', 'clip', 'cut.mkv', [...clip, ...copied]],
    ['WebM', 'voice-note', 'cut.webm', ['-i', fixture('voice-note.ogg'), ...copied]],
  ])(
    'a truncated recording (%s) is transcribed up to its end, with a warning',
    async (_, name, file, args) => {
      const whole = await makeAudio(system, file, args)
      const { length } = await readFile(whole)
      expect((await transcribe(system, whole)).warnings).toEqual([])
      await truncate(whole, Math.round(length * 0.55))
      const { status, words, warnings } = await transcribe(system, whole)
      expect(status).toBe('completed')
      expect(warnings).toEqual([expect.stringMatching(/^The file seems to be cut off.*transcribed\.$/)])
      // The word that the cut went through may be wrong.
      const complete = words.split(' ').slice(0, -1)
      expect(complete.length).toBeGreaterThan(5)
      expect(truthText(truth(name)).startsWith(complete.join(' '))).toBe(true)
    },
  )
})

describe('a crashing decoder', () => {
  it('a crashing decoder leaves a gap up to the recording’s declared end', async () => {
    const dying = join(system.folder, 'dying-ffmpeg')
    const script = [
      '#!/bin/sh',
      `case "$*" in *format_whitelist*) ;; *) exec '${system.env.FFMPEG_PATH}' "$@" ;; esac`,
      `'${system.env.FFMPEG_PATH}' "$@" | head -c 2000000`,
      'kill -9 $$',
    ]
    await writeFile(dying, script.join('\n'), { mode: 0o755 })
    const other = await startSystem({ env: { FFMPEG_PATH: dying } })
    const { data } = await other.call('transcribe_audio', { audio: fixture('meeting.m4a') })
    expect(data.status).toBe('partial')
    expect(data.duration).toBeCloseTo(62.5, 0)
    const [gap] = data.coverage.gaps
    expect(gap.end).toBeCloseTo(truth('meeting').duration, 0)
    expect(gap.reason).toMatch(/^FFMPEG_FAILED: /)
    await other.close()
  })
})

describe('a very short or silent recording', () => {
  it('a recording of 0.3 s is padded to the provider’s minimum length', async () => {
    const { start } = truth('jfk').words.find(({ text }) => text === 'country')!
    const short = await makeAudio(system, 'short.wav', [
      '-i',
      fixture('jfk.wav'),
      '-ss',
      `${start}`,
      '-t',
      '0.3',
    ])
    const { status, duration } = await transcribe(system, short)
    expect({ status, duration }).toEqual({ status: 'completed', duration: 0.3 })
    expect(system.dashscope.requests.at(-1)).toMatchObject({ status: 200 })
    expect(system.dashscope.requests.at(-1)!.seconds).toBeGreaterThanOrEqual(1)
  })

  it.each([
    ['0.3 s of silence', 'anullsrc', 0.3],
    ['30 s of silence', 'anullsrc', 30],
    ['20 s of steady, quiet noise', 'anoisesrc=a=0.005:seed=7', 20],
  ])('a recording of %s gives an empty transcript without a request', async (_, source, seconds) => {
    const asked = system.dashscope.requests.length
    const { status, words, duration, usage } = await transcribe(
      system,
      await makeAudio(system, 'quiet.wav', [
        ...lavfi(source),
        '-t',
        `${seconds}`,
        '-ar',
        '16000',
        '-ac',
        '1',
      ]),
    )
    expect({ status, words, duration }).toEqual({ status: 'completed', words: '', duration: seconds })
    expect(usage.audio_seconds).toBe(0)
    expect(system.dashscope.requests.length).toBe(asked)
  })
})

describe('a recording with a wrong extension', () => {
  it.each([
    ['an M4A', 'm4a.mp3', ['-f', 'mp4', '-c:a', 'aac']],
    ['an Ogg', 'ogg.wav', ['-f', 'ogg', '-c', 'copy']],
    ['an Ogg', 'ogg.txt', ['-f', 'ogg', '-c', 'copy']],
    ['an MP3', 'no-extension', ['-f', 'mp3', '-c:a', 'libmp3lame']],
  ])('%s named %s is transcribed', async (_, name, args) => {
    const file = await makeAudio(system, name, ['-i', fixture('voice-note.ogg'), ...args])
    expect((await transcribe(system, file)).words).toBe(truthText(truth('voice-note')))
  })
})
