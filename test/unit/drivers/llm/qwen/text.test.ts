// Qwen as a text model: what is sent, what its streams and its odd answers mean, and the way to the other route.
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelled, describeError, type ErrorCode } from '../../../../../src/domain/errors.ts'
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
const usage = { inputTokens: 8, outputTokens: 39 }

let server: TextServer
let http: HttpClient
beforeAll(async () => {
  server = await startTextServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4, responseTimeoutSeconds: 0.5 })
})
afterEach(() => http.close())
afterAll(() => server.close())

function qwen(model = 'qwen-flash') {
  return qwenText(dashscope({ apiKey, baseUrl: server.baseUrl, http }), { model, concurrency: 4 })
}

const bodies = () => server.requests.map(({ body }) => JSON.parse(body))
const route = (name: string) => `/api/v1/services/aigc/${name}/generation`

describe('a request', () => {
  it('to a model of the old generation has its text as a string', async () => {
    server.respondWith(stream(qwenEvents('So I went home.')))
    await qwen().generate(request, { signal: never })
    const [{ method, path, headers }] = server.requests as [(typeof server.requests)[0]]
    expect(`${method} ${path}`).toBe(`POST ${route('text-generation')}`)
    expect(headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'x-dashscope-sse': 'enable',
    })
    expect(bodies()).toEqual([
      {
        model: 'qwen-flash',
        input: {
          messages: [
            { role: 'system', content: request.system },
            { role: 'user', content: request.user },
          ],
        },
        parameters: {
          result_format: 'message',
          incremental_output: true,
          temperature: 0.2,
          max_tokens: 900,
          enable_thinking: false,
        },
      },
    ])
  })

  it('to a newer one takes the other route, with its text in a list', async () => {
    server.respondWith(
      stream([
        sseEvent(qwenBody('So I ', 'null', { list: true })),
        sseEvent(qwenBody('went.', 'stop', { list: true })),
      ]),
    )
    const { text } = await qwen('qwen3.7-flash').generate(request, { signal: never })
    expect(text).toBe('So I went.')
    expect(server.requests[0]!.path).toBe(route('multimodal-generation'))
    expect(bodies()[0]).toMatchObject({
      input: { messages: [{ content: [{ text: request.system }] }, { content: [{ text: request.user }] }] },
      parameters: { max_completion_tokens: 900, enable_thinking: false },
    })
    expect(bodies()[0].parameters).not.toHaveProperty('max_tokens')
  })

  it.each([
    ...[
      'qwen-turbo',
      'qwen-turbo-latest',
      'qwen-plus',
      'qwen-max',
      'qwen3-8b',
      'qwen3-max',
      'qwen2.5-7b-instruct',
    ],
    ...['qwen-7b-chat', 'deepseek-v3.2', 'glm-4.6'],
  ])('to %s takes the route of texts', async model => {
    server.respondWith(stream(qwenEvents('Ok.')))
    await qwen(model).generate(request, { signal: never })
    expect(server.requests.map(({ path }) => path)).toEqual([route('text-generation')])
  })

  it.each(['qwen3.5-flash', 'qwen3.6-plus', 'qwen3.8-flash-2026-09-01', 'qwen4-flash', 'qwen3-vl-plus'])(
    'to %s takes the route of many media',
    async model => {
      server.respondWith(stream(qwenEvents('Ok.')))
      await qwen(model).generate(request, { signal: never })
      expect(server.requests.map(({ path }) => path)).toEqual([route('multimodal-generation')])
    },
  )

  it.each([
    ['qwen-turbo', 16_384],
    ['qwen-flash-2025-07-28', 32_768],
    ['qwen-max', 8_192],
    ['another-model', 1e6],
  ])('asks %s for no more than it can write', async (model, most) => {
    server.respondWith(stream(qwenEvents('Ok.')))
    await qwen(model).generate({ ...request, maxTokens: 1e6 }, { signal: never })
    expect(bodies()[0].parameters.max_tokens).toBe(most)
  })

  it('does not forbid thinking where a model can do nothing else', async () => {
    server.respondWith(stream(qwenEvents('Ok.')))
    await qwen('qwen3-30b-a3b-thinking-2507').generate(request, { signal: never })
    expect(bodies()[0].parameters).not.toHaveProperty('enable_thinking')
  })
})

