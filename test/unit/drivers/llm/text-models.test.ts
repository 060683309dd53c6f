// The text models of the settings as one, down to the wire: keys, rates, retries, and the stand-in cloud.
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeEmulator,
  dashscopeErrors,
  geminiErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { cancelled, type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import { usdForTokens, usdPerMillionTokens } from '../../../../src/domain/prices.ts'
import type { TextModel, UnavailableModels } from '../../../../src/domain/text-model.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { createAdaptiveRateLimiter } from '../../../../src/drivers/http/rate-limiter.ts'
import { type TextModelsOptions, textModels } from '../../../../src/drivers/llm/text-models.ts'
import { limited, retrying } from '../../../../src/drivers/llm/wrappers.ts'
import { log } from '../../../../src/log.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { failure } from '../../../support/failure.ts'
import {
  geminiAnswer,
  qwenError,
  qwenFrames,
  startTextServer,
  stream,
  type TextServer,
} from '../../../support/servers/text-server.ts'

const never = new AbortController().signal
setMaxListeners(0, never)
const quiet = { signal: never }
const request = { system: 'Add punctuation.', user: 'so i went home', maxTokens: 900 }

function memory(): UnavailableModels & { retired: Set<string> } {
  const retired = new Set<string>()
  return {
    retired,
    has: async model => retired.has(model),
    async add(model) {
      retired.add(model)
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
    wishes: Partial<Omit<TextModelsOptions, 'http'>> & { qwenKey?: undefined; geminiKey?: undefined } = {},
  ) =>
    textModels({
      models: ['qwen-turbo', 'qwen-flash', 'gemini-2.5-flash'],
      dashscope: { apiKey: 'qwenKey' in wishes ? undefined : 'sk-a', baseUrl: server.baseUrl },
      gemini: { apiKey: 'geminiKey' in wishes ? undefined : 'AIza-b', baseUrl: server.geminiUrl },
      http,
      unavailableModels: memory(),
      ...wishes,
    })

  it('are listed in their order, each once, without those whose provider has no key', () => {
    expect(open().models).toEqual(['qwen-turbo', 'qwen-flash', 'gemini-2.5-flash'])
    expect(open({ models: ['b', 'a', 'b'] }).models).toEqual(['b', 'a'])
    expect(open({ geminiKey: undefined }).models).toEqual(['qwen-turbo', 'qwen-flash'])
    expect(open({ qwenKey: undefined }).models).toEqual(['gemini-2.5-flash'])
  })

  it('are none without a key, and nothing is sent', async () => {
    server.answers(500, '')
    const model = open({ qwenKey: undefined, geminiKey: undefined })
    expect(model.models).toEqual([])
    const error = await failure(model.generate(request, quiet))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account' })
    expect(error.message).toMatch(/FORMAT_MODELS/)
    expect(error.hint).toMatch(/DASHSCOPE_API_KEY.*GEMINI_API_KEY/)
    expect(server.seen).toEqual([])
  })

  it('are asked by their provider’s own ways', async () => {
    server.answer((seen, response, asked) =>
      seen.path.includes('gemini')
        ? geminiAnswer('Ok.')(seen, response, asked)
        : stream([
            `event:error\n:HTTP_STATUS/401\ndata:${JSON.stringify(qwenError('InvalidApiKey', 'x'))}\n\n`,
          ])(seen, response, asked),
    )
    expect(await open().generate(request, quiet)).toMatchObject({ text: 'Ok.', model: 'gemini-2.5-flash' })
    expect(
      server.seen.map(({ path, headers }) => [
        path.split('/').at(-1),
        headers.authorization,
        headers['x-goog-api-key'],
      ]),
    ).toEqual([
      ['generation', 'Bearer sk-a', undefined],
      ['gemini-2.5-flash:streamGenerateContent?alt=sse', undefined, 'AIza-b'],
    ])
  })

  it('are remembered as gone for their address alone', async () => {
    server.answer((seen, response, asked) =>
      seen.body.includes('"qwen-turbo"')
        ? void response
            .writeHead(404)
            .end(JSON.stringify(qwenError('ModelNotFound', 'Model can not be found.')))
        : stream(qwenFrames('Ok.'))(seen, response, asked),
    )
    const unavailableModels = memory()
    await open({ unavailableModels }).generate(request, quiet)
    expect([...unavailableModels.retired]).toEqual([`qwen-turbo at ${server.baseUrl}`])
  })
})

/** A model that fails with each of these in turn, and then answers. */
function failing(...errors: unknown[]): TextModel & { calls: number } {
  return {
    models: ['fake'],
    concurrency: 1,
    calls: 0,
    async generate() {
      const error = errors[this.calls++]
      if (error) throw error
      return { text: 'ok', whole: true, model: 'fake', usage: { inputTokens: 1, outputTokens: 1 } }
    },
  }
}

const error = (code: ErrorCode, retryable: boolean, cause?: object) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable, ...(cause && { cause }) })

