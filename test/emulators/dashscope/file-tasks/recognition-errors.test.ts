// The DashScope emulator: simulated recognition errors of the diarizing model.
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type RecognitionErrors,
  startDashscope,
  tidyForms,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import {
  type FileServer,
  fixture,
  runTask,
  SPEAKERS,
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

describe('recognition errors', () => {
  it('the diarizing model misrecognises a share of the words, the same ones each time', async () => {
    const truth = new Set(textsOf(spoken('meeting.m4a')))
    const texts = async (errors: Partial<RecognitionErrors>) =>
      textsOf(wordsIn(await sentencesOf(SPEAKERS, meeting, errors)))
    const wrong = (words: string[]) => words.filter(word => !truth.has(word)).length / 613
    const usual = await texts({ garbled: 0.1 })
    expect(wrong(usual)).toBeGreaterThan(0.04)
    expect(wrong(usual)).toBeLessThan(0.16)
    expect(await texts({ garbled: 0.1 })).toEqual(usual)
    expect(await texts({ garbled: 0.1, seed: 2 })).not.toEqual(usual)
    expect(wrong(await texts({ garbled: 0.5 }))).toBeGreaterThan(0.3)
    // The accurate model is not affected.
    const clear = wordsIn(await sentencesOf(WORDS, meeting, { garbled: 0.5 }))
    expect(textsOf(clear)).toEqual(textsOf(spoken('meeting.m4a')))
  })

  it('the diarizing model recognises no Russian, but the newer model does', async () => {
    const url = files.add(await readFile(fixture('russian.flac')))
    const truth = textsOf(spoken('russian.flac'))
    const known = async (model: string) =>
      textsOf(wordsIn(await sentencesOf(model, url))).filter(word => truth.includes(word)).length
    expect(await known(SPEAKERS)).toBeLessThan(truth.length / 3)
    expect(await known('fun-asr')).toBe(truth.length)
  })

  it('the diarizing model has a clock offset and inaccurate times', async () => {
    const truth = spoken('meeting.m4a')
    expectTimes(wordsIn(await sentencesOf(SPEAKERS, meeting, { offset: 0.8 })), truth, 0.8)
    const jittered = wordsIn(await sentencesOf(SPEAKERS, meeting, { jitter: 200 }))
    const moves = jittered.map(({ start }, i) => Math.abs(start - truth[i]!.start))
    expect(Math.max(...moves)).toBeGreaterThan(0.15)
    expect(jittered.every(({ start, end }) => end > start)).toBe(true)
    const others = wordsIn(await sentencesOf(WORDS, meeting, { offset: 0.8, jitter: 200 }))
    expectTimes(others, truth)
    const trembling = wordsIn(await sentencesOf(WORDS, meeting, { wordJitter: 100 }))
    const most = Math.max(...trembling.map(({ start }, i) => Math.abs(start - truth[i]!.start)))
    expect(most).toBeGreaterThan(0.05)
    expect(most).toBeLessThan(0.25)
  })

  it('the diarizing model omits some or all speaker labels', async () => {
    const missing = async (missingLabels: number) => {
      const sentences = await sentencesOf(SPEAKERS, meeting, { missingLabels })
      return sentences.filter(({ speaker_id }) => speaker_id === undefined).length / sentences.length
    }
    expect(await missing(0)).toBe(0)
    expect(await missing(0.3)).toBeGreaterThan(0.1)
    expect(await missing(0.3)).toBeLessThan(0.6)
    expect(await missing(1)).toBe(1)
  })

  it('the diarizing model merges speaker turns', async () => {
    const turns = async (mergedTurns: number) => {
      const speakers = (await sentencesOf(SPEAKERS, meeting, { mergedTurns })).map(one => one.speaker_id)
      return speakers.filter((speaker, i) => speaker !== speakers[i - 1]).length
    }
    const all = await turns(0)
    expect(all).toBe(43)
    expect(await turns(0.3)).toBeLessThan(all)
    expect(await turns(0.3)).toBeGreaterThan(5)
    expect(await turns(1)).toBe(1)
    const words = wordsIn(await sentencesOf(SPEAKERS, meeting, { mergedTurns: 0.3 }))
    expect(textsOf(words)).toEqual(textsOf(spoken('meeting.m4a')))
  })
})
