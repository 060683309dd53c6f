// Result files: how they are fetched, which addresses are allowed, and what a failed fetch means.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import { fileAsr } from '../../../../../src/drivers/asr/file-asr/file-asr.ts'
import { withRetries } from '../../../../../src/drivers/asr/file-asr/recognisers.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { never } from '../../../../support/servers/dashscope-client.ts'
import {
  fileRecogniserOf,
  type RecogniserOptions,
  safeFailure,
  signature,
  taskFailure,
} from '../../../../support/servers/file-recogniser.ts'
import {
  dropConnection,
  finishedPart,
  listResult,
  listTask,
  reply,
  singleTask,
  startTaskServer,
  type TaskServer,
  task,
} from '../../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 8, maxTextBytes: 5000 })
})
afterEach(() => http.close())
afterAll(() => server.close())

const recogniser = (options: Partial<RecogniserOptions> = {}) =>
  fileRecogniserOf({ http, baseUrl: server.baseUrl, ...options })

describe('the result', () => {
  const path = `/results/a-1.json?Expires=1&OSSAccessKeyId=LTAI&Signature=${signature}`

  /** Responds to status queries with the address of the result, and to its fetch in this way. */
  function respondWithResult(result: Parameters<TaskServer['respondWith']>[0], of = listTask): void {
    server.respondWith((received, response, request) => {
      if (received.path.startsWith('/results/')) result(received, response, request)
      else reply(200, of(server.origin + path))(received, response, request)
    })
  }

  it.each([
    ['of fun-asr', listTask],
    ['of qwen3-asr', singleTask],
  ])('the result %s is fetched with its signature, and without the key', async (_, of) => {
    respondWithResult(reply(200, listResult), of)
    const status = await recogniser().status('t', never)
    expect(status).toMatchObject({
      state: 'done',
      recognition: { sentences: [{ text: 'Hello world, 这里。' }] },
    })
    const fetched = server.requests.filter(({ path }) => path.startsWith('/results/'))
    expect(fetched.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${path}`])
    expect(fetched[0]!.headers).not.toHaveProperty('authorization')
  })

  it.each<[string, (part: object, address: string) => object]>([
    ['output.output', (part, address) => ({ output: { transcription_url: address, results: [part] } })],
    ['output.output.results', part => ({ output: { results: [part] } })],
    ['output.output.transcription_url', (_, address) => ({ output: { transcription_url: address } })],
    [
      'results[0].output',
      (_, address) => ({
        results: [{ subtask_status: 'SUCCEEDED', output: { transcription_url: address } }],
      }),
    ],
    ['output.result.output', (_, address) => ({ result: { output: { transcription_url: address } } })],
    ['output.results, no list', part => ({ results: part })],
    ['output itself', (_, address) => ({ transcription_url: address })],
    ['output.results with entries of other types', part => ({ results: [null, 'x', 7, part] })],
  ])('the result is found under %s', async (_, output) => {
    const address = server.origin + path
    for (const state of ['SUCCEEDED', 'succeeded', 'COMPLETED', undefined]) {
      const answer = {
        output: { task_id: 't', task_status: state, ...output(finishedPart(address), address) },
      }
      server.respondWith((received, ...rest) =>
        reply(200, received.path.startsWith('/results/') ? listResult : answer)(received, ...rest),
      )
      expect(await recogniser().status('t', never)).toMatchObject({
        state: 'done',
        recognition: { sentences: [{ text: 'Hello world, 这里。' }] },
      })
    }
  })

  it('a failed part that holds an address deeper down has no result', async () => {
    const results = [
      { subtask_status: 'FAILED', code: 'DECODE_ERROR', output: { transcription_url: server.origin + path } },
    ]
    server.respond(200, task('SUCCEEDED', { results }))
    expect(await taskFailure(recogniser())).toMatchObject({ code: 'NOT_AUDIO' })
  })

  it('the result of a successful part counts, although other parts failed', async () => {
    const good = finishedPart(server.origin + path)
    const results = [{ code: 'DECODE_ERROR', subtask_status: 'FAILED' }, good]
    server.respondWith((received, ...rest) =>
      reply(200, received.path.startsWith('/results/') ? listResult : task('SUCCEEDED', { results }))(
        received,
        ...rest,
      ),
    )
    expect(await recogniser().status('t', never)).toMatchObject({ state: 'done' })
  })

  const storeError = (code: string) =>
    `<?xml version="1.0"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>PRIVATE</Message>\n</Error>`

  it.each([
    [403, 'AccessDenied'],
    [404, 'NoSuchKey'],
  ])('a result that the store no longer has (%i %s) is reported as a lost task', async (status, code) => {
    respondWithResult(reply(status, storeError(code)))
    expect(await taskFailure(recogniser())).toMatchObject({ code: 'TASK_LOST', retryable: true })
  })

  it('a result of another shape is an error of the query, neither silence nor the end of the paid task', async () => {
    for (const body of [{}, [], 'null', { transcripts: null }, { transcripts: 'PRIVATE' }]) {
      respondWithResult(reply(200, body))
      const error = await safeFailure(recogniser().status('t', never))
      expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
    }
  })

  it.each<[string, Parameters<TaskServer['respondWith']>[0], ErrorCode, boolean]>([
    ['the store fails', reply(500, storeError('InternalError')), 'PROVIDER_FAILED', true],
    ['the store is busy', reply(503, ''), 'PROVIDER_FAILED', true],
    ['half of it arrives', reply(200, '{"transcripts":['), 'PROVIDER_FAILED', true],
    ['the connection drops', dropConnection, 'PROVIDER_UNREACHABLE', true],
    ['a proxy refuses it', reply(403, '<html>PRIVATE</html>'), 'PROVIDER_REFUSED', false],
    ['its signature is wrong', reply(403, storeError('SignatureDoesNotMatch')), 'PROVIDER_REFUSED', false],
    ['it redirects', reply(302, ''), 'PROVIDER_REFUSED', false],
    ['it is too large', reply(200, { transcripts: 'x'.repeat(6000) }), 'PROVIDER_FAILED', false],
  ])('the right error is thrown when %s', async (_, how, code, retryable) => {
    respondWithResult(how)
    expect(await safeFailure(recogniser().status('t', never))).toMatchObject({ code, retryable })
  })

  it('a failed fetch of the result is retried with the status query', async () => {
    let fetched = 0
    respondWithResult((...request) => (fetched++ < 2 ? dropConnection : reply(200, listResult))(...request))
    const retried = withRetries(recogniser(), { firstDelaySeconds: 1e-6 })
    expect(await retried.status('t', never)).toMatchObject({ state: 'done' })
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
  ])('with %s as its base URL, the result at %s is fetched from %s', async (baseUrl, address, expected) => {
    const fetched: string[] = []
    const asr = fileAsr({
      cloud: {
        baseUrl,
        missingKey: () => undefined,
        clockAheadMs: () => 0,
        call: async () => listTask(address),
      },
      http: {
        async fetchText({ url }) {
          fetched.push(url)
          return { status: 200, text: JSON.stringify(listResult) }
        },
      },
      model: knownModels.find('fun-asr', 'speakers'),
      role: 'speakers',
    })
    const outcome = await asr.status('t', never).catch((error: unknown) => error)
    expect(fetched).toEqual(expected === undefined ? [] : [expected])
    expect(outcome).toMatchObject(
      expected === undefined ? { code: 'PROVIDER_FAILED', retryable: false } : { state: 'done' },
    )
  })
})
