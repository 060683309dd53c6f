// The DashScope emulator: its models, those that are gone, and the account's bill.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  type GoneForm,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import {
  asrRequest,
  encode,
  type FileServer,
  fixture,
  post,
  SPEAKERS,
  samplesOf,
  serveFiles,
  startTask,
  submit,
  taskEnd,
  taskRequest,
  truthOf,
  WORDS,
} from '../../support/emulators/dashscope-client.ts'
import { askGemini, askQwen } from '../../support/emulators/text-client.ts'

const onePass = 'qwen-audio-3.1-asr-flash-filetrans'
let ffmpeg: string
let files: FileServer
let note: Buffer
let noteUrl: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = encode(ffmpeg, samplesOf(ffmpeg, 'voice-note.ogg'))
  noteUrl = files.add(readFileSync(fixture('voice-note.ogg')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

const end = async (cloud: DashscopeEmulator, model: string) =>
  taskEnd(cloud, await startTask(cloud, taskRequest(model, noteUrl)))

describe('models that are gone', () => {
  const nested = (code: string) => ({
    error: { code, type: 'invalid_request_error', message: expect.any(String) },
  })
  const flat = (code: string, message: string) => ({ code, message, request_id: expect.any(String) })
  const cases: [GoneForm, number, object][] = [
    ['notExist400', 400, flat('InvalidParameter', 'Model not exist.')],
    ['topLevel404', 404, flat('ModelNotFound', 'Model can not be found.')],
    ['nested404', 404, nested('model_not_found')],
    ['nested400', 400, nested('model_not_found')],
  ]
  it.each(cases)(
    'a model that is gone is refused on every route in the form %s',
    async (goneForm, status, body) => {
      const cloud = await start({ goneModels: ['qwen3-asr-flash', SPEAKERS, 'qwen-flash'], goneForm })
      const refused = [
        await post(cloud, asrRequest(note)),
        await submit(cloud, taskRequest(SPEAKERS, noteUrl)),
        await askQwen(cloud, 'hi'),
      ]
      for (const response of refused) expect([response.status, await response.json()]).toEqual([status, body])
      expect((await submit(cloud, taskRequest('fun-asr', noteUrl))).status).toBe(200)
      expect(cloud.requestCounts()).toEqual({
        'qwen3-asr-flash': 1,
        [SPEAKERS]: 1,
        'qwen-flash': 1,
        'fun-asr': 1,
      })
    },
  )

  it('models can go and come back while the emulator runs', async () => {
    const cloud = await start()
    expect((await askQwen(cloud, 'hi', { model: 'qwen-turbo' })).status).toBe(400)
    cloud.set({ goneModels: ['qwen-flash'] })
    expect((await askQwen(cloud, 'hi')).status).toBe(400)
    expect((await askQwen(cloud, 'hi', { model: 'qwen-turbo' })).status).toBe(200)
  })

  it('a task fails if its model goes while it runs, and costs nothing', async () => {
    const cloud = await start({ goneForm: 'nested404' })
    cloud.set({ taskLatency: { base: 0.3, perSecond: 0 } })
    const id = await startTask(cloud, taskRequest(SPEAKERS, noteUrl))
    cloud.set({ goneModels: [SPEAKERS] })
    expect((await taskEnd(cloud, id)).output).toMatchObject({
      task_status: 'FAILED',
      code: 'model_not_found',
    })
    expect(cloud.bill().entries).toEqual([])
  })

  it('Gemini says that a model is not available to new users, or that it does not know it', async () => {
    const cloud = await start({ goneModels: ['gemini-2.5-flash'] })
    const gone = async () => {
      const response = await askGemini(cloud, 'hi', { model: 'gemini-2.5-flash' })
      return [response.status, await response.json()]
    }
    const refusal = (message: unknown) => [404, { error: { code: 404, status: 'NOT_FOUND', message } }]
    expect(await gone()).toEqual(
      refusal(
        expect.stringMatching(/^This model models\/gemini-2\.5-flash is no longer available to new users\./),
      ),
    )
    cloud.set({ geminiGoneForm: 'notFound' })
    expect(await gone()).toEqual(refusal(expect.stringMatching(/^models\/gemini-2\.5-flash is not found/)))
  })
})

describe('the bill', () => {
  it('states seconds and dollars of recognition, and nothing of refused requests', async () => {
    const cloud = await start()
    await post(cloud, asrRequest(note))
    await post(cloud, { ...asrRequest(note), model: 'paraformer-v2' })
    cloud.fault({ kind: 'error', ...dashscopeErrors.internalError })
    await post(cloud, asrRequest(note))
    const entry = { kind: 'chunk', model: 'qwen3-asr-flash', seconds: 8, inputTokens: 0, outputTokens: 0 }
    expect(cloud.bill().entries).toEqual([{ ...entry, at: expect.any(Number), dollars: 8 * 0.000035 }])
    expect(cloud.requestCounts()).toEqual({ 'qwen3-asr-flash': 2, 'paraformer-v2': 1 })
  })

  it('states seconds of file tasks, or tokens of a model that is priced by them', async () => {
    const cloud = await start({ recognitionErrors: { garbled: 0 } })
    for (const model of [WORDS, 'fun-asr', onePass]) await end(cloud, model)
    const [words, speakers, tokens] = cloud.bill().entries
    const spoken = cloud.tasks[1]!.billed!
    expect(words).toMatchObject({ task: cloud.tasks[0]!.id, model: WORDS, seconds: 8, dollars: 8 * 0.000035 })
    expect(speakers).toMatchObject({ model: 'fun-asr', seconds: spoken, dollars: spoken * 0.000035 })
    const use = { inputTokens: 7 * 25, outputTokens: 4 * truthOf('voice-note.ogg').words.length }
    const dollars = (use.inputTokens * 0.15 + use.outputTokens * 0.47) / 1e6
    expect(tokens).toMatchObject({ model: onePass, seconds: 7, ...use, dollars })
    expect(cloud.bill()).toMatchObject({
      seconds: 15 + spoken,
      inputTokens: use.inputTokens,
      dollars: expect.closeTo((8 + spoken) * 0.000035 + dollars, 10),
      byModel: { [onePass]: dollars },
    })
  })

  it('a model that is priced by tokens states them in its usage', async () => {
    const { usage } = await end(await start(), onePass)
    expect(usage).toEqual({
      input_tokens: 175,
      output_tokens: expect.any(Number),
      total_tokens: expect.any(Number),
      duration: 7,
    })
  })

  it('a task that fails costs nothing', async () => {
    const cloud = await start()
    cloud.taskFault({ kind: 'failed', code: 'DECODE_ERROR' })
    await end(cloud, WORDS)
    expect(cloud.bill()).toMatchObject({ entries: [], dollars: 0 })
  })

  it('states the tokens of text models as their usage does', async () => {
    const cloud = await start()
    const { usage } = (await (await askQwen(cloud, 'good morning to you all')).json()) as {
      usage: { input_tokens: number; output_tokens: number }
    }
    await askGemini(cloud, 'good morning', { model: 'gemini-2.5-flash', stream: true }).then(r => r.text())
    await askQwen(cloud, 'hi', { model: 'qwen-turbo' })
    const [qwen, gemini] = cloud.bill().entries
    const { input_tokens: inputTokens, output_tokens: outputTokens } = usage
    const dollars = (inputTokens * 0.05 + outputTokens * 0.4) / 1e6
    expect(qwen).toMatchObject({ kind: 'text', model: 'qwen-flash', inputTokens, outputTokens, dollars })
    expect(gemini!.dollars).toBeCloseTo((gemini!.inputTokens * 0.3 + gemini!.outputTokens * 2.5) / 1e6, 12)
    expect(cloud.bill().entries).toHaveLength(2)
  })

  it('counts the files that its stores receive', async () => {
    const cloud = await start({ oss: true })
    expect(cloud.uploads()).toEqual({ files: 0, bytes: 0 })
    const headers = { authorization: `Bearer ${cloud.apiKey}` }
    const policy = await fetch(`${cloud.url}/uploads?action=getPolicy&model=${WORDS}`, { headers })
    const { data } = (await policy.json()) as { data: Record<string, string> }
    const form = new FormData()
    const fields = {
      OSSAccessKeyId: data.oss_access_key_id!,
      policy: data.policy!,
      Signature: data.signature!,
      key: `${data.upload_dir}/note.mp3`,
      'x-oss-object-acl': 'private',
      'x-oss-forbid-overwrite': 'true',
    }
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new Blob([new Uint8Array(note)]))
    await fetch(data.upload_host!, { method: 'POST', body: form })
    const { files: count, bytes } = cloud.uploads()
    expect(count).toBe(1)
    expect(bytes).toBeGreaterThan(note.length)
  })
})
