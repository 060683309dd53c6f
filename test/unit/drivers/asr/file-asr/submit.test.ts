// Submits of file recognition: the request, and the errors of submits that are refused, lost or never sent.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import type { FileRequest } from '../../../../../src/domain/ports.ts'
import { fileAsr } from '../../../../../src/drivers/asr/file-asr/file-asr.ts'
import { withRetries } from '../../../../../src/drivers/asr/file-asr/recognisers.ts'
import type { FileRole } from '../../../../../src/drivers/asr/file-asr/requests.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { log } from '../../../../../src/log.ts'
import { apiKey, never } from '../../../../support/servers/dashscope-client.ts'
import {
  fileRecogniserOf,
  type RecogniserOptions,
  safeFailure,
  submitted,
  url,
} from '../../../../support/servers/file-recogniser.ts'
import {
  dropConnection,
  reply,
  startTaskServer,
  type TaskServer,
} from '../../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 8 })
})
afterEach(async () => {
  await http.close()
  vi.restoreAllMocks()
})
afterAll(() => server.close())

const recogniser = (options: Partial<RecogniserOptions> = {}) =>
  fileRecogniserOf({ http, baseUrl: server.baseUrl, ...options })

describe('a submit', () => {
  beforeEach(() => server.respond(200, submitted))

  const list = (parameters: object) => ({ input: { file_urls: [url] }, parameters })
  const single = (parameters: object) => ({
    input: { file_url: url },
    parameters: { channel_id: [0], enable_itn: false, enable_words: true, ...parameters },
  })
  const diarized = { channel_id: [0], diarization_enabled: true }

  it.each<[string, FileRole, Partial<FileRequest>, object]>([
    ['fun-asr-mtl', 'speakers', {}, list(diarized)],
    [
      'fun-asr-mtl',
      'speakers',
      { language: 'ru', speakers: 3 },
      list({ ...diarized, speaker_count: 3, language_hints: ['ru'] }),
    ],
    ['fun-asr', 'speakers', { speakers: 2 }, list({ ...diarized, speaker_count: 2 })],
    ['fun-asr', 'speakers', { speakers: 100 }, list({ ...diarized, speaker_count: 100 })],
    ['fun-asr', 'speakers', { speakers: 1 }, list(diarized)],
    ['fun-asr', 'speakers', { speakers: 101 }, list(diarized)],
    ['fun-asr', 'speakers', { speakers: 2.5 }, list(diarized)],
    ['fun-asr', 'speakers', { language: 'fil' }, list({ ...diarized, language_hints: ['tl'] })],
    ['fun-asr', 'speakers', { language: 'yue' }, list(diarized)],
    ['fun-asr', 'words', { language: 'de', speakers: 3 }, list({ channel_id: [0], language_hints: ['de'] })],
    ['qwen-audio-3.1-asr-flash-filetrans', 'words', { speakers: 4 }, list({ ...diarized, speaker_count: 4 })],
    ['qwen3-asr-flash-filetrans', 'words', {}, single({})],
    ['qwen3-asr-flash-filetrans', 'words', { language: 'fil', speakers: 3 }, single({ language: 'fil' })],
    ['qwen3-asr-flash-filetrans', 'words', { language: 'nl' }, single({})],
    ['fun-asr-mtl-2025-08-25', 'speakers', {}, list(diarized)],
    ['qwen3-asr-flash-filetrans-2025-11-17', 'speakers', {}, single({})],
    ['who-knows', 'speakers', { speakers: 5 }, list({ ...diarized, speaker_count: 5 })],
    ['who-knows', 'words', { language: 'ja' }, single({ language: 'ja' })],
  ])(
    'a submit to %s for %s with %j sends what the reference asks for',
    async (model, role, options, expected) => {
      expect(await recogniser({ model, role }).submit({ url, ...options }, never)).toBe('c2e5d63b')
      const { method, path, headers, body } = server.requests[0]!
      expect(`${method} ${path}`).toBe('POST /api/v1/services/audio/asr/transcription')
      expect(headers).toMatchObject({
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'x-dashscope-async': 'enable',
      })
      expect(headers).not.toHaveProperty('x-dashscope-ossresourceresolve')
      expect(JSON.parse(body)).toEqual({ model, ...expected })
    },
  )

  it('a submit of an address in the provider’s own store asks for its resolution', async () => {
    await recogniser().submit({ url: 'oss://dashscope-instant/a/b.mp3' }, never)
    expect(server.requests[0]!.headers).toMatchObject({
      'x-dashscope-async': 'enable',
      'x-dashscope-ossresourceresolve': 'enable',
    })
  })

  it('nothing is submitted without a key', async () => {
    const error = await safeFailure(recogniser({ model: 'fun-asr', key: undefined }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account' })
    expect(server.requests).toEqual([])
  })
})

describe('a submit that is refused', () => {
  it.each<[number, string, ErrorCode, boolean, 'account' | 'model' | 'request']>([
    [400, 'InvalidParameter', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidParameter.DataInspection', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'InvalidURL.ConnectionRefused', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'InvalidFile.DownloadFailed', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'BadRequest.TooLarge', 'TOO_LARGE', false, 'request'],
    [400, 'BadRequest.UnsupportedFileFormat', 'NOT_AUDIO', false, 'request'],
    [400, 'DataInspectionFailed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'Arrearage', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [401, 'InvalidApiKey', 'KEY_REFUSED', false, 'account'],
    [403, 'AccessDenied', 'ACCESS_DENIED', false, 'model'],
    [404, 'ModelNotFound', 'MODEL_NOT_FOUND', false, 'model'],
    [429, 'Throttling.RateQuota', 'THROTTLED', true, 'request'],
    [500, 'InternalError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelUnavailable', 'PROVIDER_FAILED', true, 'request'],
  ])(
    'a submit refused with status %i and code %s fails with %s',
    async (status, providerCode, code, retryable, scope) => {
      server.respond(status, { code: providerCode, message: `PRIVATE ${url}`, request_id: 'r' })
      const error = await safeFailure(recogniser().submit({ url }, never))
      expect(error).toMatchObject({ code, retryable, scope })
    },
  )

  it.each<[FileRole, string]>([
    ['speakers', 'SPEAKER_MODEL'],
    ['words', 'FILE_MODEL'],
  ])('a submit to a retired model for %s names the setting %s', async (role, setting) => {
    server.respond(400, { code: 'InvalidParameter', message: 'Model not exist.' })
    const error = await safeFailure(recogniser({ model: 'gone', role }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND', scope: 'model' })
    expect(error.hint).toContain(setting)
  })

  it('a submit to a model of another route names the model and the setting', async () => {
    server.respond(400, { code: 'InvalidParameter', message: 'url error, please check url！' })
    const error = await safeFailure(recogniser({ model: 'qwen3-asr-flash' }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'PROVIDER_REFUSED', scope: 'model', retryable: false })
    expect(error.message).toContain('qwen3-asr-flash')
    expect(error.hint).toContain('SPEAKER_MODEL')
  })
})

describe('a submit whose answer is lost', () => {
  it.each<[string, Parameters<TaskServer['respondWith']>[0]]>([
    ['the connection drops', dropConnection],
    [
      'the response breaks off',
      (_, response, request) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('{"output"', () => request.socket.destroy())
      },
    ],
    ['a proxy responds with 502', reply(502, '<html>PRIVATE</html>')],
    ['a proxy responds with 504 and its own JSON', reply(504, { error: 'PRIVATE' })],
    ['the response is half a JSON document', reply(200, '{"output":{"task_')],
    ['the response has no task id', reply(200, { output: { task_status: 'PENDING' } })],
    ['the response is null', reply(200, 'null')],
    ['the provider itself times out', reply(500, { code: 'RequestTimeOut', message: 'x' })],
  ])('a submit is reported as unclear and not retried when %s', async (_, how) => {
    server.respondWith(how)
    const error = await safeFailure(
      withRetries(recogniser(), { firstDelaySeconds: 1e-6 }).submit({ url }, never),
    )
    expect(error).toMatchObject({ code: 'SUBMIT_UNCLEAR', retryable: false, scope: 'request' })
    expect(server.requests).toHaveLength(1)
  })

  it('a submit that times out is reported as unclear', async () => {
    server.respondWith(() => {})
    const impatient = createHttpClient({ connections: 1, deadline: { idleSeconds: 0.1 } })
    const cloud = dashscope({ apiKey, baseUrl: server.baseUrl, http: impatient })
    const call = fileAsr({
      cloud,
      http: impatient,
      model: knownModels.find('fun-asr', 'speakers'),
      role: 'speakers',
    }).submit({ url }, never)
    expect(await safeFailure(call)).toMatchObject({ code: 'SUBMIT_UNCLEAR', retryable: false })
    await impatient.close()
  })

  it('a submit that outlasts the caller’s time limit is reported as unclear', async () => {
    const call = new AbortController()
    server.respondWith(() => call.abort(new DOMException('', 'TimeoutError')))
    expect(await safeFailure(recogniser().submit({ url }, call.signal))).toMatchObject({
      code: 'SUBMIT_UNCLEAR',
      retryable: false,
    })
  })

  it('a cancelled submit rejects with the reason of the signal', async () => {
    const call = new AbortController()
    const reason = cancelled()
    server.respondWith(() => call.abort(reason))
    await expect(recogniser().submit({ url }, call.signal)).rejects.toBe(reason)
  })
})

describe('a submit that never went out', () => {
  it('a submit that never reached the provider is retryable', async () => {
    const error = await safeFailure(
      recogniser({ model: 'fun-asr', baseUrl: 'http://127.0.0.1:1/v1' }).submit({ url }, never),
    )
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('a submit is retried until the provider can be reached', async () => {
    const down = await startTaskServer()
    await down.close()
    let restarted: Promise<TaskServer> | undefined
    vi.spyOn(log, 'info').mockImplementation(() => {
      restarted ??= startTaskServer(Number(new URL(down.origin).port)).then(up => {
        up.respond(200, submitted)
        return up
      })
    })
    const retried = withRetries(recogniser({ model: 'fun-asr', baseUrl: down.baseUrl }))
    expect(await retried.submit({ url }, never)).toBe('c2e5d63b')
    const up = await restarted!
    expect(up.requests).toHaveLength(1)
    await up.close()
  })
})
