// Gemini as a text model: what is sent, what its answers and its many refusals mean, and the thinking that it may not forbid.

import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelled, describeError, type ErrorCode } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { retryAfter } from '../../../../../src/drivers/http/retry-after.ts'
import { geminiText } from '../../../../../src/drivers/llm/gemini/text.ts'
import { failure } from '../../../../support/failure.ts'
import { dropConnection, reply } from '../../../../support/servers/task-server.ts'
import {
  geminiAnswer,
  geminiBody,
  geminiError,
  geminiEvent,
  startTextServer,
  stream,
  type TextServer,
} from '../../../../support/servers/text-server.ts'

const apiKey = 'AIza-secret-key'
const never = new AbortController().signal
setMaxListeners(0, never)
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }

let server: TextServer
let http: HttpClient
beforeAll(async () => {
  server = await startTextServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4, deadline: { idleSeconds: 0.2 } })
})
afterEach(() => http.close())
afterAll(() => server.close())

function gemini(model = 'gemini-2.5-flash') {
  const find = (name: string) => knownModels.find(name, 'text')
  return geminiText({ model: find(model), find, apiKey, baseUrl: server.geminiUrl, http, concurrency: 4 })
}

const bodies = () => server.requests.map(({ body }) => JSON.parse(body))

describe('a request', () => {
  it('a request has its key in a header and nowhere else', async () => {
    server.respondWith(geminiAnswer('So I went home.'))
    await gemini().generate(request, { signal: never })
    const [{ method, path, headers, body }] = server.requests as [(typeof server.requests)[0]]
    expect(`${method} ${path}`).toBe('POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
    expect(headers).toMatchObject({ 'x-goog-api-key': apiKey, 'content-type': 'application/json' })
    expect(headers).not.toHaveProperty('authorization')
    expect(path + body).not.toContain(apiKey)
    expect(JSON.parse(body)).toEqual({
      systemInstruction: { parts: [{ text: request.system }] },
      contents: [{ role: 'user', parts: [{ text: request.user }] }],
      generationConfig: {
        temperature: 0.2,
        maxOutputTokens: 900,
        thinkingConfig: { thinkingBudget: 0 },
      },
    })
  })

  it.each(['gemini-3.5-flash-lite', 'gemini-2.5-pro'])(
    'to %s says nothing of thinking, and leaves room for it',
    async model => {
      server.respondWith(geminiAnswer('Ok.'))
      await gemini(model).generate(request, { signal: never })
      expect(bodies()[0].generationConfig).toEqual({ temperature: 0.2, maxOutputTokens: 900 + 4096 })
    },
  )

  it('a request refused for its thinking budget is repeated without one, which is remembered', async () => {
    server.respondWith((seen, response, asked) =>
      seen.body.includes('thinkingBudget')
        ? geminiError(400, 'INVALID_ARGUMENT', 'Thinking budget is not supported for this model.')(
            seen,
            response,
            asked,
          )
        : geminiAnswer('Ok.')(seen, response, asked),
    )
    const model = gemini()
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    const asked = bodies().map(({ generationConfig }) => 'thinkingConfig' in generationConfig)
    expect(asked).toEqual([true, false, false])
  })

  it('a request is not repeated for another bad argument', async () => {
    server.respondWith(geminiError(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'))
    expect(await failure(gemini().generate(request, { signal: never }))).toMatchObject({
      code: 'PROVIDER_REFUSED',
      scope: 'request',
    })
    expect(server.requests).toHaveLength(1)
  })
})

describe('an answer', () => {
  it('an answer joins the text of its events, reports its progress, and has tokens and a price', async () => {
    server.respondWith(geminiAnswer('So ', 'I went', ' home.'))
    const events: (number | string)[] = []
    const listener = {
      signal: never,
      onAccepted: () => events.push('accepted'),
      onText: (written: number) => events.push(written),
    }
    expect(await gemini().generate(request, listener)).toEqual({
      text: 'So I went home.',
      whole: true,
      model: 'gemini-2.5-flash',
      usage: { inputTokens: 8, outputTokens: 39 },
      costUsd: 0.0000999,
    })
    expect(events).toEqual(['accepted', 3, 9, 15, 15])
  })

  it('an answer is the same when it arrives byte by byte', async () => {
    const bytes = Buffer.from([geminiBody('今天 😀'), geminiBody('。', 'STOP')].map(geminiEvent).join(''))
    server.respondWith(stream(Array.from(bytes, byte => Uint8Array.of(byte))))
    expect(await gemini().generate(request, { signal: never })).toMatchObject({ text: '今天 😀。' })
  })

  it.each([
    ['one JSON document', reply(200, geminiBody('Ok.', 'STOP'))],
    ['a list of frames', reply(200, JSON.stringify([geminiBody('O'), geminiBody('k.', 'STOP')]))],
  ])('an answer may be %s', async (_, how) => {
    server.respondWith(how)
    expect(await gemini().generate(request, { signal: never })).toMatchObject({ text: 'Ok.', whole: true })
  })

  it('an answer leaves out thoughts', async () => {
    const parts = [{ text: 'Let me think.', thought: true }, { text: 'Ok.' }, { thoughtSignature: 'x' }]
    const body = { candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP' }] }
    server.respondWith(stream([geminiEvent(body)]))
    expect(await gemini().generate(request, { signal: never })).toEqual({
      text: 'Ok.',
      whole: true,
      model: 'gemini-2.5-flash',
      usage: { inputTokens: 0, outputTokens: 0 },
    })
  })

  it('an answer has the name and the price of the model that generated it', async () => {
    const body = { ...geminiBody('Ok.', 'STOP'), modelVersion: 'gemini-3.5-flash-lite' }
    server.respondWith(stream([geminiEvent(body)]))
    const answer = await gemini().generate(request, { signal: never })
    expect(answer.model).toBe('gemini-3.5-flash-lite')
    const { inputTokens, outputTokens } = answer.usage
    expect(answer.costUsd).toBeCloseTo((0.3 * inputTokens + 2.5 * outputTokens) / 1e6, 9)
  })

  it('an answer cut at its token limit is not whole', async () => {
    server.respondWith(stream([geminiEvent(geminiBody('So I', 'MAX_TOKENS'))]))
    expect(await gemini().generate(request, { signal: never })).toMatchObject({ text: 'So I', whole: false })
  })

  it.each([
    ['ends without a reason', [geminiBody('So I')]],
    ['has no candidate', [{ usageMetadata: { promptTokenCount: 8 } }]],
    ['says nothing', [geminiBody(undefined, 'STOP')]],
    ['has another shape', [{ candidates: 'none' }]],
  ])('an answer that %s is retryable', async (_, frames) => {
    server.respondWith(stream(frames.map(geminiEvent)))
    expect(await failure(gemini().generate(request, { signal: never }))).toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: true,
    })
  })

  it('the page of a proxy is a retryable failure', async () => {
    server.respond(200, '<html>PRIVATE</html>')
    const error = await failure(gemini().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
    expect(describeError(error)).not.toContain('PRIVATE')
  })

  it('an aborted request ends at once', async () => {
    const call = new AbortController()
    const reason = cancelled()
    server.respondWith(stream([geminiEvent(geminiBody('So I'))], { open: true }))
    const work = gemini().generate(request, { signal: call.signal, onText: () => call.abort(reason) })
    await expect(work).rejects.toBe(reason)
  })
})

describe('a text that Gemini refuses', () => {
  it.each([
    ...['SAFETY', 'RECITATION', 'LANGUAGE', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
    ...['MALFORMED_RESPONSE', 'IMAGE_SAFETY', 'A_NEW_REASON'],
  ])('a refusal is recognised by the finish reason %s, also after some text', async reason => {
    for (const frames of [[geminiBody(undefined, reason)], [geminiBody('So I'), geminiBody('', reason)]]) {
      server.respondWith(stream(frames.map(geminiEvent)))
      expect(await failure(gemini().generate(request, { signal: never }))).toMatchObject({
        code: 'CONTENT_REFUSED',
        retryable: false,
        scope: 'request',
      })
    }
  })

  it.each(['SAFETY', 'OTHER', 'BLOCKLIST'])(
    'is recognised by the block %s, without a candidate',
    async blockReason => {
      server.respondWith(stream([geminiEvent({ promptFeedback: { blockReason } })]))
      expect(await failure(gemini().generate(request, { signal: never }))).toMatchObject({
        code: 'CONTENT_REFUSED',
      })
    },
  )
})

describe('an error', () => {
  const invalidKey = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]

  it.each<[number, string, ErrorCode, boolean, 'account' | 'model' | 'request']>([
    [400, 'INVALID_ARGUMENT', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'FAILED_PRECONDITION', 'ACCESS_DENIED', false, 'model'],
    [401, 'UNAUTHENTICATED', 'KEY_REFUSED', false, 'account'],
    [402, 'RESOURCE_EXHAUSTED', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [403, 'PERMISSION_DENIED', 'ACCESS_DENIED', false, 'model'],
    [404, 'NOT_FOUND', 'MODEL_NOT_FOUND', false, 'model'],
    [429, 'RESOURCE_EXHAUSTED', 'THROTTLED', true, 'request'],
    [500, 'INTERNAL', 'PROVIDER_FAILED', true, 'request'],
    [503, 'UNAVAILABLE', 'PROVIDER_FAILED', true, 'request'],
    [504, 'DEADLINE_EXCEEDED', 'PROVIDER_FAILED', true, 'request'],
  ])(
    'error %i %s is read as %s, as a response or as an event',
    async (code, status, ours, retryable, scope) => {
      const body = { error: { code, message: `PRIVATE ${apiKey}`, status } }
      for (const how of [
        reply(code, body),
        stream([geminiEvent(body)]),
        reply(code, JSON.stringify([body])),
      ]) {
        server.respondWith(how)
        const error = await failure(gemini().generate(request, { signal: never }))
        expect(error).toMatchObject({ code: ours, retryable, scope })
        expect(describeError(error)).not.toMatch(/PRIVATE|secret|DASHSCOPE|ASR_MODEL/)
        expect(describeError(error)).toMatch(/^[A-Z_]+: .+\. .+\.$/)
      }
    },
  )

  it.each([
    ['by its reason', geminiError(400, 'INVALID_ARGUMENT', 'Another wording.', invalidKey)],
    ['by its words', geminiError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.')],
    ['that has leaked', geminiError(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked.')],
  ])('an error about the key is recognised %s', async (_, how) => {
    server.respondWith(how)
    const error = await failure(gemini().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'KEY_REFUSED', scope: 'account' })
    expect(error.hint).toContain('GEMINI_API_KEY')
  })

  it('an error about a model names it and the setting', async () => {
    server.respondWith(geminiError(404, 'NOT_FOUND'))
    const error = await failure(gemini().generate(request, { signal: never }))
    expect(describeError(error)).toMatch(/gemini-2\.5-flash.*FORMAT_MODELS/)
  })

  it.each<[string | undefined, number | undefined]>([
    ['34s', 34],
    ['0.5s', 0.5],
    ['soon', undefined],
    [undefined, undefined],
  ])('an error about the rate has the requested wait: %s', async (retryDelay, expected) => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }]
    server.respondWith(geminiError(429, 'RESOURCE_EXHAUSTED', 'x', details))
    expect(retryAfter(await failure(gemini().generate(request, { signal: never })))).toBe(expected)
  })

  it.each<[number, ErrorCode]>([
    [403, 'PROVIDER_REFUSED'],
    [404, 'WRONG_BASE_URL'],
    [413, 'PROVIDER_REFUSED'],
    [429, 'THROTTLED'],
    [502, 'PROVIDER_FAILED'],
  ])('status %i with the page of a proxy is %s', async (status, code) => {
    server.respond(status, '<html>PRIVATE</html>')
    const error = await failure(gemini().generate(request, { signal: never }))
    expect(error).toMatchObject({ code })
    expect(describeError(error)).not.toMatch(/PRIVATE|DASHSCOPE/)
  })

  it('a network error names the address of Gemini, but no key', async () => {
    server.respondWith(dropConnection)
    const error = await failure(gemini().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.hint).toContain('GEMINI_BASE_URL')
    expect(describeError(error)).not.toContain(apiKey)
  })
})
