// The text models of the settings as one, down to the wire: keys, providers, and the emulator.
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeEmulator,
  dashscopeErrors,
  geminiErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import type { UnavailableModels } from '../../../../src/domain/models/model.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { type TextModelsOptions, textModels } from '../../../../src/drivers/llm/text-models.ts'
import { log } from '../../../../src/log.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { failure } from '../../../support/failure.ts'
import {
  geminiAnswer,
  qwenError,
  qwenEvents,
  startTextServer,
  stream,
  type TextServer,
} from '../../../support/servers/text-server.ts'

const never = new AbortController().signal
setMaxListeners(0, never)
const quiet = { signal: never }
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }

function memory(): UnavailableModels & { added: Set<string> } {
  const added = new Set<string>()
  return {
    added,
    has: async model => added.has(model),
    async add(model) {
      added.add(model)
    },
  }
}

let http: HttpClient
beforeEach(() => {
  http = createHttpClient({ connections: 32 })
  vi.spyOn(log, 'warn').mockImplementation(() => {})
})
afterEach(async () => {
  await http.close()
  vi.restoreAllMocks()
})

describe('the models of the settings', () => {
  let server: TextServer
  beforeAll(async () => {
    server = await startTextServer()
  })
  afterAll(() => server.close())

  const open = (
    options: Partial<Omit<TextModelsOptions, 'http'>> & { qwenKey?: undefined; geminiKey?: undefined } = {},
  ) =>
    textModels({
      models: ['qwen-turbo', 'qwen-flash', 'gemini-2.5-flash'],
      dashscope: { apiKey: 'qwenKey' in options ? undefined : 'sk-a', baseUrl: server.baseUrl },
      gemini: { apiKey: 'geminiKey' in options ? undefined : 'AIza-b', baseUrl: server.geminiUrl },
      http,
      unavailableModels: memory(),
      ...options,
    })

  it('the models are listed in their order, each once, without those whose provider has no key', () => {
    expect(open().models).toEqual(['qwen-turbo', 'qwen-flash', 'gemini-2.5-flash'])
    expect(open({ models: ['b', 'a', 'b'] }).models).toEqual(['b', 'a'])
    expect(open({ geminiKey: undefined }).models).toEqual(['qwen-turbo', 'qwen-flash'])
    expect(open({ qwenKey: undefined }).models).toEqual(['gemini-2.5-flash'])
  })

  it('without any key there is no model, and nothing is sent', async () => {
    server.respond(500, '')
    const model = open({ qwenKey: undefined, geminiKey: undefined })
    expect(model.models).toEqual([])
    const error = await failure(model.generate(request, quiet))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account' })
    expect(error.message).toMatch(/FORMAT_MODELS/)
    expect(error.hint).toMatch(/DASHSCOPE_API_KEY.*GEMINI_API_KEY/)
    expect(server.requests).toEqual([])
  })

  it('each model is asked through the API of its provider', async () => {
    server.respondWith((received, response, request) =>
      received.path.includes('gemini')
        ? geminiAnswer('Ok.')(received, response, request)
        : stream([
            `event:error\n:HTTP_STATUS/401\ndata:${JSON.stringify(qwenError('InvalidApiKey', 'x'))}\n\n`,
          ])(received, response, request),
    )
    expect(await open().generate(request, quiet)).toMatchObject({ text: 'Ok.', model: 'gemini-2.5-flash' })
    expect(
      server.requests.map(({ path, headers }) => [
        path.split('/').at(-1),
        headers.authorization,
        headers['x-goog-api-key'],
      ]),
    ).toEqual([
      ['generation', 'Bearer sk-a', undefined],
      ['gemini-2.5-flash:streamGenerateContent?alt=sse', undefined, 'AIza-b'],
    ])
  })

  it('an unavailable model is remembered for its address only', async () => {
    server.respondWith((received, response, request) =>
      received.body.includes('"qwen-turbo"')
        ? void response
            .writeHead(404)
            .end(JSON.stringify(qwenError('ModelNotFound', 'Model can not be found.')))
        : stream(qwenEvents('Ok.'))(received, response, request),
    )
    const unavailableModels = memory()
    await open({ unavailableModels }).generate(request, quiet)
    expect([...unavailableModels.added]).toEqual([`qwen-turbo at ${server.baseUrl}`])
  })
})

it('a request that is retried is reported as accepted once', async () => {
  const server = await startTextServer()
  server.respondInTurn(stream(qwenEvents('Ok.').slice(0, 1)), stream(qwenEvents('Ok.')))
  const onAccepted = vi.fn()
  const model = textModels({
    models: ['qwen-flash'],
    dashscope: { apiKey: 'sk-a', baseUrl: server.baseUrl },
    gemini: { apiKey: undefined, baseUrl: server.geminiUrl },
    http,
    unavailableModels: memory(),
  })
  expect(await model.generate(request, { ...quiet, onAccepted })).toMatchObject({ text: 'Ok.' })
  expect(server.requests).toHaveLength(2)
  expect(onAccepted).toHaveBeenCalledTimes(1)
  await server.close()
})

