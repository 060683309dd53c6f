// Recognition of one chunk over REST: the request that is sent, and the meaning of each success.

import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { cancelled } from '../../../../src/domain/errors.ts'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { asrRetries } from '../../../../src/drivers/asr/retries.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, truth, truthText } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'
import {
  apiKey,
  chunk,
  never,
  path,
  recogniserOf,
  success,
} from '../../../support/servers/dashscope-client.ts'
import { startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4 })
})
afterEach(() => http.close())
afterAll(() => server.close())

const recogniser = (options: { key?: undefined } = {}) =>
  recogniserOf(http, { baseUrl: server.baseUrl, ...options })

describe('chunk recognition: the request', () => {
  beforeEach(() => server.respond(200, success({ content: [{ text: 'ok' }] })))

  it('sends the chunk as the reference asks for it', async () => {
    await recogniser().recognise({ ...chunk, language: 'ru', context: 'Names: "Ада"' }, never)
    const request = server.requests[0]!
    expect(`${request.method} ${request.path}`).toBe(`POST /api/v1${path}`)
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(request.body)),
    })
    expect(JSON.parse(request.body)).toEqual({
      model: 'qwen3-asr-flash',
      input: {
        messages: [
          { role: 'system', content: [{ text: 'Names: "Ада"' }] },
          { role: 'user', content: [{ audio: 'data:audio/mpeg;base64,YXVkaW8=' }] },
        ],
      },
      parameters: { result_format: 'message', asr_options: { language: 'ru', enable_itn: false } },
    })
  })

  it('sends no system message and no language where none was given', async () => {
    await recogniser().recognise(chunk, never)
    const { input, parameters } = JSON.parse(server.requests[0]!.body)
    expect(input.messages.map(({ role }: { role: string }) => role)).toEqual(['user'])
    expect(parameters.asr_options).toEqual({ enable_itn: false })
  })

  it.each([0, 1, 2, 3, 49_151, 49_152, 49_153, 100_000])(
    'sends %i bytes of audio unchanged',
    async length => {
      const audio = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255))
      await recogniser().recognise({ ...chunk, audio }, never)
      const [, base64] = JSON.parse(server.requests[0]!.body).input.messages[0].content[0].audio.split(',')
      expect(Buffer.from(base64, 'base64').equals(audio)).toBe(true)
    },
  )

  it.each(['\u0000audio\u0000', '\\u0000audio\\u0000', '"}]}', '\ud83d'])(
    'sends valid JSON with the context %j',
    async context => {
      await recogniser().recognise({ ...chunk, context }, never)
      const { messages } = JSON.parse(server.requests[0]!.body).input
      expect(messages[0].content).toEqual([{ text: context }])
      expect(messages[1].content).toEqual([{ audio: 'data:audio/mpeg;base64,YXVkaW8=' }])
    },
  )

  it('sends nothing without a key', async () => {
    const error = await failure(recogniser({ key: undefined }).recognise(chunk, never))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account', retryable: false })
    expect(server.requests).toEqual([])
  })

  it('sends nothing when the signal was aborted before', async () => {
    const reason = cancelled()
    await expect(recogniser().recognise(chunk, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(server.requests).toEqual([])
  })
})

