// The stand-in speaks the wire contract of DashScope's tasks: submit, poll, cancel, list, result files, uploads.
import { readFileSync } from 'node:fs'
import OSS from 'ali-oss'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import {
  askTasks,
  encode,
  type FileServer,
  fixture,
  join,
  resultAddress,
  runTask,
  SPEAKERS,
  serveFiles,
  startTask,
  submit,
  type TaskAnswer,
  type TaskResult,
  taskEnd,
  taskOrder,
  truthOf,
  WORDS,
} from '../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let files: FileServer
let note: string
let chinese: string
const open: DashscopeEmulator[] = []

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = files.add(readFileSync(fixture('voice-note.ogg')))
  chinese = files.add(readFileSync(fixture('chinese.flac')))
})
afterEach(() => Promise.all(open.splice(0).map(cloud => cloud.close())))
afterAll(() => files.close())

async function start(options: Partial<DashscopeOptions> = {}): Promise<DashscopeEmulator> {
  const cloud = await startDashscope({ ffmpeg, ...options })
  open.push(cloud)
  return cloud
}

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string }
  return { status: response.status, code, message }
}

async function state(cloud: DashscopeEmulator, id: string): Promise<TaskAnswer> {
  return (await (await askTasks(cloud, `/${id}`)).json()) as TaskAnswer
}

async function failureOf(cloud: DashscopeEmulator, url: string, model = WORDS): Promise<string | undefined> {
  const { output } = await taskEnd(cloud, await startTask(cloud, taskOrder(model, url)))
  expect(output.task_status).toBe('FAILED')
  return output.code
}

