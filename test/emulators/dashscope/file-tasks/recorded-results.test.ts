// The DashScope emulator: results of file tasks in the forms that were recorded of the services.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  recordedForms,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import {
  encode,
  type FileServer,
  fixture,
  join,
  runTask,
  serveFiles,
  startTask,
  type TaskSentence,
  taskEnd,
  taskRequest,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

const onePass = 'qwen-audio-3.1-asr-flash-filetrans'
let ffmpeg: string
let files: FileServer
let meeting: string
let chinese: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  meeting = files.add(readFileSync(fixture('meeting.m4a')))
  chinese = files.add(readFileSync(fixture('chinese.flac')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, pollsPerSecond: 1000, ...options }),
)

const diarized = (model: string, url = meeting) =>
  taskRequest(model, url, { diarization_enabled: true, enable_words: true })

const wordsOf = (sentences: TaskSentence[]) => sentences.flatMap(({ words = [] }) => words)
const joined = ({ words = [] }: TaskSentence) => words.map(one => one.text + one.punctuation).join('')
const letters = (text: string) => text.replace(/\s/g, '')

describe('the place of a result', () => {
  const address = { transcription_url: expect.stringMatching(/^http/) }
  const end = async (cloud: DashscopeEmulator, model: string) => {
    const url = files.add(readFileSync(fixture('voice-note.ogg')))
    const { output } = await taskEnd(cloud, await startTask(cloud, taskRequest(model, url)))
    return [output, { file_url: url, subtask_status: 'SUCCEEDED' }] as const
  }

  it('is output.output of one pass and output.results of others with file_urls, unless another is chosen', async () => {
    const cloud = await start()
    expect((await end(cloud, onePass))[0]).toMatchObject({ output: address })
    cloud.set({ forms: { resultPlace: 'results' } })
    for (const model of ['fun-asr', onePass]) {
      const [output, item] = await end(cloud, model)
      expect(output).toMatchObject({ results: [{ ...item, ...address }] })
      expect(output).not.toHaveProperty('output')
    }
    cloud.set({ forms: { resultPlace: 'output' } })
    for (const model of ['fun-asr', onePass]) {
      const [output, item] = await end(cloud, model)
      expect(output).toMatchObject({ output: { ...address, results: [{ ...item, ...address }] } })
      expect(output).not.toHaveProperty('results')
    }
    cloud.set({ forms: { resultPlace: 'resultsOutput' } })
    const [output, item] = await end(cloud, 'fun-asr')
    expect(output.results).toEqual([{ ...item, output: address }])
  })

  it('differs by model in the recorded forms, and never changes for a single file', async () => {
    const cloud = await start({ forms: recordedForms })
    expect((await end(cloud, onePass))[0]).toHaveProperty('output.transcription_url')
    expect((await end(cloud, 'fun-asr'))[0]).toHaveProperty('results')
    const single = taskRequest(WORDS, meeting)
    expect((await taskEnd(cloud, await startTask(cloud, single))).output).toMatchObject({ result: address })
  })
})

