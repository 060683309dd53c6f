// Qwen text models: failed and incomplete answers, and the errors of DashScope about texts.

import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelled, describeError, type ErrorCode } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { qwenText } from '../../../../../src/drivers/llm/qwen/text.ts'
import { failure } from '../../../../support/failure.ts'
import { dropConnection, reply } from '../../../../support/servers/task-server.ts'
import {
  qwenBody,
  qwenError,
  qwenEvents,
  sseEvent,
  startTextServer,
  stream,
  type TextServer,
} from '../../../../support/servers/text-server.ts'

const apiKey = 'sk-secret-key'
const never = new AbortController().signal
setMaxListeners(0, never)
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }
let server: TextServer
let http: HttpClient
beforeAll(async () => {
  server = await startTextServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4, deadline: { idleSeconds: 0.5 } })
})
afterEach(() => http.close())
afterAll(() => server.close())

function qwen(model = 'qwen-flash') {
  return qwenText(dashscope({ apiKey, baseUrl: server.baseUrl, http }), {
    model: knownModels.find(model, 'text'),
    concurrency: 4,
  })
}

describe('a failed answer', () => {
  it.each([
    ['breaks off without an end', qwenEvents('So I went').slice(0, 1)],
    [
      'has a frame that is no JSON',
      [sseEvent(qwenBody('So ')), 'data:{"output":{"ch\n\n', sseEvent(qwenBody('home.', 'stop'))],
    ],
    ['has frames of another shape', [sseEvent({ output: { choices: [{ message: { content: 5 } }] } })]],
    ['says nothing', qwenEvents('')],
    ['is empty', []],
    ['is the page of a proxy', ['<html>PRIVATE: sign in</html>']],
    ['is half a document', ['{"output":{"choi']],
  ])('an answer is retryable when it %s', async (_, pieces) => {
    server.respondWith(stream(pieces))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true, scope: 'request' })
    expect(describeError(error)).not.toMatch(/PRIVATE|went|secret/)
  })

  it('an answer cut before its first word is not retryable', async () => {
    server.respondWith(stream([sseEvent(qwenBody('', 'length'))]))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  })

  it('an answer is retryable when the connection drops midway', async () => {
    server.respondWith(async (seen, response, asked) => {
      await stream(qwenEvents('So I').slice(0, 1), { open: true })(seen, response, asked)
      asked.socket.destroy()
    })
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('an answer that stops midway times out', async () => {
    server.respondWith(stream(qwenEvents('So I').slice(0, 1), { open: true }))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true })
  })

  it('a dropped connection is retryable, and its hint names the setting', async () => {
    server.respondWith(dropConnection)
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.hint).toContain('DASHSCOPE_BASE_URL')
  })

  it('an aborted request rejects at once with its reason', async () => {
    const call = new AbortController()
    const reason = cancelled()
    server.respondWith(stream(qwenEvents('So I').slice(0, 1), { open: true }))
    const work = qwen().generate(request, { signal: call.signal, onText: () => call.abort(reason) })
    await expect(work).rejects.toBe(reason)
  })
})

describe('an error', () => {
  it.each<[number, string, string, ErrorCode, boolean, 'account' | 'model' | 'request']>([
    [400, 'InvalidParameter', 'Model not exist.', 'MODEL_NOT_FOUND', false, 'model'],
    [404, 'ModelNotFound', 'Model can not be found.', 'MODEL_NOT_FOUND', false, 'model'],
    [400, 'DataInspectionFailed', 'PRIVATE', 'CONTENT_REFUSED', false, 'request'],
    [401, 'InvalidApiKey', 'PRIVATE', 'KEY_REFUSED', false, 'account'],
    [400, 'Arrearage', 'PRIVATE', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [403, 'Model.AccessDenied', 'PRIVATE', 'ACCESS_DENIED', false, 'model'],
    [429, 'Throttling.RateQuota', 'PRIVATE', 'THROTTLED', true, 'request'],
    [500, 'InternalError.Algo', 'PRIVATE', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelUnavailable', 'PRIVATE', 'PROVIDER_FAILED', true, 'request'],
    [400, 'InvalidParameter', 'PRIVATE range', 'PROVIDER_REFUSED', false, 'request'],
  ])(
    '%i %s is the same with its status, in a frame, and in the midst',
    async (status, code, message, ours, retryable, scope) => {
      const body = qwenError(code, message)
      const frame = sseEvent(body, 2, 'error', status)
      for (const how of [reply(status, body), stream([frame]), stream([sseEvent(qwenBody('So I')), frame])]) {
        server.respondWith(how)
        const error = await failure(qwen().generate(request, { signal: never }))
        expect(error).toMatchObject({ code: ours, retryable, scope })
        expect(describeError(error)).not.toMatch(/PRIVATE|secret|ASR_MODEL|recording/)
      }
    },
  )

  it('an error event without a status is recognised by its code', async () => {
    const body = qwenError('DataInspectionFailed', 'x')
    for (const how of [reply(200, body), stream([`data:${JSON.stringify(body)}\n\n`])]) {
      server.respondWith(how)
      expect(await failure(qwen().generate(request, { signal: never }))).toMatchObject({
        code: 'CONTENT_REFUSED',
      })
    }
  })

  it('an error event midway is not taken for the end of the answer', async () => {
    const events: string[] = []
    server.respondWith(
      stream([sseEvent(qwenBody('So I')), sseEvent(qwenError('DataInspectionFailed', 'x'), 2, 'error', 400)]),
    )
    const listener = { signal: never, onAccepted: () => events.push('accepted') }
    expect(await failure(qwen().generate(request, listener))).toMatchObject({ code: 'CONTENT_REFUSED' })
    expect(events).toEqual(['accepted'])
  })

  it('an error event at the beginning does not count as acceptance', async () => {
    const events: string[] = []
    server.respondWith(stream([sseEvent(qwenError('InvalidParameter', 'Model not exist.'), 1, 'error', 400)]))
    await failure(qwen().generate(request, { signal: never, onAccepted: () => events.push('accepted') }))
    expect(events).toEqual([])
  })

  it('the acceptance is reported before the first word, when that takes long', async () => {
    server.respondWith(stream([': ping\n\n'], { open: true }))
    const call = new AbortController()
    const accepted = new Promise<void>(resolve => {
      const listener = { signal: call.signal, onAccepted: resolve }
      qwen()
        .generate(request, listener)
        .catch(() => {})
    })
    await accepted
    call.abort(cancelled())
  })

  it('an error about a model names it and the setting', async () => {
    server.respond(400, qwenError('InvalidParameter', 'Model not exist.'))
    const error = await failure(qwen('qwen-turbo').generate(request, { signal: never }))
    expect(describeError(error)).toMatch(/^MODEL_NOT_FOUND: .*qwen-turbo.*FORMAT_MODELS/)
  })

  it.each<[number, ErrorCode]>([
    [403, 'PROVIDER_REFUSED'],
    [404, 'WRONG_BASE_URL'],
    [413, 'PROVIDER_REFUSED'],
    [502, 'PROVIDER_FAILED'],
  ])('status %i with the page of a proxy is %s', async (status, code) => {
    server.respond(status, '<html>PRIVATE</html>')
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code })
    expect(describeError(error)).not.toContain('PRIVATE')
  })
})