describe('chunk recognition: a success', () => {
  const language = [{ type: 'audio_info', language: 'zh', emotion: 'neutral' }]

  it.each([
    [
      'text and language',
      { content: [{ text: '你好。' }], annotations: language },
      { text: '你好。', language: 'zh' },
    ],
    ['text in parts', { content: [{ text: 'One ' }, { text: 'two.' }] }, { text: 'One two.' }],
    ['no annotations', { content: [{ text: 'One.' }] }, { text: 'One.' }],
    [
      'annotations of another kind',
      { content: [{ text: 'a' }], annotations: [{ type: 'x' }] },
      { text: 'a' },
    ],
    [
      'annotations of another type',
      { content: [{ text: 'a' }], annotations: ['x', { language: 7 }] },
      { text: 'a' },
    ],
    ['text that is no list', { content: 'One.' }, { text: 'One.' }],
    ['parts of other types beside text', { content: [{ text: 'a' }, { text: 5 }, null, 7] }, { text: 'a' }],
    ['no annotation', { content: [{ text: 'a' }], annotations: null }, { text: 'a' }],
    ['an empty list: silence', { content: [], annotations: language }, { text: '', language: 'zh' }],
    ['an empty text: silence', { content: [{ text: '' }] }, { text: '' }],
    ['no content: silence', { role: 'assistant' }, { text: '' }],
  ])('reads a response with %s', async (_, message, expected) => {
    server.respond(200, success(message))
    expect(await recogniser().recognise(chunk, never)).toEqual({
      ...expected,
      costUsd: 0.000175,
    })
  })

  it('tells an answer that was cut at its longest', async () => {
    for (const [finish_reason, isCut] of [
      ['length', true],
      ['stop', undefined],
      ['null', undefined],
      [7, undefined],
    ]) {
      server.respond(200, { output: { choices: [{ finish_reason, message: { content: [{ text: 'a' }] } }] } })
      expect((await recogniser().recognise(chunk, never)).isCut).toBe(isCut)
    }
  })

  it('reads the error of models that find no words as silence', async () => {
    server.respond(400, { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'no words' })
    expect(await recogniser().recognise(chunk, never)).toEqual({ text: '', costUsd: 0 })
  })

  it.each([
    ['another shape', { choices: [] }, 'output'],
    ['no choice', { output: { choices: [] } }, 'output.choices'],
    ['text of another type', success({ content: [{ text: 5 }] }), 'output.choices.0.message.content.0.text'],
    ['nothing', 'null', 'no object'],
  ])(
    'a success with %s may be billed: it is asked for once, and the error says where it differs',
    async (_, body, place) => {
      server.respond(200, body)
      const { recognise } = wrap(
        recogniser(),
        ['recognise'],
        retrying({ ...asrRetries, firstDelaySeconds: 1e-6 }),
      )
      const error = await failure(recognise(chunk, never))
      expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false, scope: 'request' })
      expect(error.message).toContain(`(${place})`)
      expect(server.requests).toHaveLength(1)
    },
  )

  it.each([
    ['half of its JSON', '{"output":{"choi'],
    ['the page of a proxy', '<html>Sign in to the WiFi</html>'],
  ])('takes a response with %s for a retryable failure', async (_, body) => {
    server.respond(200, body)
    const error = await failure(recogniser().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true, scope: 'request' })
  })
})

describe('chunk recognition: against the emulator', () => {
  let emulator: DashscopeEmulator
  let client: HttpClient
  beforeAll(async () => {
    emulator = await startDashscope({ ffmpeg: await testFfmpeg() })
    client = createHttpClient({ connections: 1 })
  })
  afterAll(async () => {
    await client.close()
    await emulator.close()
  })

  const recognise = (apiKey: string) => {
    const cloud = dashscope({ apiKey, baseUrl: emulator.url, http: client })
    const recording = { audio: readFileSync(fixture('jfk.wav')), mime: 'audio/wav', seconds: 11 }
    return chunkAsr(cloud, { model: knownModels.find('qwen3-asr-flash', 'chunk'), concurrency: 1 }).recognise(
      recording,
      never,
    )
  }

  it('returns the words of a recording', async () => {
    expect(await recognise(emulator.apiKey)).toEqual({
      text: truthText(truth('jfk')),
      language: 'en',
      costUsd: expect.closeTo(emulator.bill().dollars, 9),
    })
  })

  it('chunk recognition is refused with another key', async () => {
    expect(await failure(recognise('sk-other'))).toMatchObject({ code: 'KEY_REFUSED', scope: 'account' })
  })
})
