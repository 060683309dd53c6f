// Recognition by servers with OpenAI's transcription API: what is sent, what an answer means, and what a failure means.
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenAiEmulator, startOpenAi } from '../../../../emulators/openai/openai.ts'
import { createModelCatalog, knownModels } from '../../../../src/domain/models/catalog.ts'
import { chunkRecognisers } from '../../../../src/drivers/asr/chunk-recognisers.ts'
import { openAiAsr } from '../../../../src/drivers/asr/openai/openai-asr.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, truth, truthText } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'
import { chunk, never } from '../../../support/servers/dashscope-client.ts'
import { memory } from '../../../support/servers/provider-models.ts'
import { reply, startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient
beforeAll(async () => {
  server = await startTaskServer()
})
afterAll(() => server.close())
beforeEach(() => {
  http = createHttpClient({ connections: 4, deadline: { idleSeconds: 0.3 } })
})
afterEach(() => http.close())

const model = (name = 'openai:whisper-1') => knownModels.find(name, 'chunk')
const engine = (apiKey?: string) =>
  openAiAsr({ baseUrl: server.baseUrl, apiKey, http }, { model: model(), concurrency: 4 })
const recognise = (seconds = 10) => engine().recognise({ ...chunk, seconds }, never)
const answer = (body: object | string) => server.respond(200, body)

describe('the request', () => {
  it('asks for words and segments with times, and gives language, context and key', async () => {
    answer({ text: 'Hello.' })
    await engine('sk-1').recognise({ ...chunk, language: 'de', context: 'Ada, Grace' }, never)
    const [{ path, headers, body }] = server.requests as [(typeof server.requests)[number]]
    expect(path).toMatch(/\/audio\/transcriptions$/)
    expect(headers).toMatchObject({ authorization: 'Bearer sk-1', 'content-length': String(body.length) })
    const fields = [
      ...body.matchAll(/name="([^"]+)"(?:; filename="[^"]+")?\r\n(?:Content-Type: \S+\r\n)?\r\n(.*)\r\n/g),
    ]
    expect(fields.map(([, name, value]) => [name, value])).toEqual([
      ['model', 'whisper-1'],
      ['language', 'de'],
      ['prompt', 'Ada, Grace'],
      ['response_format', 'verbose_json'],
      ['timestamp_granularities[]', 'word'],
      ['timestamp_granularities[]', 'segment'],
      ['file', 'audio'],
    ])
  })

  it('sends no key where none is set', async () => {
    answer({ text: '' })
    await recognise()
    expect(server.requests[0]!.headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['names the format, and from then on at once', 'no verbose_json', [true, false, false, false]],
    ['names nothing, for this chunk alone', 'no', [true, false, true, false, true, false]],
  ])('asks for less after a refusal that %s', async (_, message, isVerbose) => {
    server.respondWith((received, ...rest) =>
      reply(received.body.includes('verbose_json') ? 400 : 200, { text: 'Hello.', error: { message } })(
        received,
        ...rest,
      ),
    )
    const own = engine()
    for (let i = 0; i < 3; i++) expect(await own.recognise(chunk, never)).toEqual({ text: 'Hello.' })
    expect(server.requests.map(({ body }) => body.includes('verbose_json'))).toEqual(isVerbose)
  })
})