describe('retrying', () => {
  const firstDelay = 1e-6
  const delays = () => vi.mocked(log.info).mock.calls.map(([, fields]) => fields!.delay as number)
  beforeEach(() => void vi.spyOn(log, 'info').mockImplementation(() => {}))

  it.each<[ErrorCode, boolean, number]>([
    ['THROTTLED', true, 3],
    ['PROVIDER_FAILED', true, 3],
    ['PROVIDER_UNREACHABLE', true, 2],
    ['PROVIDER_TIMEOUT', true, 1],
    ['PROVIDER_FAILED', false, 1],
    ['CONTENT_REFUSED', false, 1],
    ['MODEL_NOT_FOUND', false, 1],
  ])('%s (%s) is asked %i times in all', async (code, retryable, attempts) => {
    const stays = error(code, retryable)
    const inner = failing(...Array(9).fill(stays))
    await expect(retrying(inner, { firstDelay }).generate(request, quiet)).rejects.toBe(stays)
    expect(inner.calls).toBe(attempts)
  })

  it('ends with the first answer, after doubled and jittered pauses', async () => {
    const inner = failing(error('THROTTLED', true), error('PROVIDER_FAILED', true))
    const model = retrying(inner, { firstDelay, random: () => 0.5 })
    expect(await model.generate(request, quiet)).toMatchObject({ text: 'ok' })
    expect(delays()).toEqual([0.75e-6, 1.5e-6].map(delay => expect.closeTo(delay, 12)))
  })

  it('waits as long as the provider wants, up to a bound', async () => {
    const soon = failing(error('THROTTLED', true, { retryAfter: 0.001 }))
    await retrying(soon, { firstDelay }).generate(request, quiet)
    expect(delays()).toEqual([0.001])
    const late = error('THROTTLED', true, { retryAfter: 34 })
    await expect(retrying(failing(late), { firstDelay }).generate(request, quiet)).rejects.toBe(late)
  })

  it('stops waiting when it is aborted', async () => {
    const call = new AbortController()
    const reason = cancelled()
    vi.mocked(log.info).mockImplementation(() => queueMicrotask(() => call.abort(reason)))
    const inner = failing(error('PROVIDER_FAILED', true))
    await expect(
      retrying(inner, { firstDelay: 1000 }).generate(request, { signal: call.signal }),
    ).rejects.toBe(reason)
    expect(inner.calls).toBe(1)
  })

  it('tells of the acceptance once', async () => {
    const inner = failing()
    let calls = 0
    inner.generate = async (_, { onAccepted }) => {
      onAccepted?.()
      if (calls++ === 0) throw error('PROVIDER_FAILED', true)
      return { text: 'ok', whole: true, model: 'fake', usage: { inputTokens: 1, outputTokens: 1 } }
    }
    const onAccepted = vi.fn()
    await retrying(inner, { firstDelay }).generate(request, { ...quiet, onAccepted })
    expect(calls).toBe(2)
    expect(onAccepted).toHaveBeenCalledTimes(1)
  })
})

describe('the limit', () => {
  it('of requests at once is kept, and throttling slows all', async () => {
    let running = 0
    let most = 0
    const inner = failing()
    inner.generate = async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return { text: 'ok', whole: true, model: 'fake', usage: { inputTokens: 1, outputTokens: 1 } }
    }
    const limiter = createAdaptiveRateLimiter({ perMinute: 600, concurrency: 3 })
    const model = limited(inner, limiter)
    await Promise.all(Array.from({ length: 12 }, () => model.generate(request, quiet)))
    expect(most).toBe(3)
    const throttled = vi.spyOn(limiter, 'backOff')
    await failure(limited(failing(error('THROTTLED', true)), limiter).generate(request, quiet))
    expect(throttled).toHaveBeenCalledTimes(1)
  })
})

describe('the price', () => {
  const usage = { inputTokens: 1_000, outputTokens: 500 }
  it.each([
    ['qwen-turbo', 0.00015],
    ['qwen-flash', 0.00025],
    ['qwen-flash-2025-07-28', 0.00025],
    ['gemini-2.5-flash', 0.00155],
    ['gemini-3.5-flash-lite', undefined],
  ])('of %s', (model, expected) => {
    expect(usdForTokens(model, usage)).toBe(expected)
  })

  it('is not guessed for long requests, nor where nothing was counted', () => {
    expect(usdForTokens('qwen-flash', { inputTokens: 256_001, outputTokens: 1 })).toBeUndefined()
    expect(usdForTokens('qwen-flash', { inputTokens: 0, outputTokens: 0 })).toBeUndefined()
    expect(usdPerMillionTokens('qwen-flash')).toEqual({ input: 0.05, output: 0.4 })
  })
})

