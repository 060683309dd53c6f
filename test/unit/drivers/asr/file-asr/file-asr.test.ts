// Tasks that hear whole files: what is submitted, what is asked, what answers and failures mean, and the rates kept.
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, describeError, type ErrorCode, SpeechError } from '../../../../../src/domain/errors.ts'
import type { FileRecogniser, FileRequest } from '../../../../../src/domain/ports.ts'
import { usdPerSecond } from '../../../../../src/domain/prices.ts'
import { fileAsr } from '../../../../../src/drivers/asr/file-asr/file-asr.ts'
import type { FileRole } from '../../../../../src/drivers/asr/file-asr/models.ts'
import { createPacer } from '../../../../../src/drivers/asr/file-asr/pacer.ts'
import { fileRecognisers } from '../../../../../src/drivers/asr/file-asr/recognisers.ts'
import { limitedFile, retryingFile } from '../../../../../src/drivers/asr/wrappers.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { createAdaptiveRateLimiter } from '../../../../../src/drivers/http/rate-limiter.ts'
import { log } from '../../../../../src/log.ts'
import {
  donePart,
  hangUp,
  listResult,
  listTask,
  say,
  singleTask,
  startTaskServer,
  type TaskServer,
  task,
} from '../../../../support/servers/task-server.ts'

const apiKey = 'sk-secret-key'
const signature = 'SIGNATURE'
const url = `https://bucket.oss-eu-central-1.aliyuncs.com/jobs/a.mp3?x-oss-signature=${signature}`
const never = new AbortController().signal
setMaxListeners(0, never)

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 8, maxTextBytes: 5000 })
  vi.spyOn(log, 'info').mockImplementation(() => {})
})
afterEach(async () => {
  await http.close()
  vi.restoreAllMocks()
})
afterAll(() => server.close())

interface Wishes {
  role?: FileRole
  key?: string | undefined
  baseUrl?: string
}

function recogniser(model = 'fun-asr-mtl', { role = 'speakers', ...to }: Wishes = {}): FileRecogniser {
  const key = 'key' in to ? to.key : apiKey
  const cloud = dashscope({ apiKey: key, baseUrl: to.baseUrl ?? server.baseUrl, http })
  return fileAsr({ cloud, http, model, role })
}

