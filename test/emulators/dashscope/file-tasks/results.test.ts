// The DashScope emulator: result files of both model families.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  startDashscope,
  tidyForms,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import {
  askTasks,
  type FileServer,
  fixture,
  resultAddress,
  runTask,
  SPEAKERS,
  serveFiles,
  startTask,
  type TaskAnswer,
  type TaskResult,
  taskEnd,
  taskRequest,
  truthOf,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let files: FileServer
let note: string
let chinese: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = files.add(readFileSync(fixture('voice-note.ogg')))
  chinese = files.add(readFileSync(fixture('chinese.flac')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, forms: tidyForms, ...options }),
)

async function state(cloud: DashscopeEmulator, id: string): Promise<TaskAnswer> {
  return (await (await askTasks(cloud, `/${id}`)).json()) as TaskAnswer
}

describe('result files', () => {
  it('a result file is on another server, with a signed URL and without a key', async () => {
    const cloud = await start()
    const answer = await taskEnd(cloud, await startTask(cloud, taskRequest(WORDS, note)))
    const address = resultAddress(answer)
    expect(new URL(address).origin).not.toBe(new URL(cloud.url).origin)
    expect((await fetch(address)).status).toBe(200)
    expect(cloud.tasks[0]!.fetches).toBe(1)
    const xml = async (url: string, headers = {}) => {
      const response = await fetch(url, { headers })
      expect(response.headers.get('content-type')).toBe('application/xml')
      return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1]}`
    }
    expect(await xml(address, { authorization: `Bearer ${cloud.apiKey}` })).toBe('400 InvalidArgument')
    expect(await xml(address.replace(/Signature=.{4}/, 'Signature=AAAA'))).toBe('403 SignatureDoesNotMatch')
    expect(await xml(address.replace(/\?.*/, ''))).toBe('403 AccessDenied')
    cloud.set({ resultSeconds: 0 })
    expect(await xml(resultAddress(await state(cloud, answer.output.task_id)))).toBe('403 AccessDenied')
  })

  it('qwen3-asr-flash-filetrans numbers sentences from 0 and returns words only if requested', async () => {
    const cloud = await start()
    const answer = await taskEnd(
      cloud,
      await startTask(cloud, taskRequest(WORDS, note, { enable_words: true })),
    )
    expect(answer).toMatchObject({ output: { task_status: 'SUCCEEDED' }, usage: { seconds: 8 } })
    expect(answer.output).not.toHaveProperty('task_metrics')
    expect(answer.output).not.toHaveProperty('results')
    const result = (await (await fetch(resultAddress(answer))).json()) as TaskResult
    const [first, ...others] = result.transcripts[0]!.sentences
    expect(result).toMatchObject({ file_url: note, audio_info: { format: 'opus', sample_rate: 48000 } })
    expect([first, ...others].map(sentence => sentence!.sentence_id)).toEqual(
      [0, ...others.keys()].map((_, i) => i),
    )
    expect(first).toMatchObject({ begin_time: 500, language: 'en', emotion: 'neutral' })
    expect(first).not.toHaveProperty('speaker_id')
    expect(first!.words![0]).toMatchObject({ text: 'Hi ', punctuation: '' })
    expect(first!.words!.map(({ text, punctuation }) => text + punctuation).join('')).toBe(first!.text)
    const plain = await runTask(cloud, taskRequest(WORDS, note))
    for (const sentence of plain.transcripts[0]!.sentences) expect(sentence).not.toHaveProperty('words')
    expect(plain.transcripts[0]!.text).toBe(result.transcripts[0]!.text)
  })

  it('fun-asr-mtl numbers sentences from 1 and returns speakers only if requested', async () => {
    const cloud = await start({ recognitionErrors: { garbled: 0 } })
    const order = taskRequest(SPEAKERS, note, { diarization_enabled: true })
    const answer = await taskEnd(cloud, await startTask(cloud, order))
    expect(answer.output).toMatchObject({
      results: [{ file_url: note, subtask_status: 'SUCCEEDED' }],
      task_metrics: { TOTAL: 1, SUCCEEDED: 1, FAILED: 0 },
    })
    expect(answer.output).not.toHaveProperty('result')
    const spoken = truthOf('voice-note.ogg').duration
    expect(answer.usage!.duration).toBeLessThanOrEqual(Math.ceil(spoken))
    const result = (await (await fetch(resultAddress(answer))).json()) as TaskResult
    expect(result).toMatchObject({
      properties: { audio_format: 'opus', channels: [0], original_sampling_rate: 48000 },
      transcripts: [{ channel_id: 0, content_duration_in_milliseconds: expect.any(Number) }],
    })
    const [first] = result.transcripts[0]!.sentences
    expect(first).toMatchObject({ sentence_id: 1, speaker_id: 0, begin_time: 500 })
    expect(first!.words!.map(({ text, punctuation }) => text + punctuation).join('')).toBe(first!.text)
    const plain = await runTask(cloud, taskRequest(SPEAKERS, note))
    expect(plain.transcripts[0]!.sentences[0]).not.toHaveProperty('speaker_id')
  })

  it('qwen-audio-asr-flash-filetrans returns accurate words with speakers', async () => {
    const cloud = await start()
    const order = taskRequest('qwen-audio-3.1-asr-flash-filetrans', note, { diarization_enabled: true })
    const result = await runTask(cloud, order)
    const { words, joiner } = truthOf('voice-note.ogg')
    expect(result.transcripts[0]!.text).toBe(words.map(({ text }) => text).join(joiner))
    expect(result.transcripts[0]!.sentences[0]).toMatchObject({ sentence_id: 1, speaker_id: 0 })
    expect(result.transcripts[0]!.sentences[0]!.words!.length).toBeGreaterThan(0)
  })

  it('a Chinese result has one word per character and no spaces', async () => {
    const cloud = await start()
    const result = await runTask(cloud, taskRequest(WORDS, chinese, { enable_words: true }))
    const [first] = result.transcripts[0]!.sentences
    expect(first!.language).toBe('zh')
    expect(first!.words!.every(({ text }) => [...text].length === 1)).toBe(true)
    expect(first!.words!.at(-1)!.punctuation).toBe('。')
    expect(result.transcripts[0]!.text).toBe(
      truthOf('chinese.flac')
        .words.map(({ text }) => text)
        .join(''),
    )
  })
})
