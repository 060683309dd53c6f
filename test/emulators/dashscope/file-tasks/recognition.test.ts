// The DashScope emulator: recognition of whole files.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type RecognitionErrors,
  startDashscope,
  tidyForms,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { tempFolder } from '../../../support/e2e/system.ts'
import {
  encode,
  type FileServer,
  fixture,
  join,
  runTask,
  SPEAKERS,
  samplesOf,
  serveFiles,
  type TaskSentence,
  taskRequest,
  truthOf,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

interface SpokenWord {
  text: string
  start: number
  end: number
  speaker?: number | undefined
}

let ffmpeg: string
let files: FileServer
let cloud: DashscopeEmulator
let meeting: string
let off: (() => void)[] = []

const noErrors: RecognitionErrors = {
  garbled: 0,
  jitter: 0,
  wordJitter: 0,
  offset: 0,
  missingLabels: 0,
  mergedTurns: 0,
  seed: 1,
}

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  meeting = files.add(await readFile(fixture('meeting.m4a')))
  // Cached results return at once: a fast machine would poll more than twenty times a second.
  cloud = await startDashscope({ ffmpeg, pollsPerSecond: 1000, forms: tidyForms })
  await cloud.warmUp()
})
afterEach(() => {
  for (const end of off) end()
  off = []
})
afterAll(() => Promise.all([cloud.close(), files.close()]))

async function sentencesOf(model: string, url: string, errors: Partial<RecognitionErrors> = {}) {
  cloud.set({ recognitionErrors: { ...noErrors, ...errors } })
  const result = await runTask(
    cloud,
    taskRequest(model, url, { enable_words: true, diarization_enabled: true }),
  )
  return result.transcripts[0]!.sentences
}

/** Words with their punctuation, without spaces. */
function wordsIn(sentences: TaskSentence[]): SpokenWord[] {
  return sentences.flatMap(({ words, speaker_id }) =>
    words!.map(word => ({
      text: (word.text + word.punctuation).trim(),
      start: word.begin_time / 1000,
      end: word.end_time / 1000,
      speaker: speaker_id,
    })),
  )
}

const textsOf = (words: { text: string }[]) => words.map(({ text }) => text)

/** The spoken words; speakers are numbered by first appearance, starting at `firstSpeaker`. */
function spoken(recording: string, firstSpeaker = 0): SpokenWord[] {
  const numbers = new Map<string, number>()
  return truthOf(recording).words.map(({ speaker, ...word }) => {
    if (!numbers.has(speaker)) numbers.set(speaker, firstSpeaker + numbers.size)
    return { ...word, speaker: numbers.get(speaker) }
  })
}

function expectTimes(words: SpokenWord[], truth: SpokenWord[], shift = 0, within = 0.02): void {
  const wrong = words.filter(({ start }, i) => Math.abs(start - truth[i]!.start - shift) > within)
  expect(wrong).toEqual([])
}

describe('whole recordings', () => {
  it.each(['meeting.m4a', 'interview.mp3'])('both models recognise every word: %s', async recording => {
    const url = files.add(encode(ffmpeg, samplesOf(ffmpeg, recording)))
    const truth = spoken(recording)
    for (const model of [WORDS, SPEAKERS]) {
      const words = wordsIn(await sentencesOf(model, url))
      expect(textsOf(words)).toEqual(textsOf(truth))
      // The encoder delays the audio by some hundredths of a second.
      expectTimes(words, truth, words[0]!.start - truth[0]!.start)
      expect(words[0]!.start - truth[0]!.start).toBeLessThan(0.12)
      const speakers = words.map(({ speaker }) => speaker)
      expect(speakers).toEqual(truth.map(({ speaker }) => (model === SPEAKERS ? speaker : undefined)))
    }
    expect(cloud.tasks.at(-1)!.spokenText).toBe(textsOf(truth).join(' '))
  })

  it('a file that is fetched twice is decoded once', async () => {
    const folder = await tempFolder()
    const log = path.join(folder.path, 'log')
    const counting = path.join(folder.path, 'ffmpeg')
    await writeFile(counting, `#!/bin/sh\necho started >> '${log}'\nexec '${ffmpeg}' "$@"\n`)
    await chmod(counting, 0o755)
    const other = await startDashscope({ ffmpeg: counting })
    try {
      await other.warmUp()
      const before = (await readFile(log, 'utf8').catch(() => '')).length
      const copy = files.add(await readFile(fixture('meeting.m4a')))
      await Promise.all([
        runTask(other, taskRequest(SPEAKERS, meeting, {})),
        runTask(other, taskRequest(WORDS, copy, {})),
      ])
      expect((await readFile(log, 'utf8')).length - before).toBe('started\n'.length)
    } finally {
      await other.close()
      await folder.remove()
    }
  })
})