describe('the wrong route', () => {
  const other: Parameters<TextServer['respondWith']>[0] = (seen, response, asked) =>
    seen.path === route('text-generation')
      ? stream([sseEvent(qwenError('InvalidParameter', 'url error, please check url！'), 1, 'error', 400)])(
          seen,
          response,
          asked,
        )
      : stream(qwenEvents('Ok.'))(seen, response, asked)

  it('leads to the other one, once: it is remembered', async () => {
    server.respondWith(other)
    const model = qwen('brand-new-model')
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    const [text, media] = [route('text-generation'), route('multimodal-generation')]
    expect(server.requests.map(({ path }) => path)).toEqual([text, media, media])
    expect(bodies()[1].input.messages[1].content).toEqual([{ text: request.user }])
  })

  it('is found by all who come at once, and none is sent back', async () => {
    server.respondWith(other)
    const model = qwen('brand-new-model')
    const answers = await Promise.all([1, 2, 3, 4].map(() => model.generate(request, { signal: never })))
    expect(answers.map(({ text }) => text)).toEqual(['Ok.', 'Ok.', 'Ok.', 'Ok.'])
    server.respondWith(other)
    await model.generate(request, { signal: never })
    expect(server.requests.map(({ path }) => path)).toEqual([route('multimodal-generation')])
  })

  it('by both is the end', async () => {
    server.respond(400, qwenError('InvalidParameter', 'url error, please check url！'))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_REFUSED', scope: 'request', retryable: false })
    expect(error.hint).toContain('FORMAT_MODELS')
    expect(server.requests).toHaveLength(2)
  })
})

describe('an answer', () => {
  it('is its frames put together, told of as they come, with tokens and price', async () => {
    server.respondWith(stream(qwenEvents('So ', 'I went', ' home.')))
    const heard: (number | string)[] = []
    const listener = {
      signal: never,
      onAccepted: () => heard.push('accepted'),
      onText: (written: number) => heard.push(written),
    }
    expect(await qwen().generate(request, listener)).toEqual({
      text: 'So I went home.',
      whole: true,
      model: 'qwen-flash',
      usage,
      costUsd: 0.000016,
    })
    expect(heard).toEqual(['accepted', 3, 9, 15, 15])
  })

  it('that comes byte by byte is the same', async () => {
    const bytes = Buffer.from(qwenEvents('今天', '我们去了。', 'Ça va 😀.').join(''))
    server.respondWith(stream(Array.from(bytes, byte => Uint8Array.of(byte))))
    expect(await qwen().generate(request, { signal: never })).toMatchObject({
      text: '今天我们去了。Ça va 😀.',
    })
  })

  it('with frames parted by one newline is the same', async () => {
    server.respondWith(stream(qwenEvents('So I', ' went.').map(frame => frame.replace('\n\n', '\n'))))
    expect(await qwen().generate(request, { signal: never })).toMatchObject({
      text: 'So I went.',
      whole: true,
    })
  })

  it.each([
    ['all so far in each frame', ['So', 'So I', 'So I went.'], 'So I went.', [2, 4, 10]],
    ['all so far, and thoughts before', ['', '', 'So', 'So I went.'], 'So I went.', [0, 0, 2, 10]],
    ['news that repeat', ['ha', 'ha', 'ha'], 'hahaha', [2, 4, 6]],
    ['news that begin alike', ['I', 'It', ' is.'], 'IIt is.', [1, 2, 7]],
  ])('with %s', async (_, contents, text, written) => {
    const frames = contents.map((content, i) => qwenBody(content, i + 1 < contents.length ? 'null' : 'stop'))
    server.respondWith(stream(frames.map((frame, i) => sseEvent(frame, i + 1))))
    const heard: number[] = []
    const onText = (length: number) => heard.push(length)
    expect(await qwen().generate(request, { signal: never, onText })).toMatchObject({ text, whole: true })
    expect(heard).toEqual(written)
  })

  it.each([
    ['thoughts apart', qwenBody('Ok.', 'stop', { more: { reasoning_content: 'Let me think.' } })],
    ['a list', qwenBody('Ok.', 'stop', { list: true })],
    [
      'the form of old models',
      { output: { text: 'Ok.', finish_reason: 'stop' }, usage: { input_tokens: 8, output_tokens: 39 } },
    ],
  ])('with %s, whole and as a frame', async (_, body) => {
    for (const how of [reply(200, body), stream([sseEvent(body)])]) {
      server.respondWith(how)
      expect(await qwen().generate(request, { signal: never })).toMatchObject({
        text: 'Ok.',
        whole: true,
        usage,
      })
    }
  })

  it.each(['length', 'tool_calls', 'anything else'])('that ends for %s is not whole', async reason => {
    server.respondWith(stream([sseEvent(qwenBody('So I')), sseEvent(qwenBody(' went', reason))]))
    expect(await qwen().generate(request, { signal: never })).toMatchObject({
      text: 'So I went',
      whole: false,
    })
  })

  it('without usage, or with an odd one, has no price', async () => {
    for (const odd of [null, 'many', { input_tokens: 'many' }]) {
      server.respond(200, { ...qwenBody('Ok.', 'stop'), usage: odd })
      const answer = await qwen().generate(request, { signal: never })
      expect(answer).toEqual({
        text: 'Ok.',
        whole: true,
        model: 'qwen-flash',
        usage: { inputTokens: 0, outputTokens: 0 },
      })
    }
  })

  it('of a model without a known price has none', async () => {
    server.respondWith(stream(qwenEvents('Ok.')))
    expect(await qwen('qwen3.7-flash').generate(request, { signal: never })).not.toHaveProperty('costUsd')
  })

  it('counts although the connection breaks after its end', async () => {
    server.respondWith(async (seen, response, asked) => {
      await stream(qwenEvents('Ok.'), { open: true })(seen, response, asked)
      asked.socket.destroy()
    })
    expect(await qwen().generate(request, { signal: never })).toMatchObject({ text: 'Ok.', whole: true })
  })
})