/** The error of what must fail; none gives away the key, the address or the provider's words. */
async function failure(work: Promise<unknown>): Promise<SpeechError> {
  const error = await work.then(
    value => new Error(`It did not fail: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  return discreet(error)
}

function discreet(error: unknown): SpeechError {
  expect(error).toBeInstanceOf(SpeechError)
  const { cause } = error as SpeechError
  for (const secret of [apiKey, signature, 'PRIVATE'])
    for (const told of [describeError(error), JSON.stringify(cause ?? ''), String(cause)])
      expect(told).not.toContain(secret)
  return error as SpeechError
}

/** The error with which a task has ended, as asking for it says. */
async function end(of = recogniser()): Promise<SpeechError> {
  const status = await of.status('t', never)
  if (status.state !== 'failed') throw new Error(`It did not fail: ${JSON.stringify(status)}`)
  return discreet(status.error)
}

const submitted = { output: { task_status: 'PENDING', task_id: 'c2e5d63b' }, request_id: '77ae55ae' }

describe('a submit', () => {
  beforeEach(() => server.answers(200, submitted))

  const list = (parameters: object) => ({ input: { file_urls: [url] }, parameters })
  const single = (parameters: object) => ({
    input: { file_url: url },
    parameters: { channel_id: [0], enable_itn: false, enable_words: true, ...parameters },
  })
  const told = { channel_id: [0], diarization_enabled: true }

  it.each<[string, FileRole, Partial<FileRequest>, object]>([
    ['fun-asr-mtl', 'speakers', {}, list(told)],
    [
      'fun-asr-mtl',
      'speakers',
      { language: 'ru', speakers: 3 },
      list({ ...told, speaker_count: 3, language_hints: ['ru'] }),
    ],
    ['fun-asr', 'speakers', { speakers: 2 }, list({ ...told, speaker_count: 2 })],
    ['fun-asr', 'speakers', { speakers: 100 }, list({ ...told, speaker_count: 100 })],
    ['fun-asr', 'speakers', { speakers: 1 }, list(told)],
    ['fun-asr', 'speakers', { speakers: 101 }, list(told)],
    ['fun-asr', 'speakers', { speakers: 2.5 }, list(told)],
    ['fun-asr', 'speakers', { language: 'fil' }, list({ ...told, language_hints: ['tl'] })],
    ['fun-asr', 'speakers', { language: 'yue' }, list(told)],
    ['fun-asr', 'text', { language: 'de', speakers: 3 }, list({ channel_id: [0], language_hints: ['de'] })],
    ['qwen-audio-3.1-asr-flash-filetrans', 'text', { speakers: 4 }, list({ ...told, speaker_count: 4 })],
    ['qwen3-asr-flash-filetrans', 'text', {}, single({})],
    ['qwen3-asr-flash-filetrans', 'text', { language: 'fil', speakers: 3 }, single({ language: 'fil' })],
    ['qwen3-asr-flash-filetrans', 'text', { language: 'nl' }, single({})],
    ['fun-asr-mtl-2025-08-25', 'speakers', {}, list(told)],
    ['qwen3-asr-flash-filetrans-2025-11-17', 'speakers', {}, single({})],
    ['who-knows', 'speakers', { speakers: 5 }, list({ ...told, speaker_count: 5 })],
    ['who-knows', 'text', { language: 'ja' }, single({ language: 'ja' })],
  ])('to %s for %s, with %j, is what the reference asks for', async (model, role, wish, expected) => {
    expect(await recogniser(model, { role }).submit({ url, ...wish }, never)).toBe('c2e5d63b')
    const [{ method, path, headers, body } = fail()] = server.seen
    expect(`${method} ${path}`).toBe('POST /api/v1/services/audio/asr/transcription')
    expect(headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'x-dashscope-async': 'enable',
    })
    expect(headers).not.toHaveProperty('x-dashscope-ossresourceresolve')
    expect(JSON.parse(body)).toEqual({ model, ...expected })
  })

  it('of an address in the provider’s own store asks for it to be resolved', async () => {
    await recogniser().submit({ url: 'oss://dashscope-instant/a/b.mp3' }, never)
    expect(server.seen[0]!.headers).toMatchObject({
      'x-dashscope-async': 'enable',
      'x-dashscope-ossresourceresolve': 'enable',
    })
  })

  it('is not made without a key', async () => {
    const error = await failure(recogniser('fun-asr', { key: undefined }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account' })
    expect(server.seen).toEqual([])
  })
})

describe('a model', () => {
  it.each<[string, FileRole, boolean, boolean]>([
    ['fun-asr-mtl', 'speakers', false, true],
    ['fun-asr', 'speakers', false, true],
    ['fun-asr-2025-11-07', 'speakers', false, true],
    ['fun-asr', 'text', true, false],
    ['qwen3-asr-flash-filetrans', 'text', true, false],
    ['qwen3-asr-flash-filetrans', 'speakers', true, false],
    ['qwen-audio-3.0-asr-flash-filetrans', 'speakers', true, true],
    ['qwen-audio-3.1-asr-flash-filetrans', 'text', true, true],
    ['who-knows', 'speakers', false, true],
    ['who-knows', 'text', true, false],
  ])('%s for %s tells text: %s, speakers: %s', (model, role, text, speakers) => {
    const { capabilities, limits } = recogniser(model, { role })
    expect({ capabilities, limits }).toEqual({
      capabilities: { text, speakers },
      limits: { maxSeconds: 43_200, maxBytes: 2_147_483_648 },
    })
  })

  it.each([
    'fun-asr-mtl',
    'fun-asr',
    'qwen3-asr-flash-filetrans',
    'qwen-audio-3.0-asr-flash-filetrans',
    'qwen-audio-3.1-asr-flash-filetrans',
  ])('%s has a price, and a snapshot of it the same', model => {
    const price = recogniser(model).usdPerSecond
    expect(price).toBeGreaterThan(0)
    expect(recogniser(`${model}-2026-02-10`).usdPerSecond).toBe(price)
    expect(usdPerSecond(`${model}-us`)).toBeUndefined()
  })

  it('that we do not know has no price', () => {
    expect(recogniser('who-knows')).not.toHaveProperty('usdPerSecond')
  })
})

describe('a submit that is refused', () => {
  it.each<[number, string, ErrorCode, boolean, 'account' | 'request']>([
    [400, 'InvalidParameter', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidParameter.DataInspection', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'InvalidURL.ConnectionRefused', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'InvalidFile.DownloadFailed', 'UPLOAD_UNREACHABLE', true, 'request'],
    [400, 'BadRequest.TooLarge', 'TOO_LARGE', false, 'request'],
    [400, 'BadRequest.UnsupportedFileFormat', 'NOT_AUDIO', false, 'request'],
    [400, 'DataInspectionFailed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'Arrearage', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [401, 'InvalidApiKey', 'KEY_REFUSED', false, 'account'],
    [403, 'AccessDenied', 'ACCESS_DENIED', false, 'account'],
    [404, 'ModelNotFound', 'MODEL_NOT_FOUND', false, 'account'],
    [429, 'Throttling.RateQuota', 'THROTTLED', true, 'request'],
    [500, 'InternalError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelUnavailable', 'PROVIDER_FAILED', true, 'request'],
  ])('with %i %s is %s', async (status, code, ours, retryable, scope) => {
    server.answers(status, { code, message: `PRIVATE ${url}`, request_id: 'r' })
    const error = await failure(recogniser().submit({ url }, never))
    expect(error).toMatchObject({ code: ours, retryable, scope })
  })

  it.each<[FileRole, string]>([
    ['speakers', 'SPEAKER_MODEL'],
    ['text', 'FILE_MODEL'],
  ])('for a model of %s that is gone names the setting %s', async (role, setting) => {
    server.answers(400, { code: 'InvalidParameter', message: 'Model not exist.' })
    const error = await failure(recogniser('gone', { role }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND', scope: 'account' })
    expect(error.hint).toContain(setting)
  })
})

describe('a submit whose answer is lost', () => {
  it.each<[string, Parameters<TaskServer['answer']>[0]]>([
    ['the connection is cut', hangUp],
    [
      'the answer breaks off',
      (_, response, request) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('{"output"', () => request.socket.destroy())
      },
    ],
    ['a proxy answers 502', say(502, '<html>PRIVATE</html>')],
    ['a proxy answers 504 in JSON of its own', say(504, { error: 'PRIVATE' })],
    ['it is half a JSON text', say(200, '{"output":{"task_')],
    ['it names no task', say(200, { output: { task_status: 'PENDING' } })],
    ['it is empty', say(200, 'null')],
    ['the provider itself gave up waiting', say(500, { code: 'RequestTimeOut', message: 'x' })],
  ])('because %s is unclear, and is not made again', async (_, how) => {
    server.answer(how)
    const error = await failure(retryingFile(recogniser(), { firstDelay: 1e-6 }).submit({ url }, never))
    expect(error).toMatchObject({ code: 'SUBMIT_UNCLEAR', retryable: false, scope: 'request' })
    expect(server.seen).toHaveLength(1)
  })

  it('because it takes too long is unclear', async () => {
    server.answer(() => {})
    const hasty = createHttpClient({ connections: 1, responseTimeoutSeconds: 0.1 })
    const cloud = dashscope({ apiKey, baseUrl: server.baseUrl, http: hasty })
    const call = fileAsr({ cloud, http: hasty, model: 'fun-asr', role: 'speakers' }).submit({ url }, never)
    expect(await failure(call)).toMatchObject({ code: 'SUBMIT_UNCLEAR', retryable: false })
    await hasty.close()
  })

  it('because the caller’s time is up is unclear', async () => {
    const call = new AbortController()
    server.answer(() => call.abort(new DOMException('', 'TimeoutError')))
    expect(await failure(recogniser().submit({ url }, call.signal))).toMatchObject({
      code: 'SUBMIT_UNCLEAR',
      retryable: false,
    })
  })

  it('because it was called off says so', async () => {
    const call = new AbortController()
    const reason = cancelled()
    server.answer(() => call.abort(reason))
    await expect(recogniser().submit({ url }, call.signal)).rejects.toBe(reason)
  })
})

describe('a submit that never went out', () => {
  it('can be made again', async () => {
    const error = await failure(
      recogniser('fun-asr', { baseUrl: 'http://127.0.0.1:1/v1' }).submit({ url }, never),
    )
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('is made again until the provider is there', async () => {
    const late = await startTaskServer()
    await late.close()
    let started: Promise<TaskServer> | undefined
    vi.mocked(log.info).mockImplementation(() => {
      started ??= startTaskServer(Number(new URL(late.origin).port)).then(there => {
        there.answers(200, submitted)
        return there
      })
    })
    const patient = retryingFile(recogniser('fun-asr', { baseUrl: late.baseUrl }))
    expect(await patient.submit({ url }, never)).toBe('c2e5d63b')
    const there = await started!
    expect(there.seen).toHaveLength(1)
    await there.close()
  })
})

describe('a task', () => {
  it.each([
    ['PENDING', 'pending'],
    ['RUNNING', 'running'],
    ['SUSPENDED', 'running'],
  ])('that is %s is %s', async (word, state) => {
    server.answers(200, task(word, { task_metrics: { TOTAL: 1, SUCCEEDED: 0, FAILED: 0 } }))
    expect(await recogniser().status('a/b', never)).toEqual({ state })
    const [{ method, path, headers } = fail()] = server.seen
    expect(`${method} ${path}`).toBe('GET /api/v1/tasks/a%2Fb')
    expect(headers.authorization).toBe(`Bearer ${apiKey}`)
  })

  it('that is CANCELED, and one that is UNKNOWN, are lost, and not for the same reason', async () => {
    server.answers(200, task('CANCELED'))
    const stopped = await end()
    server.answers(200, { request_id: 'r', output: { task_id: 't', task_status: 'UNKNOWN' } })
    const unknown = await end()
    expect([stopped.code, unknown.code]).toEqual(['TASK_LOST', 'TASK_LOST'])
    expect(stopped.message).not.toBe(unknown.message)
  })

  it.each<[ErrorCode, boolean, string[]]>([
    [
      'UPLOAD_UNREACHABLE',
      true,
      [
        'FILE_DOWNLOAD_FAILED',
        'FILE_403_FORBIDDEN',
        'FILE_404_NOT_FOUND',
        'FILE_SERVER_ERROR',
        'InvalidFile.DownloadFailed',
        'CONTENT_LENGTH_CHECK_FAILED',
        'REQUEST_INVALID_FILE_URL_VALUE',
        'InvalidURL.Timeout',
      ],
    ],
    [
      'NOT_AUDIO',
      false,
      [
        'FILE_CHECK_FAILED',
        'FILE_NORMALIZE_FAILED',
        'FILE_PARSE_FAILED',
        'MKV_PARSE_FAILED',
        'DECODE_ERROR',
        'NO_VALID_AUDIO_ERROR',
        'UNSUPPORTED_FORMAT',
      ],
    ],
    ['TOO_LARGE', false, ['FILE_TOO_LARGE', 'AUDIO_DURATION_TOO_LONG']],
    ['TASK_LOST', true, ['FILE_TRANS_TASK_EXPIRED']],
    ['CONTENT_REFUSED', false, ['DataInspectionFailed']],
    ['TASK_FAILED', true, ['InternalError.Algo', 'InternalError.Timeout', 'SystemError', 'Throttling']],
    ['TASK_FAILED', false, ['InvalidParameter', 'SOMETHING_NEW']],
  ])('that failed with a code of the group %s (again: %s) ends so', async (ours, retryable, codes) => {
    for (const code of codes) {
      server.answers(200, task('FAILED', { code, message: `${code}: PRIVATE ${url}` }))
      expect(await end(), code).toMatchObject({ code: ours, retryable })
    }
  })

  const failed = (code: string) => ({ file_url: url, code, message: 'PRIVATE', subtask_status: 'FAILED' })

  it.each<[string, object]>([
    ['of a part of a success', task('SUCCEEDED', { results: [failed('DECODE_ERROR')] })],
    [
      'of a part, before that of the whole',
      task('FAILED', { code: 'FILE_TOO_LARGE', results: [failed('DECODE_ERROR')] }),
    ],
    ['of the one part', task('SUCCEEDED', { result: { code: 'DECODE_ERROR', subtask_status: 'FAILED' } })],
    [
      'of the whole, before the one in its message',
      task('FAILED', { code: 'DECODE_ERROR', message: 'FILE_TOO_LARGE' }),
    ],
    [
      'in the message, where the whole has one that says little',
      task('FAILED', { code: 'InternalError', message: 'PRIVATE (DECODE_ERROR).' }),
    ],
    ['at the top', task('FAILED', {}, { code: 'DECODE_ERROR' })],
    ['without the envelope', { task_id: 't', task_status: 'FAILED', code: 'DECODE_ERROR' }],
  ])('that failed is told by the code %s', async (_, answer) => {
    server.answers(200, answer)
    expect(await end()).toMatchObject({ code: 'NOT_AUDIO' })
  })

  it('that succeeded without a result, or failed without a code, has failed', async () => {
    for (const answer of [task('SUCCEEDED'), task('SUCCEEDED', { results: [] }), task('FAILED')]) {
      server.answers(200, answer)
      expect(await end()).toMatchObject({ code: 'TASK_FAILED', retryable: false })
    }
  })

  it('is named by its code when it is none that we know, but by nothing that is no code', async () => {
    server.answers(200, task('FAILED', { code: 'SOMETHING_NEW' }))
    expect((await end()).message).toContain('(SOMETHING_NEW)')
    server.answers(200, task('FAILED', { code: 'PRIVATE words' }))
    expect((await end()).message).not.toContain('(')
  })

  it.each(['SUCCESS_WITH_NO_VALID_FRAGMENT', 'ASR_RESPONSE_HAVE_NO_WORDS'])(
    'in which nobody speaks (%s) is done, wherever that is said',
    async code => {
      const nothing = { state: 'done', recognition: { sentences: [], seconds: 0 } }
      for (const answer of [
        task('SUCCEEDED', { results: [failed(code)] }),
        task('FAILED', { code, results: [failed(code)] }),
        task('FAILED', { code: 'FAILED', message: `${code}: x` }),
        task('FAILED', {}, { code }),
      ]) {
        server.answers(200, answer)
        expect(await recogniser().status('t', never)).toEqual(nothing)
      }
      server.answers(200, task('FAILED', { code }, { usage: { duration: 7 } }))
      expect(await recogniser().status('t', never)).toMatchObject({ recognition: { seconds: 7 } })
    },
  )

  it.each<[string, number, object | string, ErrorCode, boolean]>([
    ['another key', 401, { code: 'InvalidApiKey' }, 'KEY_REFUSED', false],
    ['too many', 429, { code: 'Throttling.RateQuota' }, 'THROTTLED', true],
    ['a failure', 500, { code: 'InternalError' }, 'PROVIDER_FAILED', true],
    ['a proxy', 502, '<html>PRIVATE</html>', 'PROVIDER_FAILED', true],
    ['half an answer', 200, '{"output":', 'PROVIDER_FAILED', true],
    ['another shape', 200, { output: { task_id: 't' } }, 'PROVIDER_FAILED', true],
    ['nothing', 200, 'null', 'PROVIDER_FAILED', true],
  ])('may be well when asking for it fails: %s', async (_, status, body, code, retryable) => {
    server.answers(status, body)
    expect(await failure(recogniser().status('t', never))).toMatchObject({ code, retryable })
  })
})

describe('the result', () => {
  const path = `/results/a-1.json?Expires=1&OSSAccessKeyId=LTAI&Signature=${signature}`

  /** Answers the question with this address of the result, and the question for the result so. */
  function leadsTo(result: Parameters<TaskServer['answer']>[0], of = listTask): void {
    server.answer((seen, response, request) => {
      if (seen.path.startsWith('/results/')) result(seen, response, request)
      else say(200, of(server.origin + path))(seen, response, request)
    })
  }

  it.each([
    ['of fun-asr', listTask],
    ['of qwen3-asr', singleTask],
  ])('%s is fetched with its signature, and without the key', async (_, of) => {
    leadsTo(say(200, listResult), of)
    const status = await recogniser().status('t', never)
    expect(status).toMatchObject({
      state: 'done',
      recognition: { sentences: [{ text: 'Hello world, 这里。' }] },
    })
    const fetched = server.seen.filter(({ path }) => path.startsWith('/results/'))
    expect(fetched.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${path}`])
    expect(fetched[0]!.headers).not.toHaveProperty('authorization')
  })

  it('of a part that succeeded counts, whatever became of others', async () => {
    const good = donePart(server.origin + path)
    const results = [{ code: 'DECODE_ERROR', subtask_status: 'FAILED' }, good]
    server.answer((seen, ...rest) =>
      say(200, seen.path.startsWith('/results/') ? listResult : task('SUCCEEDED', { results }))(
        seen,
        ...rest,
      ),
    )
    expect(await recogniser().status('t', never)).toMatchObject({ state: 'done' })
  })

  const xml = (code: string) =>
    `<?xml version="1.0"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>PRIVATE</Message>\n</Error>`

  it.each([
    [403, 'AccessDenied'],
    [404, 'NoSuchKey'],
  ])('that the store no longer gives (%i %s) is a task lost', async (status, code) => {
    leadsTo(say(status, xml(code)))
    expect(await end()).toMatchObject({ code: 'TASK_LOST', retryable: true })
  })

  it('of another shape is a task that failed, and not one in which nobody speaks', async () => {
    for (const body of [{}, [], 'null', { transcripts: null }, { transcripts: 'PRIVATE' }]) {
      leadsTo(say(200, body))
      expect(await end()).toMatchObject({ code: 'TASK_FAILED', retryable: false })
    }
  })

  it.each<[string, Parameters<TaskServer['answer']>[0], ErrorCode, boolean]>([
    ['the store fails', say(500, xml('InternalError')), 'PROVIDER_FAILED', true],
    ['the store is busy', say(503, ''), 'PROVIDER_FAILED', true],
    ['half of it comes', say(200, '{"transcripts":['), 'PROVIDER_FAILED', true],
    ['the connection is cut', hangUp, 'PROVIDER_UNREACHABLE', true],
    ['a proxy keeps it', say(403, '<html>PRIVATE</html>'), 'PROVIDER_REFUSED', false],
    ['it is signed wrongly', say(403, xml('SignatureDoesNotMatch')), 'PROVIDER_REFUSED', false],
    ['it leads elsewhere', say(302, ''), 'PROVIDER_REFUSED', false],
    ['it is too large', say(200, { transcripts: 'x'.repeat(6000) }), 'PROVIDER_FAILED', false],
  ])('is asked for by the next question, or never, when %s', async (_, how, code, retryable) => {
    leadsTo(how)
    expect(await failure(recogniser().status('t', never))).toMatchObject({ code, retryable })
  })

  it('is fetched by asking again when its fetching failed in a way that passes', async () => {
    let fetched = 0
    leadsTo((...request) => (fetched++ < 2 ? hangUp : say(200, listResult))(...request))
    const patient = retryingFile(recogniser(), { firstDelay: 1e-6 })
    expect(await patient.status('t', never)).toMatchObject({ state: 'done' })
    expect(fetched).toBe(3)
  })

  const cloud = 'https://dashscope-intl.aliyuncs.com/api/v1'
  const store = 'dashscope-result-sgp.oss-ap-southeast-1.aliyuncs.com/a.json?Signature=s%2Fs%2B'

  it.each<[string, string, string | undefined]>([
    [cloud, `https://${store}`, `https://${store}`],
    [cloud, `http://${store}`, `https://${store}`],
    ['https://ws.ap-southeast-1.maas.aliyuncs.com/api/v1', `http://${store}`, `https://${store}`],
    ['http://127.0.0.1:9/api/v1', 'http://127.0.0.1:8/a.json?b', 'http://127.0.0.1:8/a.json?b'],
    ['http://localhost:9/api/v1', 'http://[::1]:8/a.json', 'http://[::1]:8/a.json'],
    [cloud, 'http://127.0.0.1:8/a.json', undefined],
    [cloud, 'https://localhost/a.json', undefined],
    [cloud, 'https://169.254.169.254/latest', undefined],
    [cloud, 'https://aliyuncs.com.evil.example/a.json', undefined],
    [cloud, 'https://evilaliyuncs.com/a.json', undefined],
    [cloud, 'https://a.aliyuncs.com@evil.example/a.json', undefined],
    [cloud, 'https://a.aliyuncs.com:8443/a.json', undefined],
    [cloud, 'ftp://a.aliyuncs.com/a.json', undefined],
    [cloud, 'not an address', undefined],
  ])('of %s that lies at %s is fetched from %s', async (baseUrl, address, expected) => {
    const fetched: string[] = []
    const asr = fileAsr({
      cloud: { baseUrl, call: async () => listTask(address) },
      http: {
        async fetchText({ url }) {
          fetched.push(url)
          return { status: 200, text: JSON.stringify(listResult) }
        },
      },
      model: 'fun-asr',
      role: 'speakers',
    })
    const status = await asr.status('t', never)
    expect(fetched).toEqual(expected === undefined ? [] : [expected])
    if (expected === undefined)
      expect(status).toMatchObject({ state: 'failed', error: { code: 'TASK_FAILED', retryable: false } })
    else expect(status.state).toBe('done')
  })
})

