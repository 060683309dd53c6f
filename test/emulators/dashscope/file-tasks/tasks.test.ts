// The DashScope emulator: submitting, polling, cancelling and listing file tasks.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
  tidyForms,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import {
  askTasks,
  type FileServer,
  fixture,
  runTask,
  SPEAKERS,
  serveFiles,
  startTask,
  submit,
  type TaskAnswer,
  taskEnd,
  taskRequest,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let files: FileServer
let note: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = files.add(readFileSync(fixture('voice-note.ogg')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string }
  return { status: response.status, code, message }
}

async function state(cloud: DashscopeEmulator, id: string): Promise<TaskAnswer> {
  return (await (await askTasks(cloud, `/${id}`)).json()) as TaskAnswer
}

describe('submitting tasks', () => {
  it('a submit returns the id of a pending task', async () => {
    const cloud = await start()
    const answer = await (await submit(cloud, taskRequest(SPEAKERS, note, { speaker_count: 2 }))).json()
    const id = cloud.tasks[0]!.id
    expect(answer).toEqual({
      output: { task_status: 'PENDING', task_id: id },
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(cloud.tasks).toEqual([
      expect.objectContaining({ id, model: SPEAKERS, url: note, parameters: { speaker_count: 2 } }),
    ])
  })

  it('a submit without the asynchronous header is refused', async () => {
    const cloud = await start()
    const response = await submit(cloud, taskRequest(WORDS, note), { 'x-dashscope-async': '' })
    expect(await refusal(response)).toEqual(dashscopeErrors.noSynchronousCalls)
    expect(cloud.tasks).toEqual([])
    expect(cloud.taskCalls).toEqual([expect.objectContaining({ kind: 'submit', status: 403 })])
  })

  const invalid = { status: 400, code: 'InvalidParameter' }
  const cases: [string, object, object][] = [
    ['an unknown model', taskRequest('paraformer-v2', ''), dashscopeErrors.modelNotExist],
    [
      'a single file for a model that takes lists',
      { model: SPEAKERS, input: { file_url: 'http://a/b' }, parameters: {} },
      { ...invalid, message: 'input must contain file_urls' },
    ],
    [
      'a single file for the model that does both',
      { model: 'qwen-audio-3.1-asr-flash-filetrans', input: { file_url: 'http://a/b' }, parameters: {} },
      { ...invalid, message: 'input must contain file_urls' },
    ],
    [
      'a list for a model that takes a single file',
      { model: WORDS, input: { file_urls: ['http://a/b'] } },
      invalid,
    ],
    ['two files', { model: SPEAKERS, input: { file_urls: ['http://a/b', 'http://a/c'] } }, invalid],
    ['one speaker', taskRequest(SPEAKERS, 'http://a/b', { speaker_count: 1 }), invalid],
    ['too many speakers', taskRequest('fun-asr', 'http://a/b', { speaker_count: 101 }), invalid],
    ['an unknown language', taskRequest(WORDS, 'http://a/b', { language: 'nl' }), invalid],
    [
      'a temporary upload without its header',
      taskRequest(WORDS, 'oss://a/b'),
      { code: 'InvalidParameter.DataInspection' },
    ],
  ]
  it.each(cases)('in tidy forms a submit is refused: %s', async (_, body, error) => {
    const cloud = await start({ forms: tidyForms })
    expect(await refusal(await submit(cloud, body))).toMatchObject(error)
    expect(cloud.tasks).toEqual([])
  })

  it.each([
    ['no parameters', undefined],
    ['a misspelt parameter', { enable_wrods: true }],
  ])('where parameters are checked, a submit with %s creates a task that fails', async (_, parameters) => {
    const cloud = await start({ forms: { unknownParameters: 'fail' } })
    const { output } = await taskEnd(
      cloud,
      await startTask(cloud, { ...taskRequest(WORDS, note), parameters }),
    )
    expect(output).toMatchObject({
      task_status: 'FAILED',
      message: 'Invalid backend response received (missing status name)',
    })
  })

  it('parameters of the other model family are ignored', async () => {
    const cloud = await start()
    const result = await runTask(cloud, taskRequest(SPEAKERS, note, { language: 'xx', enable_words: true }))
    expect(result.transcripts[0]!.sentences.length).toBeGreaterThan(0)
  })
})

describe('tasks', () => {
  it('a task is PENDING, then RUNNING, then SUCCEEDED after the configured time', async () => {
    const cloud = await start({ taskLatency: { base: 1, perSecond: 0.2 } })
    await cloud.warmUp()
    const id = await startTask(cloud, taskRequest(SPEAKERS, note))
    const seen = new Map<string, TaskAnswer>()
    while (!seen.has('SUCCEEDED')) {
      const answer = await state(cloud, id)
      seen.set(answer.output.task_status, answer)
      await new Promise(resolve => setTimeout(resolve, 60))
    }
    expect([...seen.keys()]).toEqual(['PENDING', 'RUNNING', 'SUCCEEDED'])
    expect(seen.get('RUNNING')!.output).toEqual({
      task_id: id,
      task_status: 'RUNNING',
      submit_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/),
      scheduled_time: expect.any(String),
      task_metrics: { TOTAL: 1, SUCCEEDED: 0, FAILED: 0 },
    })
    const record = cloud.tasks[0]!
    expect(Date.parse(`${seen.get('RUNNING')!.output.submit_time!.replace(' ', 'T')}+08:00`)).toBe(
      record.submittedAt,
    )
    expect(record.startedAt! - record.submittedAt).toBeGreaterThanOrEqual(990)
    expect(record.endedAt! - record.startedAt!).toBeGreaterThanOrEqual(1400)
    expect(record.polls.length).toBeGreaterThan(2)
  })

  it('an unknown task is reported as UNKNOWN', async () => {
    const cloud = await start()
    expect((await state(cloud, '1111')).output).toEqual({ task_id: '1111', task_status: 'UNKNOWN' })
  })

  it('tasks may be polled twenty times a second', async () => {
    const cloud = await start()
    const answers = await Promise.all(Array.from({ length: 60 }, () => askTasks(cloud, '/1111')))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(20)
    expect(await refusal(refused[0]!)).toEqual(dashscopeErrors.rateQuota)
  })

  it('a pending task can be cancelled, a running one cannot', async () => {
    const cloud = await start()
    cloud.taskFault({ kind: 'endless', state: 'PENDING', times: 1 })
    cloud.taskFault({ kind: 'endless' })
    const waiting = await startTask(cloud, taskRequest(WORDS, note))
    const running = await startTask(cloud, taskRequest(WORDS, note))
    while ((await state(cloud, running)).output.task_status === 'PENDING') await new Promise(setImmediate)
    const cancelled = await askTasks(cloud, `/${waiting}/cancel`, { method: 'POST' })
    expect(await cancelled.json()).toEqual({ request_id: expect.any(String) })
    expect((await state(cloud, waiting)).output.task_status).toBe('CANCELED')
    for (const id of [waiting, running, '1111']) {
      const response = await askTasks(cloud, `/${id}/cancel`, { method: 'POST' })
      expect(await refusal(response)).toEqual(dashscopeErrors.cannotCancel)
    }
    expect((await state(cloud, running)).output.task_status).toBe('RUNNING')
  })

  it('tasks are listed by time, model, state and page', async () => {
    const cloud = await start()
    cloud.taskFault({ kind: 'endless' })
    const ids = []
    for (const model of [WORDS, SPEAKERS, WORDS]) ids.push(await startTask(cloud, taskRequest(model, note)))
    const time = (milliseconds: number) =>
      new Date(milliseconds + 8 * 3600_000).toISOString().replace(/\D/g, '').slice(0, 14)
    const list = async (query: Record<string, string>) =>
      (await (await askTasks(cloud, `/?${new URLSearchParams(query)}`)).json()) as {
        total: number
        total_page: number
        data: { task_id: string; model_name: string; status: string; gmt_create: number }[]
      }
    const span = { start_time: time(Date.now() - 60_000), end_time: time(Date.now()) }
    const all = await list(span)
    expect(all.data.map(({ task_id }) => task_id)).toEqual(ids.toReversed())
    expect(all.data[2]).toMatchObject({ model_name: WORDS, gmt_create: cloud.tasks[0]!.submittedAt })
    expect((await list({ ...span, model_name: SPEAKERS })).data.map(({ task_id }) => task_id)).toEqual([
      ids[1],
    ])
    expect(await list({ ...span, status: 'SUCCEEDED' })).toMatchObject({ total: 0, data: [] })
    const second = await list({ ...span, page_size: '2', page_no: '2' })
    expect(second).toMatchObject({ total: 3, total_page: 2, data: [{ task_id: ids[0] }] })
    const before = { start_time: time(Date.now() - 7200_000), end_time: time(Date.now() - 3600_000) }
    expect((await list(before)).total).toBe(0)
    expect((await askTasks(cloud, '/?start_time=yesterday')).status).toBe(400)
  })
})