describe('an answer that is none', () => {
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
  ])('as it %s may pass', async (_, pieces) => {
    server.respondWith(stream(pieces))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true, scope: 'request' })
    expect(describeError(error)).not.toMatch(/PRIVATE|went|secret/)
  })

  it('as it was cut before its first word would be cut again', async () => {
    server.respondWith(stream([sseEvent(qwenBody('', 'length'))]))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  })

  it('as the connection was cut in its midst may pass', async () => {
    server.respondWith(async (seen, response, asked) => {
      await stream(qwenEvents('So I').slice(0, 1), { open: true })(seen, response, asked)
      asked.socket.destroy()
    })
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('as nothing more comes is a timeout', async () => {
    server.respondWith(stream(qwenEvents('So I').slice(0, 1), { open: true }))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true })
  })

  it('as nobody answers', async () => {
    server.respondWith(dropConnection)
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.hint).toContain('DASHSCOPE_BASE_URL')
  })

  it('as the call was aborted ends at once, with its reason', async () => {
    const call = new AbortController()
    const reason = cancelled()
    server.respondWith(stream(qwenEvents('So I').slice(0, 1), { open: true }))
    const work = qwen().generate(request, { signal: call.signal, onText: () => call.abort(reason) })
    await expect(work).rejects.toBe(reason)
  })
})

describe('an error', () => {
  it.each<[number, string, string, ErrorCode, boolean, 'account' | 'request']>([
    [400, 'InvalidParameter', 'Model not exist.', 'MODEL_NOT_FOUND', false, 'account'],
    [404, 'ModelNotFound', 'Model can not be found.', 'MODEL_NOT_FOUND', false, 'account'],
    [400, 'DataInspectionFailed', 'PRIVATE', 'CONTENT_REFUSED', false, 'request'],
    [401, 'InvalidApiKey', 'PRIVATE', 'KEY_REFUSED', false, 'account'],
    [400, 'Arrearage', 'PRIVATE', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [403, 'Model.AccessDenied', 'PRIVATE', 'ACCESS_DENIED', false, 'account'],
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

  it('is known by its code where its status is not told', async () => {
    const body = qwenError('DataInspectionFailed', 'x')
    for (const how of [reply(200, body), stream([`data:${JSON.stringify(body)}\n\n`])]) {
      server.respondWith(how)
      expect(await failure(qwen().generate(request, { signal: never }))).toMatchObject({
        code: 'CONTENT_REFUSED',
      })
    }
  })

  it('in the midst is not taken for the end of the answer', async () => {
    const heard: string[] = []
    server.respondWith(
      stream([sseEvent(qwenBody('So I')), sseEvent(qwenError('DataInspectionFailed', 'x'), 2, 'error', 400)]),
    )
    const listener = { signal: never, onAccepted: () => heard.push('accepted') }
    expect(await failure(qwen().generate(request, listener))).toMatchObject({ code: 'CONTENT_REFUSED' })
    expect(heard).toEqual(['accepted'])
  })

  it('at the beginning is no acceptance', async () => {
    const heard: string[] = []
    server.respondWith(stream([sseEvent(qwenError('InvalidParameter', 'Model not exist.'), 1, 'error', 400)]))
    await failure(qwen().generate(request, { signal: never, onAccepted: () => heard.push('accepted') }))
    expect(heard).toEqual([])
  })

  it('is not waited for by those who wait for the acceptance, where the first word takes its time', async () => {
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

  it('about a model names it, and where to set another', async () => {
    server.respond(400, qwenError('InvalidParameter', 'Model not exist.'))
    const error = await failure(qwen('qwen-turbo').generate(request, { signal: never }))
    expect(describeError(error)).toMatch(/^MODEL_NOT_FOUND: .*qwen-turbo.*FORMAT_MODELS/)
  })

  it.each<[number, ErrorCode]>([
    [403, 'PROVIDER_REFUSED'],
    [404, 'WRONG_BASE_URL'],
    [413, 'PROVIDER_REFUSED'],
    [502, 'PROVIDER_FAILED'],
  ])('%i with the page of a proxy is %s', async (status, code) => {
    server.respond(status, '<html>PRIVATE</html>')
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code })
    expect(describeError(error)).not.toContain('PRIVATE')
  })
})