describe('the list of tasks', () => {
  const from = Date.UTC(2026, 10, 22, 17, 59, 58, 400)
  const to = Date.UTC(2026, 10, 22, 18, 4, 1, 1)
  const listed = (task_id: string, gmt_create: number, model_name = 'fun-asr') => ({
    task_id,
    gmt_create,
    model_name,
    status: 'RUNNING',
    region: 'ap-southeast-1',
  })
  const page = (page_no: number, ...data: object[]) =>
    say(200, { total: 3, data, total_page: 2, page_no, page_size: 50, request_id: 'r' })

  it('is asked for by the provider’s clock, page by page, and comes newest first', async () => {
    server.inTurn(
      page(1, listed('b', 20), listed('x', 15, 'wanx-v1'), listed('a', 10)),
      page(2, listed('c', 30)),
    )
    expect(await recogniser('fun-asr').listTasks(from, to, never)).toEqual(['c', 'b', 'a'])
    const queries = server.seen.map(({ path }) => new URL(path, server.origin))
    expect(queries.map(({ pathname }) => pathname)).toEqual(['/api/v1/tasks/', '/api/v1/tasks/'])
    // 18:00 in London is two o'clock the next day in Beijing; the end is rounded up to a whole second.
    expect(queries.map(({ searchParams }) => Object.fromEntries(searchParams))).toEqual(
      ['1', '2'].map(page_no => ({
        start_time: '20261123015958',
        end_time: '20261123020402',
        model_name: 'fun-asr',
        page_size: '50',
        page_no,
      })),
    )
  })

  it('goes back a day at most, as the provider’s does', async () => {
    server.answers(200, { total: 0, data: [], total_page: 0 })
    expect(await recogniser().listTasks(0, to, never)).toEqual([])
    expect(server.seen[0]!.path).toContain('start_time=20261122020401')
    expect(server.seen).toHaveLength(1)
  })

  it('fails like any other question', async () => {
    server.answers(200, { data: 'x' })
    expect(await failure(recogniser().listTasks(from, to, never))).toMatchObject({ code: 'PROVIDER_FAILED' })
    server.answers(429, { code: 'Throttling.RateQuota' })
    expect(await failure(recogniser().listTasks(from, to, never))).toMatchObject({ code: 'THROTTLED' })
  })
})