describe('several recordings in one file', () => {
  it('recordings in sequence are recognised in order with different speakers', async () => {
    const samples = (recording: string) => samplesOf(ffmpeg, recording)
    const [note, jfk, long] = [samples('voice-note.ogg'), samples('jfk.wav'), samples('meeting.m4a')]
    const url = files.add(encode(ffmpeg, join(2, note, 1.5, long, jfk, 3, note)))
    const truth = [...spoken('voice-note.ogg'), ...spoken('meeting.m4a', 1), ...spoken('jfk.wav', 4)]
    truth.push(...spoken('voice-note.ogg'))
    for (const model of [WORDS, SPEAKERS]) {
      const words = wordsIn(await sentencesOf(model, url))
      expect(textsOf(words)).toEqual(textsOf(truth))
      if (model === SPEAKERS)
        expect(words.map(({ speaker }) => speaker)).toEqual(truth.map(one => one.speaker))
    }
    const at = 2 + note.length / 16000 + 1.5
    const words = wordsIn(await sentencesOf(WORDS, url)).slice(20, 20 + 613)
    expectTimes(words, spoken('meeting.m4a'), at, 0.12)
  })

  it('overlapping recordings are each recognised completely', async () => {
    const [below, above] = [
      samplesOf(ffmpeg, 'meeting.m4a').slice(0, 60 * 16000),
      samplesOf(ffmpeg, 'clip.mp4'),
    ]
    const mixed = below.map((value, i) => 0.6 * value + 0.4 * (above[i - 20 * 16000] ?? 0))
    const url = files.add(encode(ffmpeg, mixed))
    const clip = spoken('clip.mp4')
    const truth = spoken('meeting.m4a').filter(({ end }) => end < 59.5)
    const sentences = await sentencesOf(SPEAKERS, url)
    // The meeting starts first, and the clip adds one speaker.
    const bySpeaker = (isSpeaker: boolean, number: number) =>
      textsOf(wordsIn(sentences).filter(({ speaker }) => (speaker === number) === isSpeaker))
    const guest = sentences.find(({ text }) => text.startsWith(clip[0]!.text))!.speaker_id!
    expect(bySpeaker(true, guest)).toEqual(textsOf(clip))
    expect(bySpeaker(false, guest).slice(0, truth.length)).toEqual(textsOf(truth))
  })

  it('channels are recognised separately: the first one, or the requested ones', async () => {
    const stereo = files.add(await stereoOf('voice-note.ogg', 'jfk.wav'))
    const text = async (parameters: object) => {
      const { transcripts } = await runTask(cloud, taskRequest(WORDS, stereo, parameters))
      return transcripts.map(one => one.text)
    }
    const truth = (recording: string) => textsOf(truthOf(recording).words).join(' ')
    expect(await text({})).toEqual([truth('voice-note.ogg')])
    expect(await text({ channel_id: [0, 1] })).toEqual([truth('voice-note.ogg'), truth('jfk.wav')])
    // Diarization only applies to mono files.
    for (const sentence of await sentencesOf(SPEAKERS, stereo))
      expect(sentence).not.toHaveProperty('speaker_id')
  })
})

describe('unknown sound', () => {
  it('unknown sound is reported as such at its time', async () => {
    const noise = Float32Array.from({ length: 6 * 16000 }, (_, i) => 0.3 * Math.sin(i * i * 1e-5))
    const note = samplesOf(ffmpeg, 'voice-note.ogg')
    const url = files.add(encode(ffmpeg, join(note, 1, noise)))
    const sentences = await sentencesOf(WORDS, url)
    expect(sentences.at(-1)!.text).toMatch(/knows only its own recordings/)
    expect(sentences.at(-1)!.begin_time / 1000).toBeCloseTo(note.length / 16000 + 1, 0)
    expect(textsOf(wordsIn(sentences.slice(0, -1)))).toEqual(textsOf(spoken('voice-note.ogg')))
  })
})

/** A WAV with one recording in each channel. */
async function stereoOf(left: string, right: string): Promise<Buffer> {
  const sides = [samplesOf(ffmpeg, left), samplesOf(ffmpeg, right)]
  const frames = Math.max(...sides.map(side => side.length))
  const wav = Buffer.alloc(44 + frames * 4)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  for (const [at, value] of [16, 1 | (2 << 16), 16000, 64000, 4 | (16 << 16)].entries()) {
    wav.writeUInt32LE(value, 16 + 4 * at)
  }
  wav.write('data', 36)
  wav.writeUInt32LE(frames * 4, 40)
  for (let i = 0; i < frames; i++) {
    for (const [side, samples] of sides.entries()) {
      const value = Math.max(-1, Math.min(1, samples[i] ?? 0))
      wav.writeInt16LE(Math.round(value * 32767), 44 + 4 * i + 2 * side)
    }
  }
  return wav
}