describe('against the stand-in cloud', () => {
  const spoken =
    'so i went to the market yesterday and met a man who sold me three apples and then we talked about the weather'
  const task = {
    system: 'Add punctuation, capitals and paragraphs. Change no word.',
    user: spoken,
    maxTokens: 2000,
  }
  let standin: DashscopeEmulator
  beforeAll(async () => {
    standin = await startDashscope({ ffmpeg: await testFfmpeg() })
  })
  afterAll(() => standin.close())
  beforeEach(() => void standin.textRequests.splice(0))

  const open = (models: string[], keys: { qwen?: string; gemini?: string } = {}) =>
    textModels({
      models,
      http,
      unavailableModels: memory(),
      dashscope: { apiKey: keys.qwen ?? standin.apiKey, baseUrl: standin.url },
      gemini: { apiKey: keys.gemini ?? standin.geminiKey, baseUrl: standin.geminiUrl },
    })
  const words = (text: string) => text.toLowerCase().match(/[a-z]+/g)
  const asked = () => standin.textRequests.map(({ model }) => model)

  it.each(['qwen-flash', 'qwen3.7-flash', 'gemini-2.5-flash', 'gemini-3.5-flash-lite'])(
    '%s gives the words back',
    async name => {
      const heard: number[] = []
      const answer = await open([name]).generate(task, { ...quiet, onText: written => heard.push(written) })
      expect(answer).toMatchObject({ whole: true, model: name })
      expect(words(answer.text)).toEqual(words(spoken))
      expect(answer.usage.outputTokens).toBeGreaterThan(0)
      expect(heard.at(-1)).toBe(answer.text.length)
    },
  )

  it('a retired first model costs one request of thirty-two', async () => {
    const model = open(['qwen-turbo', 'qwen-flash'])
    const answers = await Promise.all(Array.from({ length: 32 }, () => model.generate(task, quiet)))
    expect(answers.every(({ model }) => model === 'qwen-flash')).toBe(true)
    expect(asked().filter(name => name === 'qwen-turbo')).toHaveLength(1)
    expect(asked()).toHaveLength(33)
  })

  it('a model that is led to another one which takes no budget answers all the same', async () => {
    standin.set({ redirectedTextModels: { 'gemini-2.5-flash': 'gemini-3.5-flash-lite' } })
    const answer = await open(['gemini-2.5-flash']).generate(task, quiet)
    standin.set({ redirectedTextModels: {} })
    expect(answer.model).toBe('gemini-3.5-flash-lite')
    expect(words(answer.text)).toEqual(words(spoken))
  })

  it.each([
    ['DashScope', { qwen: 'sk-other' }, ['qwen-flash', 'gemini-2.5-flash'], 'gemini-2.5-flash'],
    ['Gemini', { gemini: 'AIza-other' }, ['gemini-2.5-flash', 'qwen-flash'], 'qwen-flash'],
  ])('a wrong key of %s does not stop the other', async (_, keys, models, expected) => {
    expect(await open(models, keys).generate(task, quiet)).toMatchObject({ model: expected })
  })

  it.each([
    ['parted by one newline', { kind: 'singleNewlines' }],
    ['that are cumulative', { kind: 'cumulative' }],
    ['that are none, but one JSON text', { kind: 'jsonForStream' }],
  ] as const)('frames %s cost no word', async (_, fault) => {
    for (const name of ['qwen-flash', 'gemini-2.5-flash']) {
      const off = standin.textFault({ ...fault, times: 1 })
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
  ] as const)('an answer that %s is asked for again', async (_, fault) => {
    const off = standin.textFault({ ...fault, times: 1 })
    const { text } = await open(['qwen-flash']).generate(task, quiet)
    off()
    expect(words(text)).toEqual(words(spoken))
    expect(asked()).toEqual(['qwen-flash', 'qwen-flash'])
  })

  it.each([
    ['at once', { kind: 'refuse' }],
    ['in its midst', { kind: 'refuse', midway: true }],
  ] as const)('a text that one provider refuses %s goes to the other', async (_, fault) => {
    const off = [standin.textFault({ ...fault, model: 'qwen-flash' })]
    expect(await open(['qwen-flash', 'gemini-2.5-flash']).generate(task, quiet)).toMatchObject({
      model: 'gemini-2.5-flash',
    })
    off.push(standin.textFault({ ...fault, model: 'gemini-2.5-flash' }))
    const error = await failure(open(['qwen-flash', 'gemini-2.5-flash']).generate(task, quiet))
    for (const end of off) end()
    expect(error).toMatchObject({ code: 'CONTENT_REFUSED', scope: 'request' })
  })

  it('a long wait that Gemini asks for is left to the next model', async () => {
    const off = standin.textFault({
      kind: 'error',
      ...geminiErrors.resourceExhausted,
      model: 'gemini-2.5-flash',
    })
    expect(await open(['gemini-2.5-flash', 'qwen-flash']).generate(task, quiet)).toMatchObject({
      model: 'qwen-flash',
    })
    off()
    expect(asked()).toEqual(['gemini-2.5-flash', 'qwen-flash'])
  })

  it('an answer that became too long is not whole', async () => {
    expect(await open(['qwen-flash']).generate({ ...task, maxTokens: 8 }, quiet)).toMatchObject({
      whole: false,
    })
  })
})