describe('stopping a task', () => {
  it('is one request without a body', async () => {
    server.answers(200, { request_id: 'r' })
    await recogniser().cancel('t', never)
    expect(server.seen.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      'POST /api/v1/tasks/t/cancel ',
    ])
  })

  it('that has begun is no failure; any other is', async () => {
    server.answers(400, { code: 'UnsupportedOperation', message: 'Failed to cancel the task' })
    await recogniser().cancel('t', never)
    server.answers(500, { code: 'InternalError' })
    expect(await failure(recogniser().cancel('t', never))).toMatchObject({ code: 'PROVIDER_FAILED' })
  })
})

/** A recogniser whose answers fail with each of these in turn, and then are there. */
function failing(...errors: unknown[]): FileRecogniser & { calls: string[] } {
  const calls: string[] = []
  const answer = async <T>(name: string, value: T): Promise<T> => {
    calls.push(name)
    if (calls.length <= errors.length) throw errors[calls.length - 1]
    return value
  }
  return {
    model: 'fake',
    calls,
    limits: { maxSeconds: 1, maxBytes: 1 },
    capabilities: { text: true, speakers: true },
    submit: () => answer('submit', 't'),
    status: () => answer('status', { state: 'running' }),
    listTasks: () => answer('tasks', []),
    cancel: () => answer('cancel', undefined),
  }
}