describe('an answer', () => {
  const words = [
    { word: 'Hello', start: 0.5, end: 0.9 },
    { word: 'big', start: 1, end: 1.3 },
    { word: 'world', start: 1.4, end: 2.2 },
  ]

  it('has the words of the text with their times, whatever marks the server leaves out', async () => {
    answer({ text: 'Hello, big world!', words, language: 'english' })
    expect(await recognise()).toEqual({
      text: 'Hello, big world!',
      language: 'en',
      words: [
        { text: 'Hello, ', start: 0.5, end: 0.9 },
        { text: 'big ', start: 1, end: 1.3 },
        { text: 'world!', start: 1.4, end: 2.2 },
      ],
    })
  })

  it.each([
    ['one header', 'language English<asr_text>Hello.', { text: 'Hello.', language: 'en' }],
    [
      'a header in each part',
      'language German<asr_text>Ja.language German<asr_text>Nein.',
      { text: 'Ja. Nein.', language: 'de' },
    ],
    ['a header of silence', 'language None<asr_text>', { text: '' }],
    ['tokens', '<|en|><|NEUTRAL|>Hello.', { text: 'Hello.' }],
  ])('loses %s of the model', async (_, text, expected) => {
    answer({ text })
    expect(await recognise()).toEqual(expected)
  })

  it.each([
    ['null times', { words: words.map(word => ({ ...word, start: null })) }],
    ['times as text', { words: words.map(({ word }) => ({ word, start: '0:01', end: '0:02' })) }],
    ['no items', { words: [], segments: [] }],
    ['null lists', { words: null, segments: null }],
    [
      'times in nanoseconds',
      {
        segments: [
          { text: 'Hello big', start: 0, end: 4e9 },
          { text: 'world', start: 5e9, end: 9e9 },
        ],
      },
    ],
    ['the whole as one segment', { segments: [{ text: 'Hello big world', start: 0, end: 10 }] }],
    ['zeros', { segments: words.map(({ word }) => ({ text: word, start: 0, end: 0 })) }],
    [
      'the first word last',
      { words: words.map((word, i) => (i === 0 ? { ...word, start: 3, end: 3.5 } : word)) },
    ],
    ['words of another text', { words: words.map(({ start, end }) => ({ word: 'other', start, end })) }],
  ])('has no times where the server gives %s', async (_, times) => {
    answer({ text: 'Hello big world', ...times })
    expect(await recognise()).toEqual({ text: 'Hello big world' })
  })

  it.each([
    ['letters', (text: string) => text.length],
    ['letters without spaces', (text: string) => text.replace(/\s/g, '').length],
    ['number', () => 1],
  ])('has no times that were spread by the %s of segments', async (_, measure) => {
    const texts = [
      'One short sentence.',
      'Another that is a good deal longer than it.',
      'The end.',
      'Or nearly.',
    ]
    const total = texts.reduce((sum, text) => sum + measure(text), 0)
    let at = 0
    const segments = texts.map(text => {
      const start = at
      at += (10 * measure(text)) / total
      return { text, start: Math.round(start * 100) / 100, end: Math.round(at * 100) / 100 }
    })
    answer({ text: texts.join(' '), segments })
    expect(await recognise()).not.toHaveProperty('segments')
  })

  it('has the price of the seconds that the server counts', async () => {
    answer({ text: 'Hello.', usage: { type: 'duration', seconds: 12 } })
    expect(await recognise()).toEqual({ text: 'Hello.', costUsd: 0.0012 })
  })

  it('is joined from segments where it has no text', async () => {
    answer({ segments: [{ text: ' One two. ' }, { text: ' Three.' }] })
    expect(await recognise()).toEqual({ text: 'One two. Three.' })
  })
})

