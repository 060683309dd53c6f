// A provider that is silent, drips or asks to wait, at every place where a recording or a text waits for it.
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import { openAiAsr } from '../../../src/drivers/asr/openai/openai-asr.ts'
import { dashscope } from '../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../src/drivers/http/http.ts'
import { retryAfter } from '../../../src/drivers/http/retry-after.ts'
import { geminiText } from '../../../src/drivers/llm/gemini/text.ts'
import { qwenText } from '../../../src/drivers/llm/qwen/text.ts'
import { temporaryStorage } from '../../../src/drivers/object-storage/dashscope-temporary/temporary.ts'
import { log } from '../../../src/log.ts'
import { failure } from '../../support/failure.ts'
import { apiKey, chunk, never, recogniserOf } from '../../support/servers/dashscope-client.ts'
import { fileRecogniserOf, url } from '../../support/servers/file-recogniser.ts'
import {
  listTask,
  type Responder,
  reply,
  startTaskServer,
  type TaskServer,
} from '../../support/servers/task-server.ts'

/** Too short for any answer, and long enough for a request on a busy machine. */
const short = { totalSeconds: 0.15 }

let server: TaskServer
let http: HttpClient
let deadline: Partial<typeof short>
beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  deadline = {}
  http = createHttpClient({ connections: 8 })
  vi.spyOn(log, 'info').mockImplementation(() => {})
})
afterEach(async () => {
  await http.close()
  vi.restoreAllMocks()
})
afterAll(() => server.close())

const find = (name: string) => knownModels.find(name, 'text')
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }
const cloud = () => dashscope({ apiKey, baseUrl: server.baseUrl, http })
const task = () => fileRecogniserOf({ http, baseUrl: server.baseUrl })
const policy = () =>
  reply(200, {
    data: {
      ...{ policy: 'p', signature: 's', upload_dir: 'd', upload_host: server.origin },
      ...{ oss_access_key_id: 'k', x_oss_object_acl: 'private', x_oss_forbid_overwrite: 'true' },
    },
  })

async function upload(): Promise<unknown> {
  const storage = temporaryStorage({ cloud: cloud(), firstDelaySeconds: 0.001, deadline })
  const of = { owner: 'ann', job: 'tr_1', models: ['fun-asr-mtl'], scratch: async () => tmpdir() }
  async function* audio() {
    yield Buffer.from('audio')
  }
  return storage.upload(audio(), of, never).finally(storage.close)
}

/** The path of the request that goes wrong; others are answered as `good` says. */
const places: [
  name: string,
  code: string,
  work: () => Promise<unknown>,
  path: RegExp,
  good?: () => Responder,
][] = [
  [
    'a chunk at Model Studio',
    'PROVIDER_TIMEOUT',
    () => recogniserOf(http, { baseUrl: server.baseUrl }).recognise(chunk, never),
    /generation$/,
  ],
  [
    'a chunk at an engine',
    'PROVIDER_TIMEOUT',
    () =>
      openAiAsr(
        { baseUrl: server.baseUrl, http },
        { model: knownModels.find('openai:whisper', 'chunk'), concurrency: 1 },
      ).recognise(chunk, never),
    /transcriptions$/,
  ],
  ['the submit of a task', 'SUBMIT_UNCLEAR', () => task().submit({ url }, never), /transcription$/],
  ['the status of a task', 'PROVIDER_TIMEOUT', () => task().status('t', never), /tasks\/t$/],
  ['the list of tasks', 'PROVIDER_TIMEOUT', () => task().listTasks(0, 1, never), /tasks\/\?/],
  ['the end of a task', 'PROVIDER_TIMEOUT', () => task().cancel('t', never), /cancel$/],
  [
    'the result of a task',
    'PROVIDER_TIMEOUT',
    () => task().status('t', never),
    /result/,
    () => reply(200, listTask(`${server.origin}/result.json`)),
  ],
  ['the permission for an upload', 'UPLOAD_FAILED', upload, /uploads/],
  ['an upload', 'UPLOAD_FAILED', upload, /^\/$/, policy],
  [
    'a text of Qwen',
    'PROVIDER_TIMEOUT',
    () =>
      qwenText(cloud(), { model: find('qwen-flash'), concurrency: 1 }).generate(request, { signal: never }),
    /generation$/,
  ],
  [
    'a text of Gemini',
    'PROVIDER_TIMEOUT',
    () =>
      geminiText({
        ...{ model: find('gemini-2.5-flash'), find, apiKey, baseUrl: server.baseUrl, http, concurrency: 1 },
      }).generate(request, { signal: never }),
    /streamGenerate/,
  ],
]

function misbehave(path: RegExp, bad: Responder, good: Responder = reply(404, {})): void {
  server.respondWith((received, ...rest) => (path.test(received.path) ? bad : good)(received, ...rest))
}

const drip: Responder = (_, response) => {
  response.on('error', () => {})
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 10)
  response.on('close', () => clearInterval(timer))
}

describe.each(places)('%s', (_, code, work, path, good) => {
  it.each<[string, Responder]>([
    ['says nothing', () => {}],
    ['drips', drip],
  ])('ends with an error when the provider %s', async (_, bad) => {
    deadline = short
    await http.close()
    http = createHttpClient({ connections: 8, deadline })
    misbehave(path, bad, good?.())
    expect(await failure(work())).toMatchObject({ code })
  })

  it('knows for how long the provider asks to wait', async () => {
    const busy: Responder = (_, response) => {
      response.writeHead(429, { 'retry-after': '0.03' }).end('{"code":"Throttling.RateQuota","message":"m"}')
    }
    misbehave(path, busy, good?.())
    const error = await failure(work())
    // Uploads are repeated by themselves, and their error has that of the last attempt as its cause.
    expect(retryAfter(error) ?? retryAfter(error.cause)).toBe(0.03)
  })
})
