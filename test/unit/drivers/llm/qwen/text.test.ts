// Qwen text models: the request, the streamed answer, and the switch to the other route.

import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { qwenText } from '../../../../../src/drivers/llm/qwen/text.ts'
import { failure } from '../../../../support/failure.ts'
import { reply } from '../../../../support/servers/task-server.ts'
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

const bodies = () => server.requests.map(({ body }) => JSON.parse(body))
const route = (name: string) => `/api/v1/services/aigc/${name}/generation`

describe('a request', () => {
  it('a request to an old model has its text as a string', async () => {
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

  it('a request to a newer model takes the other route, with its text in a list', async () => {
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
  ])('a request to %s takes the route of text models', async model => {
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
  ])('a request asks %s for at most the tokens that it can generate', async (model, most) => {
    server.respondWith(stream(qwenEvents('Ok.')))
    await qwen(model).generate({ ...request, maxTokens: 1e6 }, { signal: never })
    expect(bodies()[0].parameters.max_tokens).toBe(most)
  })

  it('a request does not disable thinking for a model that always thinks', async () => {
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

  it('the wrong route leads to the right one, which is remembered', async () => {
    server.respondWith(other)
    const model = qwen('brand-new-model')
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    expect(await model.generate(request, { signal: never })).toMatchObject({ text: 'Ok.' })
    const [text, media] = [route('text-generation'), route('multimodal-generation')]
    expect(server.requests.map(({ path }) => path)).toEqual([text, media, media])
    expect(bodies()[1].input.messages[1].content).toEqual([{ text: request.user }])
  })

  it('concurrent requests all find the right route, and none is sent back', async () => {
    server.respondWith(other)
    const model = qwen('brand-new-model')
    const answers = await Promise.all([1, 2, 3, 4].map(() => model.generate(request, { signal: never })))
    expect(answers.map(({ text }) => text)).toEqual(['Ok.', 'Ok.', 'Ok.', 'Ok.'])
    server.respondWith(other)
    await model.generate(request, { signal: never })
    expect(server.requests.map(({ path }) => path)).toEqual([route('multimodal-generation')])
  })

  it('a request fails when both routes are wrong', async () => {
    server.respond(400, qwenError('InvalidParameter', 'url error, please check url！'))
    const error = await failure(qwen().generate(request, { signal: never }))
    expect(error).toMatchObject({ code: 'PROVIDER_REFUSED', scope: 'model', retryable: false })
    expect(error.message).toContain('qwen-flash')
    expect(error.hint).toContain('FORMAT_MODELS')
    expect(server.requests).toHaveLength(2)
  })
})

describe('an answer', () => {
  it('an answer joins the text of its events, reports its progress, and has tokens and a price', async () => {
    server.respondWith(stream(qwenEvents('So ', 'I went', ' home.')))
    const events: (number | string)[] = []
    const listener = {
      signal: never,
      onAccepted: () => events.push('accepted'),
      onText: (written: number) => events.push(written),
    }
    expect(await qwen().generate(request, listener)).toEqual({
      text: 'So I went home.',
      whole: true,
      model: 'qwen-flash',
      usage,
      costUsd: 0.000016,
    })
    expect(events).toEqual(['accepted', 3, 9, 15, 15])
  })

  it('an answer is the same when it arrives byte by byte', async () => {
    const bytes = Buffer.from(qwenEvents('今天', '我们去了。', 'Ça va 😀.').join(''))
    server.respondWith(stream(Array.from(bytes, byte => Uint8Array.of(byte))))
    expect(await qwen().generate(request, { signal: never })).toMatchObject({
      text: '今天我们去了。Ça va 😀.',
    })
  })

  it('an answer is the same when its events are separated by one newline', async () => {
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
  ])('an answer is complete with %s', async (_, contents, text, written) => {
    const frames = contents.map((content, i) => qwenBody(content, i + 1 < contents.length ? 'null' : 'stop'))
    server.respondWith(stream(frames.map((frame, i) => sseEvent(frame, i + 1))))
    const events: number[] = []
    const onText = (length: number) => events.push(length)
    expect(await qwen().generate(request, { signal: never, onText })).toMatchObject({ text, whole: true })
    expect(events).toEqual(written)
  })

  it.each([
    ['thoughts apart', qwenBody('Ok.', 'stop', { more: { reasoning_content: 'Let me think.' } })],
    ['a list', qwenBody('Ok.', 'stop', { list: true })],
    [
      'the form of old models',
      { output: { text: 'Ok.', finish_reason: 'stop' }, usage: { input_tokens: 8, output_tokens: 39 } },
    ],
  ])('an answer is read with %s, as a document and as an event', async (_, body) => {
    for (const how of [reply(200, body), stream([sseEvent(body)])]) {
      server.respondWith(how)
      expect(await qwen().generate(request, { signal: never })).toMatchObject({
        text: 'Ok.',
        whole: true,
        usage,
      })
    }
  })

  it.each(['length', 'tool_calls', 'anything else'])(
    'an answer that ends with the reason %s is not whole',
    async reason => {
      server.respondWith(stream([sseEvent(qwenBody('So I')), sseEvent(qwenBody(' went', reason))]))
      expect(await qwen().generate(request, { signal: never })).toMatchObject({
        text: 'So I went',
        whole: false,
      })
    },
  )

  it('an answer without a valid usage has no price', async () => {
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

  it('an answer of a model with an unknown price has no price', async () => {
    server.respondWith(stream(qwenEvents('Ok.')))
    expect(await qwen('qwen3.7-flash').generate(request, { signal: never })).not.toHaveProperty('costUsd')
  })

  it('an answer is kept when the connection breaks after its end', async () => {
    server.respondWith(async (seen, response, asked) => {
      await stream(qwenEvents('Ok.'), { open: true })(seen, response, asked)
      asked.socket.destroy()
    })
    expect(await qwen().generate(request, { signal: never })).toMatchObject({ text: 'Ok.', whole: true })
  })
})