const error = (code: ErrorCode, retryable: boolean) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable })
const passing = error('PROVIDER_FAILED', true)
const throttling = error('THROTTLED', true)

/** All that a recogniser can be asked. */
const questions: [string, (recogniser: FileRecogniser, signal: AbortSignal) => Promise<unknown>][] = [
  ['submit', (to, signal) => to.submit({ url }, signal)],
  ['status', (to, signal) => to.status('t', signal)],
  ['tasks', (to, signal) => to.listTasks(0, 1, signal)],
  ['cancel', (to, signal) => to.cancel('t', signal)],
]

describe('asking again', () => {
  const quick = { firstDelay: 1e-6 }

  it.each(questions)('helps a %s over what passes', async (name, ask) => {
    const inner = failing(throttling, passing, error('PROVIDER_UNREACHABLE', true))
    await ask(retryingFile(inner, quick), never)
    expect(inner.calls).toEqual([name, name, name, name])
  })

  it.each(questions)('ends a %s after four attempts, ten where it is throttled', async (_, ask) => {
    for (const [stays, attempts] of [
      [passing, 4],
      [throttling, 10],
    ] as const) {
      const inner = failing(...Array(20).fill(stays))
      await expect(ask(retryingFile(inner, quick), never)).rejects.toBe(stays)
      expect(inner.calls).toHaveLength(attempts)
    }
  })

  it.each<[string, unknown]>([
    ['may have made a task', error('SUBMIT_UNCLEAR', false)],
    ['wants another address', error('UPLOAD_UNREACHABLE', true)],
    ['is refused for good', error('PROVIDER_REFUSED', false)],
  ])('is not for a submit that %s', async (_, stays) => {
    const inner = failing(stays)
    await expect(retryingFile(inner, quick).submit({ url }, never)).rejects.toBe(stays)
    expect(inner.calls).toHaveLength(1)
  })

  it('ends with what took the time when the time is up, and with the reason when it is called off', async () => {
    for (const reason of [new DOMException('', 'TimeoutError'), cancelled()]) {
      const call = new AbortController()
      vi.mocked(log.info).mockImplementation(() => queueMicrotask(() => call.abort(reason)))
      const asking = retryingFile(failing(throttling), { firstDelay: 1000 }).submit({ url }, call.signal)
      await expect(asking).rejects.toBe(reason instanceof SpeechError ? reason : throttling)
    }
  })
})

