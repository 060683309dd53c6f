// The models of ASR_MODEL as one recogniser, against a server that has retired some of them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import {
  type ChunkRecognisersOptions,
  chunkRecognisers,
} from '../../../../src/drivers/asr/chunk-recognisers.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { failure } from '../../../support/failure.ts'
import { apiKey, chunk, never, success } from '../../../support/servers/dashscope-client.ts'
import { memory } from '../../../support/servers/provider-models.ts'
import { reply, startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

const gone = reply(400, { code: 'InvalidParameter', message: 'Model not exist.' })

let server: TaskServer
let http: HttpClient
beforeAll(async () => {
  server = await startTaskServer()
  http = createHttpClient({ connections: 8 })
})
afterAll(() => Promise.all([http.close(), server.close()]))

/** The server knows no model whose name begins with `old`. */
beforeEach(() => {
  server.respondWith((received, ...rest) => {
    const { model } = JSON.parse(received.body)
    return (model.startsWith('old') ? gone : reply(200, success({ content: [{ text: `by ${model}` }] })))(
      received,
      ...rest,
    )
  })
})

const requested = () => server.requests.map(({ body }) => JSON.parse(body).model)

function open(names: string[], options: Partial<ChunkRecognisersOptions> = {}) {
  return chunkRecognisers({
    cloud: dashscope({ apiKey, baseUrl: server.baseUrl, http }),
    openai: { baseUrl: server.baseUrl, http },
    models: names.map(name => knownModels.find(name, 'chunk')),
    concurrency: 8,
    unavailableModels: memory(),
    ...options,
  })
}

describe('a list of models', () => {
  it('the first model that exists answers, and the answer has its name and price', async () => {
    const answer = await open(['old', 'qwen3-asr-flash']).recognise(chunk, never)
    expect(answer).toMatchObject({
      text: 'by qwen3-asr-flash',
      model: 'qwen3-asr-flash',
      costUsd: 0.000175,
    })
  })

  it('a successor that lacks the language is not asked', async () => {
    const recogniser = open(['old', 'qwen-audio-3.1-asr-flash'])
    const error = await failure(recogniser.recognise({ ...chunk, language: 'uk' }, never))
    expect(error).toMatchObject({ code: 'PROVIDER_REFUSED', message: expect.stringContaining('“uk”') })
    expect(requested()).toEqual(['old'])
  })

  it('eight requests at once cost a model that is gone one request', async () => {
    const recogniser = open(['old', 'new'])
    await Promise.all(Array.from({ length: 8 }, () => recogniser.recognise(chunk, never)))
    expect(requested().filter(model => model === 'old')).toHaveLength(1)
    expect(requested().filter(model => model === 'new')).toHaveLength(8)
  })

  it('that is so behind a proxy that delays the refusal, too', async () => {
    server.respondWith((received, ...rest) => {
      const isOld = JSON.parse(received.body).model === 'old'
      const answer = isOld ? gone : reply(200, success({ content: [{ text: 'new' }] }))
      setTimeout(() => answer(received, ...rest), isOld ? 100 : 0)
    })
    const recogniser = open(['old', 'new'])
    await Promise.all(Array.from({ length: 3 }, () => recogniser.recognise(chunk, never)))
    expect(requested()).toEqual(['old', 'new', 'new', 'new'])
  })

  it('a model that is known to be gone is not asked', async () => {
    const unavailableModels = memory()
    await open(['old', 'new'], { unavailableModels }).recognise(chunk, never)
    server.requests.length = 0
    await open(['old', 'new'], { unavailableModels }).recognise(chunk, never)
    expect(requested()).toEqual(['new'])
  })

  it('the other models get no request while the first one lives', async () => {
    const recogniser = open(['new', 'newer'])
    await Promise.all(Array.from({ length: 8 }, () => recogniser.recognise(chunk, never)))
    expect(new Set(requested())).toEqual(new Set(['new']))
  })

  it('an error that is not about the model leads to no other model', async () => {
    server.respond(401, { code: 'InvalidApiKey' })
    await expect(open(['new', 'newer']).recognise(chunk, never)).rejects.toMatchObject({
      code: 'KEY_REFUSED',
    })
    expect(requested()).toEqual(['new'])
  })

  it('a list of which no model exists fails with an error that names the setting', async () => {
    await expect(open(['old', 'older']).recognise(chunk, never)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      scope: 'account',
      hint: expect.stringContaining('ASR_MODEL'),
    })
    expect(requested()).toEqual(['old', 'older'])
  })
})

describe('a list of two providers', () => {
  const openai = () => ({ baseUrl: 'https://api.openai.com/v1', http })
  const withoutKey = () => dashscope({ apiKey: undefined, baseUrl: server.baseUrl, http })

  it('passes over OpenAI where only the key of DashScope is set, and costs what the other model costs', async () => {
    const recogniser = open(['openai:whisper-1', 'qwen3-asr-flash'], { openai: openai() })
    expect(await recogniser.recognise(chunk, never)).toMatchObject({ model: 'qwen3-asr-flash' })
    expect(recogniser).toMatchObject({ model: 'openai:whisper-1', usdPerSecond: 0.000035 })
    expect(requested()).toEqual(['qwen3-asr-flash'])
  })

  it('passes over DashScope where an engine of one’s own can be asked', async () => {
    server.respond(200, { text: 'by my own' })
    const recogniser = open(['qwen3-asr-flash', 'openai:mine'], { cloud: withoutKey() })
    expect(await recogniser.recognise(chunk, never)).toMatchObject({
      text: 'by my own',
      model: 'openai:mine',
    })
    expect(server.requests).toHaveLength(1)
  })

  it('says that a key is missing where no provider has one, without a request', async () => {
    const recogniser = open(['openai:whisper-1', 'qwen3-asr-flash'], {
      cloud: withoutKey(),
      openai: openai(),
    })
    await expect(recogniser.recognise(chunk, never)).rejects.toMatchObject({
      code: 'KEY_MISSING',
      message: 'No key of OpenAI is set.',
    })
    expect(server.requests).toEqual([])
  })

  it('tells of the model that could be asked if that is gone', async () => {
    const recogniser = open(['openai:whisper-1', 'old'], { openai: openai() })
    await expect(recogniser.recognise(chunk, never)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('openai:whisper-1: KEY_MISSING'),
    })
  })
})

it('a model that is alone in its list is asked with every request', async () => {
  const unavailableModels = memory()
  const recogniser = open(['old'], { unavailableModels })
  for (let i = 0; i < 2; i++)
    await expect(recogniser.recognise(chunk, never)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  expect(requested()).toEqual(['old', 'old'])
  expect(unavailableModels.added).toEqual([])
})
