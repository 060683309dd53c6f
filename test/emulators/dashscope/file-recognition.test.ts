// The stand-in hears whole files as the two passes would: every word once, speakers as they are, and mistakes to order.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type RecognitionErrors,
  startDashscope,
  type TaskFault,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { tempFolder } from '../../support/e2e/system.ts'
import {
  askTasks,
  encode,
  type FileServer,
  fixture,
  join,
  resultAddress,
  runTask,
  SPEAKERS,
  samplesOf,
  serveFiles,
  startTask,
  submit,
  type TaskAnswer,
  type TaskSentence,
  taskEnd,
  taskOrder,
  truthOf,
  WORDS,
} from '../../support/emulators/dashscope-client.ts'

interface Said {
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

const fair: RecognitionErrors = {
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
  // What is heard already is answered at once: a fast machine would ask more than twenty times a second.
  cloud = await startDashscope({ ffmpeg, pollsPerSecond: 1000 })
  await cloud.warmUp()
})
afterEach(() => {
  for (const end of off) end()
  off = []
})
afterAll(() => Promise.all([cloud.close(), files.close()]))

const fault = (what: TaskFault) => void off.push(cloud.taskFault(what))

async function sentencesOf(model: string, url: string, hearing: Partial<RecognitionErrors> = {}) {
  cloud.set({ recognitionErrors: { ...fair, ...hearing } })
  const result = await runTask(
    cloud,
    taskOrder(model, url, { enable_words: true, diarization_enabled: true }),
  )
  return result.transcripts[0]!.sentences
}

/** Words as people write them: with their marks, without the blanks between them. */
function wordsIn(sentences: TaskSentence[]): Said[] {
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

/** The truth, with its speakers numbered by first appearance, from a number on. */
function spoken(recording: string, firstSpeaker = 0): Said[] {
  const numbers = new Map<string, number>()
  return truthOf(recording).words.map(({ speaker, ...word }) => {
    if (!numbers.has(speaker)) numbers.set(speaker, firstSpeaker + numbers.size)
    return { ...word, speaker: numbers.get(speaker) }
  })
}

function expectTimes(words: Said[], truth: Said[], shift = 0, within = 0.02): void {
  const wrong = words.filter(({ start }, i) => Math.abs(start - truth[i]!.start - shift) > within)
  expect(wrong).toEqual([])
}

describe('a whole recording', () => {
  it.each(['meeting.m4a', 'interview.mp3'])('is heard word for word by both models: %s', async recording => {
    const url = files.add(encode(ffmpeg, samplesOf(ffmpeg, recording)))
    const truth = spoken(recording)
    for (const model of [WORDS, SPEAKERS]) {
      const words = wordsIn(await sentencesOf(model, url))
      expect(textsOf(words)).toEqual(textsOf(truth))
      // The encoder delays everything by some hundredths of a second.
      expectTimes(words, truth, words[0]!.start - truth[0]!.start)
      expect(words[0]!.start - truth[0]!.start).toBeLessThan(0.12)
      const speakers = words.map(({ speaker }) => speaker)
      expect(speakers).toEqual(truth.map(({ speaker }) => (model === SPEAKERS ? speaker : undefined)))
    }
    expect(cloud.tasks.at(-1)!.spokenText).toBe(textsOf(truth).join(' '))
  })

  it('is listened to once, however often it is fetched', async () => {
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
        runTask(other, taskOrder(SPEAKERS, meeting, {})),
        runTask(other, taskOrder(WORDS, copy, {})),
      ])
      expect((await readFile(log, 'utf8')).length - before).toBe('started\n'.length)
    } finally {
      await other.close()
      await folder.remove()
    }
  })
})