describe('the rates', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** When each question reaches the provider, in milliseconds. */
  function watched(inner = failing()): FileRecogniser & { at: number[] } {
    const at: number[] = []
    const note = <T>(answer: Promise<T>) => {
      at.push(Date.now())
      return answer
    }
    return {
      ...inner,
      at,
      submit: (...asked) => note(inner.submit(...asked)),
      status: (...asked) => note(inner.status(...asked)),
      listTasks: (...asked) => note(inner.listTasks(...asked)),
      cancel: (...asked) => note(inner.cancel(...asked)),
    }
  }

  const rates = (perMinute = 100) => ({
    submits: createAdaptiveRateLimiter({ perMinute, concurrency: 4 }),
    asks: createPacer(15),
  })

  it('keep a storm of questions for two models within twenty a second, and answer all', async () => {
    const inner = watched()
    const shared = rates()
    const both = [limitedFile(inner, shared), limitedFile(inner, { ...rates(), asks: shared.asks })]
    const storm = Array.from({ length: 90 }, (_, i) => questions[1 + (i % 3)]![1](both[i % 2]!, never))
    await vi.runAllTimersAsync()
    await Promise.all(storm)
    expect(inner.at).toHaveLength(90)
    for (const start of inner.at)
      expect(inner.at.filter(at => at >= start && at < start + 1000).length).toBeLessThanOrEqual(20)
  })

  it('do not let a process that was held up make up for it at once', async () => {
    const inner = watched()
    const recogniser = limitedFile(inner, rates())
    const storm = Array.from({ length: 30 }, () => recogniser.status('t', never))
    await vi.advanceTimersByTimeAsync(500)
    const before = inner.at.length
    // Ten seconds pass in which no timer comes to its turn.
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000)
    await vi.advanceTimersByTimeAsync(100)
    expect(inner.at.length - before).toBeLessThanOrEqual(2)
    await vi.runAllTimersAsync()
    await Promise.all(storm)
  })

  it('hold questions back for a second when one is throttled', async () => {
    const inner = watched(failing(throttling))
    const recogniser = limitedFile(inner, rates())
    const first = expect(recogniser.status('t', never)).rejects.toBe(throttling)
    await vi.advanceTimersByTimeAsync(0)
    const second = recogniser.status('t', never)
    await vi.advanceTimersByTimeAsync(999)
    expect(inner.at).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(inner.at).toHaveLength(2)
    await Promise.all([first, second])
  })

  it('let a question go that is called off while it waits, and the next one in', async () => {
    const inner = watched()
    const recogniser = limitedFile(inner, rates())
    const call = new AbortController()
    const reason = cancelled()
    const [first, second] = [recogniser.status('t', never), recogniser.status('t', call.signal)]
    const third = recogniser.status('t', never)
    const leaves = expect(second).rejects.toBe(reason)
    call.abort(reason)
    await leaves
    await vi.runAllTimersAsync()
    await Promise.all([first, third])
    expect(inner.at).toHaveLength(2)
    await expect(recogniser.status('t', call.signal)).rejects.toBe(reason)
    expect(inner.at).toHaveLength(2)
  })

  it('keep submits to the model’s rate, and do not hold questions back meanwhile', async () => {
    const inner = watched()
    const recogniser = limitedFile(inner, rates(2))
    const submits = Promise.all([1, 2, 3].map(() => recogniser.submit({ url }, never)))
    const asked = recogniser.status('t', never)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(inner.at).toHaveLength(3)
    await asked
    await vi.runAllTimersAsync()
    await submits
    expect(inner.at.at(-1)).toBe(60_000)
  })

  it('say so when a submit’s turn does not come in time', async () => {
    const inner = watched()
    const recogniser = limitedFile(inner, rates(1))
    await recogniser.submit({ url }, never)
    const call = new AbortController()
    const late = failure(recogniser.submit({ url }, call.signal))
    call.abort(new DOMException('', 'TimeoutError'))
    expect(await late).toMatchObject({ code: 'THROTTLED', retryable: true })
    expect(inner.at).toHaveLength(1)
  })

  it('slow submits down when one is throttled', async () => {
    const { submits, asks } = rates()
    const throttled = vi.spyOn(submits, 'backOff')
    const recogniser = limitedFile(failing(throttling), { submits, asks })
    await expect(recogniser.submit({ url }, never)).rejects.toBe(throttling)
    expect(throttled).toHaveBeenCalledOnce()
  })
})