describe('a submit', () => {
  it('is answered with the id of a task that waits', async () => {
    const cloud = await start()
    const answer = await (await submit(cloud, taskOrder(SPEAKERS, note, { speaker_count: 2 }))).json()
    const id = cloud.tasks[0]!.id
    expect(answer).toEqual({
      output: { task_status: 'PENDING', task_id: id },
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(cloud.tasks).toEqual([
      expect.objectContaining({ id, model: SPEAKERS, url: note, parameters: { speaker_count: 2 } }),
    ])
  })

  it('has to say that it is asynchronous', async () => {
    const cloud = await start()
    const response = await submit(cloud, taskOrder(WORDS, note), { 'x-dashscope-async': '' })
    expect(await refusal(response)).toEqual(dashscopeErrors.noSynchronousCalls)
    expect(cloud.tasks).toEqual([])
    expect(cloud.taskCalls).toEqual([expect.objectContaining({ kind: 'submit', status: 403 })])
  })

  const invalid = { status: 400, code: 'InvalidParameter' }
  const cases: [string, object, object][] = [
    ['of an unknown model', taskOrder('paraformer-v2', ''), dashscopeErrors.modelNotExist],
    [
      'of one file where a list is taken',
      { model: SPEAKERS, input: { file_url: 'http://a/b' }, parameters: {} },
      { ...invalid, message: 'input must contain file_urls' },
    ],
    [
      'of one file to the model that does both',
      { model: 'qwen-audio-3.1-asr-flash-filetrans', input: { file_url: 'http://a/b' }, parameters: {} },
      { ...invalid, message: 'input must contain file_urls' },
    ],
    ['of a list where one file is taken', { model: WORDS, input: { file_urls: ['http://a/b'] } }, invalid],
    ['of two files', { model: SPEAKERS, input: { file_urls: ['http://a/b', 'http://a/c'] } }, invalid],
    ['for one speaker', taskOrder(SPEAKERS, 'http://a/b', { speaker_count: 1 }), invalid],
    ['for too many speakers', taskOrder('fun-asr', 'http://a/b', { speaker_count: 101 }), invalid],
    ['in a language it does not know', taskOrder(WORDS, 'http://a/b', { language: 'nl' }), invalid],
    [
      'of an upload without the header for it',
      taskOrder(WORDS, 'oss://a/b'),
      { code: 'InvalidParameter.DataInspection' },
    ],
  ]
  it.each(cases)('is refused: %s', async (_, body, error) => {
    const cloud = await start()
    expect(await refusal(await submit(cloud, body))).toMatchObject(error)
    expect(cloud.tasks).toEqual([])
  })

  it.each([
    ['no parameters', undefined],
    ['a misspelt parameter', { enable_wrods: true }],
  ])('with %s makes a task that fails', async (_, parameters) => {
    const cloud = await start()
    const { output } = await taskEnd(cloud, await startTask(cloud, { ...taskOrder(WORDS, note), parameters }))
    expect(output).toMatchObject({
      task_status: 'FAILED',
      message: 'Invalid backend response received (missing status name)',
    })
  })

  it('may have parameters of the other family, which are ignored', async () => {
    const cloud = await start()
    const result = await runTask(cloud, taskOrder(SPEAKERS, note, { language: 'xx', enable_words: true }))
    expect(result.transcripts[0]!.sentences.length).toBeGreaterThan(0)
  })
})

describe('a task', () => {
  it('is PENDING, then RUNNING, then SUCCEEDED, after the time it takes', async () => {
    const cloud = await start({ taskLatency: { base: 1, perSecond: 0.2 } })
    await cloud.warmUp()
    const id = await startTask(cloud, taskOrder(SPEAKERS, note))
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

  it('that nobody knows is UNKNOWN', async () => {
    const cloud = await start()
    expect((await state(cloud, '1111')).output).toEqual({ task_id: '1111', task_status: 'UNKNOWN' })
  })

  it('may be asked for twenty times a second', async () => {
    const cloud = await start()
    const answers = await Promise.all(Array.from({ length: 60 }, () => askTasks(cloud, '/1111')))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(20)
    expect(await refusal(refused[0]!)).toEqual(dashscopeErrors.rateQuota)
  })

  it('can be cancelled while it waits, and no longer when it runs', async () => {
    const cloud = await start()
    cloud.taskFault({ kind: 'endless', state: 'PENDING', times: 1 })
    cloud.taskFault({ kind: 'endless' })
    const waiting = await startTask(cloud, taskOrder(WORDS, note))
    const running = await startTask(cloud, taskOrder(WORDS, note))
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

  it('is found in the list, by time, model, state and page', async () => {
    const cloud = await start()
    cloud.taskFault({ kind: 'endless' })
    const ids = []
    for (const model of [WORDS, SPEAKERS, WORDS]) ids.push(await startTask(cloud, taskOrder(model, note)))
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

describe('the file of a task', () => {
  it('is fetched by the stand-in, which says why it cannot be', async () => {
    const cloud = await start({ maxFileBytes: 1_000_000 })
    expect(await failureOf(cloud, files.add(403))).toBe('FILE_403_FORBIDDEN')
    expect(await failureOf(cloud, files.add(404), SPEAKERS)).toBe('FILE_404_NOT_FOUND')
    expect(await failureOf(cloud, files.add(500))).toBe('FILE_SERVER_ERROR')
    expect(await failureOf(cloud, files.add(302))).toBe('FILE_DOWNLOAD_FAILED')
    expect(await failureOf(cloud, 'http://127.0.0.1:1/a.mp3')).toBe('FILE_DOWNLOAD_FAILED')
    expect(await failureOf(cloud, '/tmp/a.mp3')).toBe('REQUEST_INVALID_FILE_URL_VALUE')
    expect(await failureOf(cloud, files.add(Buffer.from('no audio at all')))).toBe('DECODE_ERROR')
    expect(await failureOf(cloud, files.add(Buffer.alloc(1_000_001)))).toBe('FILE_TOO_LARGE')
  })

  it('may not be longer than twelve hours', async () => {
    const cloud = await start({ maxFileSeconds: 6 })
    expect(await failureOf(cloud, note)).toBe('AUDIO_DURATION_TOO_LONG')
    const raw = files.add(encode(ffmpeg, join(8)))
    expect(await failureOf(cloud, raw, SPEAKERS)).toBe('AUDIO_DURATION_TOO_LONG')
  })

  it('that fails is the failure of the task, in both places; or a failed part of a success', async () => {
    const cloud = await start()
    const url = files.add(404)
    const item = {
      file_url: url,
      code: 'FILE_404_NOT_FOUND',
      message: 'FILE_404_NOT_FOUND',
      subtask_status: 'FAILED',
    }
    const task_metrics = { TOTAL: 1, SUCCEEDED: 0, FAILED: 1 }
    const end = async () => (await taskEnd(cloud, await startTask(cloud, taskOrder(SPEAKERS, url)))).output
    const { code, message } = item
    expect(await end()).toMatchObject({ task_status: 'FAILED', code, message, results: [item], task_metrics })
    cloud.set({ failInSubtask: true })
    const { code: outer, ...inside } = await end()
    expect(outer).toBeUndefined()
    expect(inside).toMatchObject({ task_status: 'SUCCEEDED', results: [item], task_metrics })
  })

  it('in which nobody speaks has a code of its own', async () => {
    const cloud = await start()
    const url = files.add(encode(ffmpeg, join(3)))
    expect(await failureOf(cloud, url)).toBe('SUCCESS_WITH_NO_VALID_FRAGMENT')
    const { output } = await taskEnd(cloud, await startTask(cloud, taskOrder(SPEAKERS, url)))
    expect(output.results).toEqual([expect.objectContaining({ code: 'SUCCESS_WITH_NO_VALID_FRAGMENT' })])
  })

  it('may lie in a bucket, behind an address that is signed and has not ended', async () => {
    const cloud = await start({ oss: true })
    const { endpoint, region, bucket, accessKeyId, accessKeySecret } = cloud.oss!
    const client = new OSS({
      endpoint,
      bucket,
      accessKeyId,
      accessKeySecret,
      region: `oss-${region}`,
      sldEnable: true,
      authorizationV4: true,
    } as OSS.Options)
    await client.put('jobs/note.ogg', readFileSync(fixture('voice-note.ogg')))
    const signed = await (
      client as unknown as { signatureUrlV4(...of: unknown[]): Promise<string> }
    ).signatureUrlV4('GET', 60, {}, 'jobs/note.ogg')
    expect((await runTask(cloud, taskOrder(WORDS, signed))).file_url).toBe(signed)
    expect(await failureOf(cloud, `${endpoint}/${bucket}/jobs/note.ogg`)).toBe('FILE_403_FORBIDDEN')
    cloud.oss!.set({ skewSeconds: 120 })
    expect(await failureOf(cloud, signed)).toBe('FILE_403_FORBIDDEN')
  })

  it('may lie in the temporary store, for the one model of its policy', async () => {
    const cloud = await start({ oss: true })
    const headers = { authorization: `Bearer ${cloud.apiKey}` }
    const policyOf = (query: string) => fetch(`${cloud.url}/uploads?${query}`, { headers })
    const { data, request_id } = (await (await policyOf(`action=getPolicy&model=${WORDS}`)).json()) as {
      data: Record<string, string>
      request_id: string
    }
    expect(data.upload_dir!.endsWith(request_id)).toBe(true)
    const key = `${data.upload_dir}/note.ogg`
    const form = new FormData()
    const fields = {
      OSSAccessKeyId: data.oss_access_key_id!,
      policy: data.policy!,
      Signature: data.signature!,
      key,
      'x-oss-object-acl': 'private',
      'x-oss-forbid-overwrite': 'true',
      success_action_status: '200',
    }
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new Blob([readFileSync(fixture('voice-note.ogg'))]))
    expect((await fetch(data.upload_host!, { method: 'POST', body: form })).status).toBe(200)

    const resolve = { 'x-dashscope-ossresourceresolve': 'enable' }
    const end = async (model: string, url: string) =>
      (await taskEnd(cloud, await startTask(cloud, taskOrder(model, url), resolve))).output
    expect(await end(WORDS, `oss://${key}`)).toMatchObject({ task_status: 'SUCCEEDED' })
    expect(await end(SPEAKERS, `oss://${key}`)).toMatchObject({ code: 'FILE_403_FORBIDDEN' })
    expect(await end(WORDS, 'oss://dashscope-instant/none')).toMatchObject({ code: 'FILE_404_NOT_FOUND' })
    expect(await refusal(await policyOf('action=getPolicy&model=none'))).toEqual(
      dashscopeErrors.modelNotExist,
    )
    expect((await policyOf(`model=${WORDS}`)).status).toBe(400)
  })
})

describe('a result file', () => {
  it('lies elsewhere, is signed, and wants no key', async () => {
    const cloud = await start()
    const answer = await taskEnd(cloud, await startTask(cloud, taskOrder(WORDS, note)))
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

  it('of the model of words has sentences from 0, and words only where they are asked for', async () => {
    const cloud = await start()
    const answer = await taskEnd(
      cloud,
      await startTask(cloud, taskOrder(WORDS, note, { enable_words: true })),
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
    const plain = await runTask(cloud, taskOrder(WORDS, note))
    for (const sentence of plain.transcripts[0]!.sentences) expect(sentence).not.toHaveProperty('words')
    expect(plain.transcripts[0]!.text).toBe(result.transcripts[0]!.text)
  })

  it('of the model of speakers has sentences from 1, and speakers only where they are asked for', async () => {
    const cloud = await start({ recognitionErrors: { garbled: 0 } })
    const order = taskOrder(SPEAKERS, note, { diarization_enabled: true })
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
    const plain = await runTask(cloud, taskOrder(SPEAKERS, note))
    expect(plain.transcripts[0]!.sentences[0]).not.toHaveProperty('speaker_id')
  })

  it('of the model that does both has clear words with speakers', async () => {
    const cloud = await start()
    const order = taskOrder('qwen-audio-3.1-asr-flash-filetrans', note, { diarization_enabled: true })
    const result = await runTask(cloud, order)
    const { words, joiner } = truthOf('voice-note.ogg')
    expect(result.transcripts[0]!.text).toBe(words.map(({ text }) => text).join(joiner))
    expect(result.transcripts[0]!.sentences[0]).toMatchObject({ sentence_id: 1, speaker_id: 0 })
    expect(result.transcripts[0]!.sentences[0]!.words!.length).toBeGreaterThan(0)
  })

  it('in Chinese has a word for each sign, and no blanks', async () => {
    const cloud = await start()
    const result = await runTask(cloud, taskOrder(WORDS, chinese, { enable_words: true }))
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