describe('text models against the emulator', () => {
  const spoken =
    'so i went to the market yesterday and met a man who sold me three apples and then we talked about the weather'
  const task = {
    system: 'Add punctuation, capitals and paragraphs. Change no word.',
    user: spoken,
    maxTokens: 2000,
  }
  let emulator: DashscopeEmulator
  beforeAll(async () => {
    emulator = await startDashscope({ ffmpeg: await testFfmpeg() })
  })
  afterAll(() => emulator.close())
  beforeEach(() => void emulator.textRequests.splice(0))

  const open = (models: string[], keys: { qwen?: string; gemini?: string } = {}) =>
    textModels({
      models,
      http,
      unavailableModels: memory(),
      dashscope: { apiKey: keys.qwen ?? emulator.apiKey, baseUrl: emulator.url },
      gemini: { apiKey: keys.gemini ?? emulator.geminiKey, baseUrl: emulator.geminiUrl },
    })
  const words = (text: string) => text.toLowerCase().match(/[a-z]+/g)
  const askedModels = () => emulator.textRequests.map(({ model }) => model)

  it.each(['qwen-flash', 'qwen3.7-flash', 'gemini-2.5-flash', 'gemini-3.5-flash-lite'])(
    '%s returns the words of the text',
    async name => {
      const lengths: number[] = []
      const answer = await open([name]).generate(task, { ...quiet, onText: length => lengths.push(length) })
      expect(answer).toMatchObject({ whole: true, model: name })
      expect(words(answer.text)).toEqual(words(spoken))
      expect(answer.usage.outputTokens).toBeGreaterThan(0)
      expect(lengths.at(-1)).toBe(answer.text.length)
    },
  )

  it('a retired first model costs one request of thirty-two', async () => {
    const model = open(['qwen-turbo', 'qwen-flash'])
    const answers = await Promise.all(Array.from({ length: 32 }, () => model.generate(task, quiet)))
    expect(answers.every(({ model }) => model === 'qwen-flash')).toBe(true)
    expect(askedModels().filter(name => name === 'qwen-turbo')).toHaveLength(1)
    expect(askedModels()).toHaveLength(33)
  })

  it('a model redirected to one without a thinking budget still answers', async () => {
    emulator.set({ redirectedTextModels: { 'gemini-2.5-flash': 'gemini-3.5-flash-lite' } })
    const answer = await open(['gemini-2.5-flash']).generate(task, quiet)
    emulator.set({ redirectedTextModels: {} })
    expect(answer.model).toBe('gemini-3.5-flash-lite')
    expect(words(answer.text)).toEqual(words(spoken))
  })

  it.each([
    ['DashScope', { qwen: 'sk-other' }, ['qwen-flash', 'gemini-2.5-flash'], 'gemini-2.5-flash'],
    ['Gemini', { gemini: 'AIza-other' }, ['gemini-2.5-flash', 'qwen-flash'], 'qwen-flash'],
  ])('a wrong key of %s does not stop the other provider', async (_, keys, models, expected) => {
    expect(await open(models, keys).generate(task, quiet)).toMatchObject({ model: expected })
  })

  it.each([
    ['separated by one newline', { kind: 'singleNewlines' }],
    ['that are cumulative', { kind: 'cumulative' }],
    ['replaced by one JSON document', { kind: 'jsonForStream' }],
  ] as const)('events %s lose no word', async (_, fault) => {
    for (const name of ['qwen-flash', 'gemini-2.5-flash']) {
      const off = emulator.textFault({ ...fault, times: 1 })
      const { text } = await open([name]).generate(task, quiet)
      off()
      expect(words(text)).toEqual(words(spoken))
    }
  })

  it.each([
    ['broke off', { kind: 'noFinish' }],
    ['was garbage', { kind: 'garbage' }],
    ['was cut by the network', { kind: 'dropMidway' }],
    ['was a server error', { kind: 'error', ...dashscopeErrors.internalError }],
    ['was a proxy’s page', { kind: 'html' }],
  ] as const)('an answer that %s is requested again', async (_, fault) => {
    const off = emulator.textFault({ ...fault, times: 1 })
    const { text } = await open(['qwen-flash']).generate(task, quiet)
    off()
    expect(words(text)).toEqual(words(spoken))
    expect(askedModels()).toEqual(['qwen-flash', 'qwen-flash'])
  })

  it.each([
    ['at once', { kind: 'refuse' }],
    ['midway', { kind: 'refuse', midway: true }],
  ] as const)('a text that one provider refuses %s goes to the other provider', async (_, fault) => {
    const off = [emulator.textFault({ ...fault, model: 'qwen-flash' })]
    expect(await open(['qwen-flash', 'gemini-2.5-flash']).generate(task, quiet)).toMatchObject({
      model: 'gemini-2.5-flash',
    })
    off.push(emulator.textFault({ ...fault, model: 'gemini-2.5-flash' }))
    const error = await failure(open(['qwen-flash', 'gemini-2.5-flash']).generate(task, quiet))
    for (const end of off) end()
    expect(error).toMatchObject({ code: 'CONTENT_REFUSED', scope: 'request' })
  })

  it('when Gemini asks for a long wait, the next model is asked', async () => {
    const off = emulator.textFault({
      kind: 'error',
      ...geminiErrors.resourceExhausted,
      model: 'gemini-2.5-flash',
    })
    expect(await open(['gemini-2.5-flash', 'qwen-flash']).generate(task, quiet)).toMatchObject({
      model: 'qwen-flash',
    })
    off()
    expect(askedModels()).toEqual(['gemini-2.5-flash', 'qwen-flash'])
  })

  it('an answer cut at its token limit is not whole', async () => {
    expect(await open(['qwen-flash']).generate({ ...task, maxTokens: 8 }, quiet)).toMatchObject({
      whole: false,
    })
  })
})