describe('the two recognisers', () => {
  it('have their models and roles', () => {
    const cloud = dashscope({ apiKey, baseUrl: server.baseUrl, http })
    const names = { speakerModel: 'fun-asr', fileModel: 'fun-asr' }
    const { speakerRecogniser, fileRecogniser } = fileRecognisers({ cloud, http, ...names })
    expect(speakerRecogniser).toMatchObject({
      model: 'fun-asr',
      capabilities: { text: false, speakers: true },
    })
    expect(fileRecogniser).toMatchObject({ model: 'fun-asr', capabilities: { text: true, speakers: false } })
  })

  it('submit again when they are throttled', async () => {
    const cloud = dashscope({ apiKey, baseUrl: server.baseUrl, http })
    const names = { speakerModel: 'fun-asr-mtl', fileModel: 'qwen3-asr-flash-filetrans' }
    const { fileRecogniser } = fileRecognisers({ cloud, http, ...names, retry: { firstDelay: 1e-6 } })
    server.inTurn(say(429, { code: 'Throttling.RateQuota' }), say(200, submitted))
    expect(await fileRecogniser.submit({ url }, never)).toBe('c2e5d63b')
    expect(server.seen).toHaveLength(2)
  })
})

/** Stands where something must be. */
function fail(): never {
  throw new Error('The server saw no request.')
}