describe('recorded words', () => {
  it('one pass tells speakers on sentences, numbers them from 1, and knows nothing of the file', async () => {
    const result = await runTask(await start(), diarized(onePass))
    expect(result).toMatchObject({ properties: {} })
    const { sentences } = result.transcripts[0]!
    expect(sentences.map(({ sentence_id }) => sentence_id)).toEqual(sentences.map((_, i) => i + 1))
    for (const { speaker_id } of sentences) expect(speaker_id).toEqual(expect.any(Number))
    for (const word of wordsOf(sentences)) {
      expect(word).toMatchObject({ confidence: 1 })
      expect(word).not.toHaveProperty('speaker_id')
    }
  })

  it('a blank can be a word with a time of its own, and the words still make the sentence', async () => {
    const cloud = await start({ forms: { words: 'whole' } })
    const { sentences } = (await runTask(cloud, diarized(onePass))).transcripts[0]!
    const blanks = wordsOf(sentences).filter(({ text }) => text === ' ')
    expect(blanks.length).toBeGreaterThan(5)
    for (const { begin_time, end_time } of blanks) expect(end_time).toBeGreaterThanOrEqual(begin_time)
    for (const sentence of sentences) expect(joined(sentence)).toBe(sentence.text)
  })

  it('broken words lack blanks and come in pieces, while the text of their sentence is right', async () => {
    const cloud = await start({ recognitionErrors: { garbled: 0 }, forms: { words: 'whole' } })
    const whole = (await runTask(cloud, diarized('fun-asr'))).transcripts[0]!
    cloud.set({ forms: { words: 'broken' } })
    const broken = (await runTask(cloud, diarized('fun-asr'))).transcripts[0]!
    expect(broken.text).toBe(whole.text)
    expect(wordsOf(broken.sentences).length).toBeGreaterThan(wordsOf(whole.sentences).length)
    const wrong = broken.sentences.filter(sentence => joined(sentence) !== sentence.text)
    expect(wrong.length).toBeGreaterThan(5)
    for (const sentence of broken.sentences) expect(letters(joined(sentence))).toBe(letters(sentence.text))
    // Words of the other family are always whole.
    const { sentences } = (await runTask(cloud, diarized(WORDS))).transcripts[0]!
    for (const sentence of sentences) expect(joined(sentence)).toBe(sentence.text)
  })

  it('words of qwen3-asr-flash-filetrans can end when they begin, and its audio_info is empty', async () => {
    const result = await runTask(await start(), diarized(WORDS, chinese))
    expect(result).toMatchObject({ audio_info: {} })
    const words = wordsOf(result.transcripts[0]!.sentences)
    const instant = words.filter(({ begin_time, end_time }) => begin_time === end_time)
    expect(instant.length).toBeGreaterThan(0)
    expect(instant.length).toBeLessThan(words.length / 4)
    for (const word of words) expect(word).not.toHaveProperty('confidence')
  })
})

describe('recorded silence', () => {
  const silence = () => files.add(encode(ffmpeg, join(3)))
  const end = async (cloud: DashscopeEmulator, body: object) =>
    (await taskEnd(cloud, await startTask(cloud, body))).output

  it('has a code per family, one for all models, or a task status of its own', async () => {
    const cloud = await start()
    const noFragment = 'SUCCESS_WITH_NO_VALID_FRAGMENT'
    const silent = () =>
      Promise.all([WORDS, 'fun-asr'].map(model => end(cloud, taskRequest(model, silence()))))
    const [filetrans, fun] = await silent()
    expect(filetrans).toMatchObject({ task_status: 'FAILED', code: 'ASR_RESPONSE_HAVE_NO_WORDS' })
    expect(filetrans).not.toHaveProperty('result')
    expect(fun).toMatchObject({ task_status: 'FAILED', code: noFragment })
    cloud.set({ forms: { silence: 'tidy' } })
    for (const output of await silent()) expect(output).toMatchObject({ code: noFragment })
    cloud.set({ forms: { silence: 'status' } })
    for (const output of await silent()) expect(output).toMatchObject({ task_status: noFragment })
    expect(cloud.bill().entries).toEqual([])
  })

  it('can repeat the context as its text', async () => {
    const cloud = await start({ forms: { repeatsContext: true } })
    const context = { corpus: { text: 'Greta, Alcott' } }
    const result = await runTask(cloud, taskRequest(WORDS, silence(), { ...context, enable_words: true }))
    expect(result.transcripts[0]!.text).toBe('Greta, Alcott')
    expect(await end(cloud, taskRequest(WORDS, silence()))).toMatchObject({ task_status: 'FAILED' })
  })
})

it('the slowest task can wait for many times the configured seconds', async () => {
  const cloud = await start({ taskLatency: { base: 0.02, perSecond: 0, spread: 30 } })
  const ids = await Promise.all(
    Array.from({ length: 8 }, () => startTask(cloud, taskRequest(WORDS, chinese))),
  )
  await Promise.all(ids.map(id => taskEnd(cloud, id)))
  // Without a spread each would wait for 20 ms.
  const waits = cloud.tasks.map(({ submittedAt, startedAt }) => startedAt! - submittedAt)
  expect(Math.max(...waits)).toBeGreaterThan(200)
})