describe('several recordings in one file', () => {
  it('are heard in their order, and have different people', async () => {
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

  it('that lie over each other are each heard whole', async () => {
    const [below, above] = [
      samplesOf(ffmpeg, 'meeting.m4a').slice(0, 60 * 16000),
      samplesOf(ffmpeg, 'clip.mp4'),
    ]
    const mixed = below.map((value, i) => 0.6 * value + 0.4 * (above[i - 20 * 16000] ?? 0))
    const url = files.add(encode(ffmpeg, mixed))
    const clip = spoken('clip.mp4')
    const truth = spoken('meeting.m4a').filter(({ end }) => end < 59.5)
    const sentences = await sentencesOf(SPEAKERS, url)
    // Of who speaks first in the meeting comes first, and the clip is one voice more.
    const bySpeaker = (wanted: boolean, number: number) =>
      textsOf(wordsIn(sentences).filter(({ speaker }) => (speaker === number) === wanted))
    const guest = sentences.find(({ text }) => text.startsWith(clip[0]!.text))!.speaker_id!
    expect(bySpeaker(true, guest)).toEqual(textsOf(clip))
    expect(bySpeaker(false, guest).slice(0, truth.length)).toEqual(textsOf(truth))
  })

  it('in two channels are heard apart: the first channel, or those that are named', async () => {
    const stereo = files.add(await stereoOf('voice-note.ogg', 'jfk.wav'))
    const text = async (parameters: object) => {
      const { transcripts } = await runTask(cloud, taskOrder(WORDS, stereo, parameters))
      return transcripts.map(one => one.text)
    }
    const truth = (recording: string) => textsOf(truthOf(recording).words).join(' ')
    expect(await text({})).toEqual([truth('voice-note.ogg')])
    expect(await text({ channel_id: [0, 1] })).toEqual([truth('voice-note.ogg'), truth('jfk.wav')])
    // Voices are told apart in files with one channel only.
    for (const sentence of await sentencesOf(SPEAKERS, stereo))
      expect(sentence).not.toHaveProperty('speaker_id')
  })
})

describe('sound that is unknown', () => {
  it('gets an honest answer in its place', async () => {
    const noise = Float32Array.from({ length: 6 * 16000 }, (_, i) => 0.3 * Math.sin(i * i * 1e-5))
    const note = samplesOf(ffmpeg, 'voice-note.ogg')
    const url = files.add(encode(ffmpeg, join(note, 1, noise)))
    const sentences = await sentencesOf(WORDS, url)
    expect(sentences.at(-1)!.text).toMatch(/knows only its own recordings/)
    expect(sentences.at(-1)!.begin_time / 1000).toBeCloseTo(note.length / 16000 + 1, 0)
    expect(textsOf(wordsIn(sentences.slice(0, -1)))).toEqual(textsOf(spoken('voice-note.ogg')))
  })
})

describe('the model of speakers', () => {
  it('hears a share of the words wrong, the same ones each time', async () => {
    const truth = new Set(textsOf(spoken('meeting.m4a')))
    const texts = async (hearing: Partial<RecognitionErrors>) =>
      textsOf(wordsIn(await sentencesOf(SPEAKERS, meeting, hearing)))
    const wrong = (words: string[]) => words.filter(word => !truth.has(word)).length / 613
    const usual = await texts({ garbled: 0.1 })
    expect(wrong(usual)).toBeGreaterThan(0.04)
    expect(wrong(usual)).toBeLessThan(0.16)
    expect(await texts({ garbled: 0.1 })).toEqual(usual)
    expect(await texts({ garbled: 0.1, seed: 2 })).not.toEqual(usual)
    expect(wrong(await texts({ garbled: 0.5 }))).toBeGreaterThan(0.3)
    // The words of the other model stay as they are.
    const clear = wordsIn(await sentencesOf(WORDS, meeting, { garbled: 0.5 }))
    expect(textsOf(clear)).toEqual(textsOf(spoken('meeting.m4a')))
  })

  it('hears no Russian, unless it is the newer one', async () => {
    const url = files.add(await readFile(fixture('russian.flac')))
    const truth = textsOf(spoken('russian.flac'))
    const known = async (model: string) =>
      textsOf(wordsIn(await sentencesOf(model, url))).filter(word => truth.includes(word)).length
    expect(await known(SPEAKERS)).toBeLessThan(truth.length / 3)
    expect(await known('fun-asr')).toBe(truth.length)
  })

  it('has a clock that is ahead, and times that tremble', async () => {
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

  it('leaves out labels, some or all', async () => {
    const missing = async (missingLabels: number) => {
      const sentences = await sentencesOf(SPEAKERS, meeting, { missingLabels })
      return sentences.filter(({ speaker_id }) => speaker_id === undefined).length / sentences.length
    }
    expect(await missing(0)).toBe(0)
    expect(await missing(0.3)).toBeGreaterThan(0.1)
    expect(await missing(0.3)).toBeLessThan(0.6)
    expect(await missing(1)).toBe(1)
  })

  it('takes turns for the continuation of the one before', async () => {
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

describe('a fault of tasks', () => {
  const order = () => taskOrder(WORDS, meeting)
  const state = async (id: string, signal?: AbortSignal) =>
    (await (await askTasks(cloud, `/${id}`, signal ? { signal } : {})).json()) as TaskAnswer

  it('can refuse a submit, of one model, as often as it is told', async () => {
    fault({ kind: 'submitError', status: 500, code: 'InternalError', message: 'no', model: WORDS, times: 1 })
    expect((await submit(cloud, taskOrder(SPEAKERS, meeting))).status).toBe(200)
    const before = cloud.tasks.length
    expect((await submit(cloud, order())).status).toBe(500)
    expect(cloud.tasks.length).toBe(before)
    expect((await submit(cloud, order())).status).toBe(200)
  })

  it('can lose the answer to a submit, whose task goes on', async () => {
    fault({ kind: 'submitLost', times: 1 })
    const before = cloud.tasks.length
    await expect(submit(cloud, order())).rejects.toThrow()
    expect(cloud.tasks.length).toBe(before + 1)
    expect((await taskEnd(cloud, cloud.tasks.at(-1)!.id)).output.task_status).toBe('SUCCEEDED')
  })

  it('can spoil a poll, and the next one is as it should be', async () => {
    const id = await startTask(cloud, order())
    await taskEnd(cloud, id)
    fault({ kind: 'pollError', status: 429, code: 'Throttling.RateQuota', message: 'slower', times: 1 })
    expect((await askTasks(cloud, `/${id}`)).status).toBe(429)
    fault({ kind: 'pollDrop', times: 1 })
    await expect(askTasks(cloud, `/${id}`)).rejects.toThrow()
    fault({ kind: 'pollHtml', times: 1 })
    expect(await (await askTasks(cloud, `/${id}`)).text()).toMatch(/502 Bad Gateway/)
    fault({ kind: 'pollGarbage', times: 1 })
    await expect(state(id)).rejects.toThrow(SyntaxError)
    fault({ kind: 'pollHang', times: 1 })
    await expect(state(id, AbortSignal.timeout(300))).rejects.toThrow(/timeout/)
    fault({ kind: 'forgotten', times: 1 })
    expect((await state(id)).output).toEqual({ task_id: id, task_status: 'UNKNOWN' })
    expect((await state(id)).output.task_status).toBe('SUCCEEDED')
    expect(cloud.tasks.at(-1)!.polls.length).toBeGreaterThanOrEqual(8)
  })

  it('can end a task as it likes, or never', async () => {
    fault({ kind: 'cancelled', times: 1 })
    fault({ kind: 'failed', code: 'FILE_TRANS_TASK_EXPIRED', when: ({ url }) => url.endsWith('?bad') })
    fault({ kind: 'endless', when: ({ url }) => url.endsWith('?never') })
    const [gone, bad, never] = await Promise.all(
      ['', '?bad', '?never'].map(mark => startTask(cloud, taskOrder(SPEAKERS, meeting + mark))),
    )
    expect((await taskEnd(cloud, gone!)).output.task_status).toBe('CANCELED')
    expect((await taskEnd(cloud, bad!)).output).toMatchObject({
      task_status: 'FAILED',
      code: 'FILE_TRANS_TASK_EXPIRED',
      results: [{ subtask_status: 'FAILED', code: 'FILE_TRANS_TASK_EXPIRED' }],
    })
    expect((await state(never!)).output.task_status).toBe('RUNNING')
  })

  it('can spoil the result file', async () => {
    const address = resultAddress(await taskEnd(cloud, await startTask(cloud, order())))
    fault({ kind: 'result', how: 404, times: 1 })
    expect((await fetch(address)).status).toBe(404)
    fault({ kind: 'result', how: 403, times: 1 })
    expect((await fetch(address)).status).toBe(403)
    fault({ kind: 'result', how: 'garbage', times: 1 })
    await expect(fetch(address).then(response => response.json())).rejects.toThrow(SyntaxError)
    expect(((await (await fetch(address)).json()) as { file_url: string }).file_url).toBe(meeting)
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