describe('a failure', () => {
  const error = (message: string, code: unknown = null) => ({ error: { message, code } })

  it.each([
    [401, error('Incorrect API key'), 'KEY_MISSING'],
    [403, {}, 'ACCESS_DENIED'],
    [403, '<html>', 'PROVIDER_REFUSED'],
    [404, { detail: 'Not Found' }, 'WRONG_BASE_URL'],
    [404, error('The model `x` does not exist.', 404), 'MODEL_NOT_FOUND'],
    [404, { detail: "Model 'x' is not installed locally." }, 'MODEL_NOT_FOUND'],
    [400, error('Maximum clip duration (600s) exceeded.', 400), 'TOO_LARGE'],
    [413, '<html>Request Entity Too Large</html>', 'TOO_LARGE'],
    [429, error('You exceeded your current quota', 'insufficient_quota'), 'ACCOUNT_IN_ARREARS'],
    [400, error('Invalid language'), 'PROVIDER_REFUSED'],
    [500, error('CUDA out of memory'), 'PROVIDER_FAILED'],
    [503, 'loading', 'PROVIDER_FAILED'],
    [429, error('slow down'), 'THROTTLED'],
    [200, '<html>Open WebUI</html>', 'PROVIDER_FAILED'],
    [200, { id: 'chatcmpl-1', choices: [] }, 'PROVIDER_FAILED'],
  ])('%i %j means %s', async (status, body, code) => {
    server.respond(status, body)
    expect(await failure(recognise())).toMatchObject({
      code,
      message: expect.stringMatching(/OPENAI_BASE_URL/),
    })
  })

  it.each([
    ['of the message', 'Audio is longer than 30 seconds', 30],
    ['half of the chunk', 'Audio file is too long', 60],
  ])('a refusal of length teaches the limit: %s', async (_, message, seconds) => {
    server.respond(400, error(message))
    const own = engine()
    await failure(own.recognise({ ...chunk, seconds: 120 }, never))
    expect(own.limits.maxSeconds).toBe(seconds)
  })

  it('of a key is found before anything is sent to OpenAI', async () => {
    const openAi = openAiAsr(
      { baseUrl: 'https://api.openai.com/v1', http: {} as HttpClient },
      { model: model(), concurrency: 1 },
    )
    expect(await failure(openAi.recognise(chunk, never))).toMatchObject({
      code: 'KEY_MISSING',
      scope: 'account',
    })
  })

  it('with Retry-After says how long to wait', async () => {
    const waits: unknown[] = []
    for (const header of ['7', '9999']) {
      server.respondWith((_, response) => void response.writeHead(503, { 'retry-after': header }).end('{}'))
      waits.push(((await failure(recognise())).cause as { retryAfter?: number }).retryAfter)
    }
    expect(waits).toEqual([7, 9999])
  })

  it('of more than 25 MB is found before anything is sent', async () => {
    answer({ text: '' })
    const audio = Buffer.alloc(25_000_001)
    expect(await failure(engine().recognise({ ...chunk, audio }, never))).toMatchObject({ code: 'TOO_LARGE' })
    expect(server.requests).toEqual([])
  })
})

describe('an engine that misbehaves', () => {
  let emulator: OpenAiEmulator
  beforeAll(async () => {
    emulator = await startOpenAi({ ffmpeg: await testFfmpeg(), engine: 'llama.cpp' })
  })
  afterAll(() => emulator.close())

  const open = (client = http) =>
    chunkRecognisers({
      cloud: dashscope({ apiKey: undefined, baseUrl: server.baseUrl, http }),
      openai: { baseUrl: emulator.url, http: client },
      models: [model('openai:any')],
      concurrency: 1,
      unavailableModels: memory(),
    })

  it('that never answers is asked once', async () => {
    emulator.fault({ kind: 'hang' })
    expect(await failure(open().recognise(chunk, never))).toMatchObject({ code: 'PROVIDER_TIMEOUT' })
    expect(emulator.requests).toEqual([])
  })

  it.each(['drop', 'half', 'html'] as const)('that fails once (%s) is asked again', async kind => {
    const before = emulator.requests.length
    emulator.fault({ kind })
    const slow = createHttpClient({ connections: 1 })
    expect(await open(slow).recognise({ ...chunk, audio: readFileSync(fixture('jfk.wav')) }, never)).toEqual({
      text: truthText(truth('jfk')),
    })
    await slow.close()
    expect(emulator.requests).toHaveLength(before + 1)
  })
})

describe('the price', () => {
  it('of an engine of one’s own is nothing, unless the user sets one', () => {
    const own = createModelCatalog([{ name: 'openai:b', price: { usdPerSecond: 0.5 } }], ['openai'])
    expect(own.find('openai:whisper-1', 'chunk').price).toEqual({ usdPerSecond: 0 })
    expect(own.find('openai:b', 'chunk').price).toEqual({ usdPerSecond: 0.5 })
    expect(model().price).toEqual({ usdPerSecond: 0.0001 })
    expect(model('openai:unheard-of').price).toBeUndefined()
  })
})
