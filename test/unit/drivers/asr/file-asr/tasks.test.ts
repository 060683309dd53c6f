// Tasks of file recognition: their states, the errors they end with, the list of tasks, and cancelling one.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../../../src/domain/errors.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { apiKey, never } from '../../../../support/servers/dashscope-client.ts'
import {
  fileRecogniserOf,
  type RecogniserOptions,
  safeFailure,
  taskFailure,
  url,
} from '../../../../support/servers/file-recogniser.ts'
import { reply, startTaskServer, type TaskServer, task } from '../../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 8 })
})
afterEach(() => http.close())
afterAll(() => server.close())

const recogniser = (options: Partial<RecogniserOptions> = {}) =>
  fileRecogniserOf({ http, baseUrl: server.baseUrl, ...options })

describe('a task', () => {
  it.each([
    ['PENDING', 'pending'],
    ['RUNNING', 'running'],
    ['SUSPENDED', 'running'],
  ])('a task in state %s is reported as %s', async (word, state) => {
    server.respond(200, task(word, { task_metrics: { TOTAL: 1, SUCCEEDED: 0, FAILED: 0 } }))
    expect(await recogniser().status('a/b', never)).toEqual({ state })
    const { method, path, headers } = server.requests[0]!
    expect(`${method} ${path}`).toBe('GET /api/v1/tasks/a%2Fb')
    expect(headers.authorization).toBe(`Bearer ${apiKey}`)
  })

  it('a task that is CANCELED or UNKNOWN is lost, with different messages', async () => {
    server.respond(200, task('CANCELED'))
    const stopped = await taskFailure(recogniser())
    server.respond(200, { request_id: 'r', output: { task_id: 't', task_status: 'UNKNOWN' } })
    const unknown = await taskFailure(recogniser())
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
    ['UPLOAD_UNREACHABLE', false, ['InvalidParameter.MalformedURL']],
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
    ['CONTENT_REFUSED', false, ['DataInspectionFailed', 'InternalError.Algo.DataInspectionFailed']],
    ['ACCOUNT_IN_ARREARS', false, ['Arrearage']],
    ['FREE_TIER_USED_UP', false, ['AllocationQuota.FreeTierOnly']],
    ['MODEL_NOT_FOUND', false, ['ModelNotFound', 'model_not_found']],
    [
      'TASK_FAILED',
      true,
      ['InternalError.Algo', 'InternalError.Timeout', 'SystemError', 'SERVER_ERROR', 'Throttling'],
    ],
    ['TASK_FAILED', false, ['InvalidParameter', 'SOMETHING_NEW']],
  ])(
    'a task that fails ends with %s (retryable: %s) for each code of the group',
    async (code, retryable, codes) => {
      for (const providerCode of codes) {
        server.respond(
          200,
          task('FAILED', { code: providerCode, message: `${providerCode}: PRIVATE ${url}` }),
        )
        expect(await taskFailure(recogniser()), providerCode).toMatchObject({ code, retryable })
      }
    },
  )

  const failed = (code: string) => ({ file_url: url, code, message: 'PRIVATE', subtask_status: 'FAILED' })

  it.each<[string, object]>([
    ['of a failed part of a success', task('SUCCEEDED', { results: [failed('DECODE_ERROR')] })],
    [
      'of a part, before that of the whole',
      task('FAILED', { code: 'FILE_TOO_LARGE', results: [failed('DECODE_ERROR')] }),
    ],
    ['of the only part', task('SUCCEEDED', { result: { code: 'DECODE_ERROR', subtask_status: 'FAILED' } })],
    [
      'of the whole, before the one in its message',
      task('FAILED', { code: 'DECODE_ERROR', message: 'FILE_TOO_LARGE' }),
    ],
    [
      'in the message, where the code of the whole is too general',
      task('FAILED', { code: 'InternalError', message: 'PRIVATE (DECODE_ERROR).' }),
    ],
    ['at the top', task('FAILED', {}, { code: 'DECODE_ERROR' })],
    ['of a response without its envelope', { task_id: 't', task_status: 'FAILED', code: 'DECODE_ERROR' }],
  ])('the error of a failed task is read from the code %s', async (_, answer) => {
    server.respond(200, answer)
    expect(await taskFailure(recogniser())).toMatchObject({ code: 'NOT_AUDIO' })
  })

  it('a task that fails without a code has failed', async () => {
    for (const answer of [task('FAILED'), task('SUCCEEDED', { results: [{ subtask_status: 'FAILED' }] })]) {
      server.respond(200, answer)
      expect(await taskFailure(recogniser())).toMatchObject({ code: 'TASK_FAILED', retryable: false })
    }
  })

  it.each<[ErrorCode, string]>([
    ['MODEL_NOT_FOUND', 'Model not exist.'],
    ['CONTENT_REFUSED', 'Input data may contain inappropriate content.'],
    ['CONTENT_REFUSED', '<400> InternalError.Algo.DataInspectionFailed: x'],
    ['UPLOAD_UNREACHABLE', 'InvalidParameter.MalformedURL: A valid file URL is required'],
  ])('a task fails with %s where its code is too general and its message is “%s”', async (code, message) => {
    server.respond(200, task('FAILED', { code: 'InvalidParameter', message }))
    expect(await taskFailure(recogniser())).toMatchObject({ code, retryable: false })
  })

  it.each<[string, object]>([
    ['code as the state', task('SUCCESS_WITH_NO_VALID_FRAGMENT')],
    ['code as the state, in lower case', task('success_with_no_valid_fragment')],
    ['code with a state of another spelling', task('FINISHED', { code: 'ASR_RESPONSE_HAVE_NO_WORDS' })],
  ])('a task without speech is done when it has its %s', async (_, answer) => {
    server.respond(200, answer)
    expect(await recogniser().status('t', never)).toMatchObject({
      state: 'done',
      recognition: { sentences: [] },
    })
  })

  it('a task in an unknown state is over if the state says so, or a code is with it', async () => {
    for (const answer of [task('EXPIRED'), task('TIMEOUT'), task('CLOSED', { code: 'SOMETHING_NEW' })]) {
      server.respond(200, answer)
      expect(await taskFailure(recogniser())).toMatchObject({ code: 'TASK_FAILED', retryable: false })
    }
    server.respond(200, task('QUEUEING'))
    expect(await recogniser().status('t', never)).toEqual({ state: 'running' })
  })

  it('a task that succeeds and names no result is paid, so it has not failed', async () => {
    for (const answer of [
      task('SUCCEEDED'),
      task('SUCCEEDED', { results: [] }),
      task('SUCCEEDED', { new: {} }),
      task('COMPLETED'),
    ]) {
      server.respond(200, answer)
      const error = await safeFailure(recogniser().status('t', never))
      expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
    }
  })

  it('the message of a failed task names an unknown code, but only what looks like a code', async () => {
    server.respond(200, task('FAILED', { code: 'SOMETHING_NEW' }))
    expect((await taskFailure(recogniser())).message).toContain('(SOMETHING_NEW)')
    server.respond(200, task('FAILED', { code: 'PRIVATE words' }))
    expect((await taskFailure(recogniser())).message).not.toContain('(')
  })

  it.each(['SUCCESS_WITH_NO_VALID_FRAGMENT', 'ASR_RESPONSE_HAVE_NO_WORDS'])(
    'a task without speech (%s) is done, wherever the code is found',
    async code => {
      const nothing = { state: 'done', recognition: { sentences: [], seconds: 0 } }
      for (const answer of [
        task('SUCCEEDED', { results: [failed(code)] }),
        task('FAILED', { code, results: [failed(code)] }),
        task('FAILED', { code: 'FAILED', message: `${code}: x` }),
        task('FAILED', {}, { code }),
      ]) {
        server.respond(200, answer)
        expect(await recogniser().status('t', never)).toEqual(nothing)
      }
      server.respond(200, task('FAILED', { code }, { usage: { duration: 7 } }))
      expect(await recogniser().status('t', never)).toMatchObject({ recognition: { seconds: 7 } })
    },
  )

  it.each<[string, number, object | string, ErrorCode, boolean]>([
    ['another key', 401, { code: 'InvalidApiKey' }, 'KEY_REFUSED', false],
    ['too many requests', 429, { code: 'Throttling.RateQuota' }, 'THROTTLED', true],
    ['a failure', 500, { code: 'InternalError' }, 'PROVIDER_FAILED', true],
    ['a proxy’s page', 502, '<html>PRIVATE</html>', 'PROVIDER_FAILED', true],
    ['half a response', 200, '{"output":', 'PROVIDER_FAILED', true],
    ['another shape', 200, { output: { task_id: 't' } }, 'PROVIDER_FAILED', true],
    ['nothing', 200, 'null', 'PROVIDER_FAILED', true],
  ])('a failed query says nothing of the task itself: %s', async (_, status, body, code, retryable) => {
    server.respond(status, body)
    expect(await safeFailure(recogniser().status('t', never))).toMatchObject({ code, retryable })
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
    reply(200, { total: 3, data, total_page: 2, page_no, page_size: 50, request_id: 'r' })

  it('the list of tasks is read page by page, in the provider’s time zone, and sorted newest first', async () => {
    server.respondInTurn(
      page(1, listed('b', 20), listed('x', 15, 'wanx-v1'), listed('a', 10)),
      page(2, listed('c', 30)),
    )
    expect(await recogniser({ model: 'fun-asr' }).listTasks(from, to, never)).toEqual(['c', 'b', 'a'])
    const queries = server.requests.map(({ path }) => new URL(path, server.origin))
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

  it('the list of tasks goes back one day at most, as the provider’s does', async () => {
    server.respond(200, { total: 0, data: [], total_page: 0 })
    expect(await recogniser().listTasks(0, to, never)).toEqual([])
    expect(server.requests[0]!.path).toContain('start_time=20261122020401')
    expect(server.requests).toHaveLength(1)
  })

  it('the list of tasks fails like any other query', async () => {
    server.respond(200, { data: 'x' })
    expect(await safeFailure(recogniser().listTasks(from, to, never))).toMatchObject({
      code: 'PROVIDER_FAILED',
    })
    server.respond(429, { code: 'Throttling.RateQuota' })
    expect(await safeFailure(recogniser().listTasks(from, to, never))).toMatchObject({ code: 'THROTTLED' })
  })
})

describe('cancelling a task', () => {
  it('cancelling a task sends one request without a body', async () => {
    server.respond(200, { request_id: 'r' })
    await recogniser().cancel('t', never)
    expect(server.requests.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      'POST /api/v1/tasks/t/cancel ',
    ])
  })

  it('cancelling a task that has started succeeds; other failures are passed on', async () => {
    server.respond(400, { code: 'UnsupportedOperation', message: 'Failed to cancel the task' })
    await recogniser().cancel('t', never)
    server.respond(500, { code: 'InternalError' })
    expect(await safeFailure(recogniser().cancel('t', never))).toMatchObject({ code: 'PROVIDER_FAILED' })
  })
})
