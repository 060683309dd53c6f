// The way to the provider: what is sent, what its answers and failures mean, retries, and the gate for all requests.
import { once, setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { cancelled, describeError, type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import type { Recogniser, RecognitionRequest } from '../../../../src/domain/ports.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { rateLimited, retrying } from '../../../../src/drivers/asr/wrappers.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import {
  type AdaptiveRateLimiter,
  createAdaptiveRateLimiter,
} from '../../../../src/drivers/http/rate-limiter.ts'
import { log } from '../../../../src/log.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, truth, truthText } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'

const apiKey = 'sk-secret-key'
const path = '/services/aigc/multimodal-generation/generation'
const never = new AbortController().signal
setMaxListeners(0, never)

const chunk: RecognitionRequest = { audio: Buffer.from('audio'), mime: 'audio/mpeg', seconds: 5 }
const success = (message: object) => ({ output: { choices: [{ finish_reason: 'stop', message }] } })

let server: Server
let baseUrl: string
let http: HttpClient
/** What the server does with a request. */
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void
let seen: { request: IncomingMessage; body: string }[]

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    request.on('error', () => {})
    for await (const piece of request) pieces.push(piece)
    const body = Buffer.concat(pieces).toString()
    seen.push({ request, body })
    answer(request, response, body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
})
beforeEach(() => {
  seen = []
  http = createHttpClient({ connections: 4, responseTimeoutSeconds: 0.1 })
})
afterEach(async () => {
  await http.close()
  vi.restoreAllMocks()
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Answers every request with this status and body. */
function answers(status: number, body: object | string): void {
  answer = (_, response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

function asr(to: { key?: string | undefined; url?: string } = {}): Recogniser {
  const cloud = dashscope({ apiKey: 'key' in to ? to.key : apiKey, baseUrl: to.url ?? baseUrl, http })
  return chunkAsr(cloud, { model: 'qwen3-asr-flash', concurrency: 3 })
}

describe('a request', () => {
  beforeEach(() => answers(200, success({ content: [{ text: 'ok' }] })))

  it('is what the reference asks for', async () => {
    await asr().recognise({ ...chunk, language: 'ru', context: 'Names: "Ада"' }, never)
    const { request, body } = seen[0]!
    expect(`${request.method} ${request.url}`).toBe(`POST /api/v1${path}`)
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    })
    expect(JSON.parse(body)).toEqual({
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

  it('has no system message and no language where none was given', async () => {
    await asr().recognise(chunk, never)
    const { input, parameters } = JSON.parse(seen[0]!.body)
    expect(input.messages.map(({ role }: { role: string }) => role)).toEqual(['user'])
    expect(parameters.asr_options).toEqual({ enable_itn: false })
  })

  it.each([0, 1, 2, 3, 49_151, 49_152, 49_153, 100_000])(
    'carries %i bytes of audio as they are',
    async length => {
      const audio = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255))
      await asr().recognise({ ...chunk, audio }, never)
      const [, base64] = JSON.parse(seen[0]!.body).input.messages[0].content[0].audio.split(',')
      expect(Buffer.from(base64, 'base64').equals(audio)).toBe(true)
    },
  )

  it.each(['\u0000audio\u0000', '\\u0000audio\\u0000', '"}]}', '\ud83d'])(
    'is whole JSON with the context %j',
    async context => {
      await asr().recognise({ ...chunk, context }, never)
      const { messages } = JSON.parse(seen[0]!.body).input
      expect(messages[0].content).toEqual([{ text: context }])
      expect(messages[1].content).toEqual([{ audio: 'data:audio/mpeg;base64,YXVkaW8=' }])
    },
  )

  it('is not made without a key', async () => {
    const error = await failure(asr({ key: undefined }).recognise(chunk, never))
    expect(error).toMatchObject({ code: 'KEY_MISSING', scope: 'account', retryable: false })
    expect(seen).toEqual([])
  })

  it('is not made when it was aborted before', async () => {
    const reason = cancelled()
    await expect(asr().recognise(chunk, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(seen).toEqual([])
  })
})

describe('a success', () => {
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
    ['no annotation', { content: [{ text: 'a' }], annotations: null }, { text: 'a' }],
    ['an empty list: silence', { content: [], annotations: language }, { text: '', language: 'zh' }],
    ['an empty text: silence', { content: [{ text: '' }] }, { text: '' }],
    ['no content: silence', { role: 'assistant' }, { text: '' }],
  ])('with %s', async (_, message, expected) => {
    answers(200, success(message))
    expect(await asr().recognise(chunk, never)).toEqual(expected)
  })

  it('may be called an error by models that find no words', async () => {
    answers(400, { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'no words' })
    expect(await asr().recognise(chunk, never)).toEqual({ text: '' })
  })

  it.each([
    ['another shape', { choices: [] }],
    ['no choice', { output: { choices: [] } }],
    ['text that is none', success({ content: [{ text: 5 }] })],
    ['nothing', 'null'],
    ['half of it', '{"output":{"choi'],
    ['the page of a proxy', '<html>Sign in to the WiFi</html>'],
  ])('with %s is a failure that may pass', async (_, body) => {
    answers(200, body)
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true, scope: 'request' })
  })
})

describe('the provider’s error', () => {
  // Status and code as in the provider's error reference; `true` where asking again may help, and `account` where not
  // even another chunk may.
  it.each<[number, string, ErrorCode, boolean, 'account' | 'request']>([
    [400, 'InvalidParameter', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidParameter.DataInspection', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'DataInspectionFailed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'data_inspection_failed', 'CONTENT_REFUSED', false, 'request'],
    [400, 'Arrearage', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [400, 'InvalidURL', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidURL.Timeout', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidFile.DownloadFailed', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'InvalidFile.AudioLengthError', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'BadRequest.TooLarge', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'BadRequest.EmptyInput', 'PROVIDER_REFUSED', false, 'request'],
    [400, 'UnsupportedOperation', 'PROVIDER_REFUSED', false, 'request'],
    [401, 'InvalidApiKey', 'KEY_REFUSED', false, 'account'],
    [401, 'invalid_api_key', 'KEY_REFUSED', false, 'account'],
    [403, 'AccessDenied', 'ACCESS_DENIED', false, 'account'],
    [403, 'AccessDenied.Unpurchased', 'ACCESS_DENIED', false, 'account'],
    [403, 'Model.AccessDenied', 'ACCESS_DENIED', false, 'account'],
    [403, 'Workspace.AccessDenied', 'ACCESS_DENIED', false, 'account'],
    [403, 'AllocationQuota.FreeTierOnly', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [404, 'ModelNotFound', 'MODEL_NOT_FOUND', false, 'account'],
    [404, 'model_not_found', 'MODEL_NOT_FOUND', false, 'account'],
    [429, 'Throttling.RateQuota', 'THROTTLED', true, 'request'],
    [429, 'Throttling.BurstRate', 'THROTTLED', true, 'request'],
    [429, 'limit_burst_rate', 'THROTTLED', true, 'request'],
    [429, 'Throttling.AllocationQuota', 'THROTTLED', true, 'request'],
    [400, 'Throttling.AllocationQuota', 'THROTTLED', true, 'request'],
    [429, 'insufficient_quota', 'THROTTLED', true, 'request'],
    [429, 'Throttling', 'THROTTLED', true, 'request'],
    [429, 'CommodityNotPurchased', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [429, 'PrepaidBillOverdue', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [429, 'PostpaidBillOverdue', 'ACCOUNT_IN_ARREARS', false, 'account'],
    [500, 'InternalError', 'PROVIDER_FAILED', true, 'request'],
    [500, 'InternalError.Algo', 'PROVIDER_FAILED', true, 'request'],
    [500, 'InternalError.Timeout', 'PROVIDER_FAILED', true, 'request'],
    [500, 'SystemError', 'PROVIDER_FAILED', true, 'request'],
    [500, 'ModelServiceFailed', 'PROVIDER_FAILED', true, 'request'],
    [500, 'ModelServingError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelServingError', 'PROVIDER_FAILED', true, 'request'],
    [503, 'ModelUnavailable', 'PROVIDER_FAILED', true, 'request'],
    [500, 'RequestTimeOut', 'PROVIDER_FAILED', true, 'request'],
  ])('%i %s is %s', async (status, code, ours, retryable, scope) => {
    answers(status, { code, message: 'The provider quotes PRIVATE words.', request_id: 'r' })
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code: ours, retryable, scope })
    expect(describeError(error)).not.toContain('PRIVATE')
    expect(describeError(error)).not.toContain(apiKey)
  })

  it('about a model is told by its words, as its code says nothing', async () => {
    answers(400, { code: 'InvalidParameter', message: 'Model not exist.' })
    expect(await failure(asr().recognise(chunk, never))).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      scope: 'account',
    })
  })

  it('is named when it is none that we know, but only as a code', async () => {
    answers(400, { code: 'InvalidFile.AudioLengthError', message: 'x' })
    expect((await failure(asr().recognise(chunk, never))).message).toContain(
      '(400, InvalidFile.AudioLengthError)',
    )
    answers(400, { code: 'PRIVATE words', message: 'x' })
    expect(describeError(await failure(asr().recognise(chunk, never)))).not.toContain('PRIVATE')
  })

  it.each<[number, ErrorCode, boolean]>([
    [400, 'PROVIDER_REFUSED', false],
    [401, 'KEY_REFUSED', false],
    [403, 'PROVIDER_REFUSED', false],
    [404, 'WRONG_BASE_URL', false],
    [302, 'PROVIDER_REFUSED', false],
    [408, 'PROVIDER_FAILED', true],
    [413, 'PROVIDER_REFUSED', false],
    [429, 'THROTTLED', true],
    [502, 'PROVIDER_FAILED', true],
    [504, 'PROVIDER_FAILED', true],
  ])('%i with the page of a proxy is %s', async (status, code, retryable) => {
    answers(status, '<html>PRIVATE</html>')
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code, retryable })
    expect(describeError(error)).not.toContain('PRIVATE')
  })
})

describe('the network', () => {
  it('that drops the connection can be asked again', async () => {
    answer = request => request.socket.destroy()
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true, scope: 'request' })
    expect(error.message).toBe(`POST ${baseUrl}${path} failed (UND_ERR_SOCKET).`)
  })

  it('that drops it in the middle of the answer can be asked again', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"output"', () => request.socket.destroy())
    }
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('that refuses the connection is named', async () => {
    const error = await failure(asr({ url: 'http://127.0.0.1:1/v1' }).recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('that does not know the name is named', async () => {
    // Longer than a name may be, so that no resolver is asked.
    const url = `http://${'a'.repeat(64)}.invalid/v1`
    const error = await failure(asr({ url }).recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.message).toContain('could not be resolved')
  })

  it.each([
    ['no answer', () => {}],
    [
      'half an answer',
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('{'),
    ],
  ])('that gives %s is a timeout', async (_, silence) => {
    answer = silence
    const error = await failure(asr().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true, scope: 'request' })
    expect(error.message).toBe(`POST ${baseUrl}${path} was not answered in time.`)
  })

  it('that sends without end is cut off', async () => {
    answer = (_, response) => {
      response.on('error', () => {})
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(100_000))) {}
      }
      response.on('drain', more)
      more()
    }
    expect(await failure(asr().recognise(chunk, never))).toMatchObject({ code: 'PROVIDER_UNREACHABLE' })
  })

  it('is left at once when the call is aborted', async () => {
    await http.close()
    http = createHttpClient({ connections: 1 })
    const call = new AbortController()
    const reason = cancelled()
    const closed = new Promise(resolve => {
      answer = request => {
        request.socket.on('close', resolve)
        call.abort(reason)
      }
    })
    await expect(asr().recognise(chunk, call.signal)).rejects.toBe(reason)
    await closed
  })
})

describe('an answer that comes bit by bit', () => {
  const ask = (signal = never) => http.stream({ method: 'GET', url: `${baseUrl}/slow`, signal })
  async function read(pieces: AsyncIterable<string>): Promise<string> {
    let text = ''
    for await (const piece of pieces) text += piece
    return text
  }
  const bytes = Buffer.from('今天 😀 Ça')

  it('is there before its end, with its status', async () => {
    let finish = () => {}
    answer = (_, response) => {
      response.writeHead(207).write('first')
      finish = () => void response.end(' last')
    }
    const { status, pieces } = await ask()
    expect(status).toBe(207)
    let text = ''
    for await (const piece of pieces) {
      text += piece
      finish()
    }
    expect(text).toBe('first last')
  })

  it('keeps characters whole that the network cuts', async () => {
    answer = async (_, response) => {
      for (const byte of bytes)
        await new Promise(resolve => response.write(Buffer.of(byte), () => setImmediate(resolve)))
      response.end()
    }
    expect(await read((await ask()).pieces)).toBe('今天 😀 Ça')
  })

  it('that stops in its midst is a timeout', async () => {
    answer = (_, response) => void response.writeHead(200).write('first')
    expect(await failure(ask().then(({ pieces }) => read(pieces)))).toMatchObject({
      code: 'PROVIDER_TIMEOUT',
    })
  })

  it('that drips without end is a timeout', async () => {
    http = createHttpClient({ connections: 1, streamTimeoutSeconds: 0 })
    answer = (_, response) => {
      response.on('error', () => {})
      const drip = () => response.destroyed || response.write(': ping\n', () => setImmediate(drip))
      drip()
    }
    expect(await failure(ask().then(({ pieces }) => read(pieces)))).toMatchObject({
      code: 'PROVIDER_TIMEOUT',
      retryable: true,
    })
  })

  it('that is too large fails for good', async () => {
    http = createHttpClient({ connections: 1, maxStreamBytes: 1000 })
    answer = (_, response) => void response.on('error', () => {}).end('x'.repeat(2000))
    expect(await failure(ask().then(({ pieces }) => read(pieces)))).toMatchObject({
      code: 'PROVIDER_FAILED',
      retryable: false,
    })
  })

  it('that the network cuts can be asked for again', async () => {
    answer = (request, response) =>
      void response.writeHead(200).write('first', () => request.socket.destroy())
    expect(await failure(ask().then(({ pieces }) => read(pieces)))).toMatchObject({
      code: 'PROVIDER_UNREACHABLE',
      retryable: true,
    })
  })

  it('ends at once, and its connection too, when the call is aborted or nobody reads on', async () => {
    const closed = () =>
      new Promise(resolve => {
        answer = (request, response) => {
          request.socket.on('close', resolve)
          response.writeHead(200).write('first')
        }
      })
    const reason = cancelled()
    const call = new AbortController()
    let over = closed()
    const { pieces } = await ask(call.signal)
    const reading = read(pieces)
    call.abort(reason)
    await expect(reading).rejects.toBe(reason)
    await over
    over = closed()
    for await (const _ of (await ask()).pieces) break
    await over
  })

  it('names the setting of its address when it cannot be had', async () => {
    const asked = http.stream({
      method: 'GET',
      url: 'http://127.0.0.1:1/',
      signal: never,
      setting: 'GEMINI_BASE_URL',
    })
    const error = await failure(asked)
    expect(error.code).toBe('PROVIDER_UNREACHABLE')
    expect(error.hint).toContain('GEMINI_BASE_URL')
  })
})

describe('against the stand-in cloud', () => {
  let standin: DashscopeEmulator
  // The stand-in may take longer than the other tests' patience to load its recordings.
  const patient = createHttpClient({ connections: 1 })
  beforeAll(async () => {
    standin = await startDashscope({ ffmpeg: await testFfmpeg() })
  })
  afterAll(async () => {
    await patient.close()
    await standin.close()
  })

  const recording = () => ({ audio: readFileSync(fixture('jfk.wav')), mime: 'audio/wav', seconds: 11 })

  it('a recording comes back as its words', async () => {
    const cloud = dashscope({ apiKey: standin.apiKey, baseUrl: standin.url, http: patient })
    const heard = await chunkAsr(cloud, { model: 'qwen3-asr-flash', concurrency: 1 }).recognise(
      recording(),
      never,
    )
    expect(heard).toEqual({ text: truthText(truth('jfk')), language: 'en' })
  })

  it('another key is refused', async () => {
    const cloud = dashscope({ apiKey: 'sk-other', baseUrl: standin.url, http: patient })
    const call = chunkAsr(cloud, { model: 'qwen3-asr-flash', concurrency: 1 }).recognise(recording(), never)
    expect(await failure(call)).toMatchObject({ code: 'KEY_REFUSED', scope: 'account' })
  })
})

/** A recogniser that fails with each of these in turn, and then answers. */
function failing(...errors: Error[]): Recogniser & { calls: number } {
  return {
    model: 'fake',
    limits: { maxSeconds: 1, minSeconds: 1, concurrency: 1 },
    calls: 0,
    async recognise() {
      const error = errors[this.calls++]
      if (error) throw error
      return { text: 'heard' }
    },
  }
}

const error = (code: ErrorCode, retryable: boolean) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable })
const passing = error('PROVIDER_FAILED', true)
const throttling = error('THROTTLED', true)

describe('retrying', () => {
  const quick = { firstDelay: 1e-6 }

  /** The pauses that were made, in seconds. */
  function delays(): number[] {
    return vi.mocked(log.info).mock.calls.map(([, fields]) => fields!.delay as number)
  }
  beforeEach(() => {
    vi.spyOn(log, 'info').mockImplementation(() => {})
  })

  it('is the same recogniser from outside', () => {
    const { recognise: _, ...facts } = retrying({ ...failing(), usdPerSecond: 2 })
    expect(facts).toMatchObject({ model: 'fake', usdPerSecond: 2, limits: { maxSeconds: 1 } })
  })

  it('asks again after an error that may pass', async () => {
    const inner = failing(passing, throttling, passing)
    expect(await retrying(inner, quick).recognise(chunk, never)).toEqual({ text: 'heard' })
    expect(inner.calls).toBe(4)
  })

  it.each([
    ['an error that stays', error('PROVIDER_REFUSED', false)],
    ['an error of our own', new TypeError('oops')],
  ])('does not ask again after %s', async (_, stays) => {
    const inner = failing(stays)
    await expect(retrying(inner, quick).recognise(chunk, never)).rejects.toBe(stays)
    expect(inner.calls).toBe(1)
  })

  it.each([
    ['a failing provider', 4, passing],
    ['throttling', 10, throttling],
  ])('gives up %s with its last error, after %i attempts', async (_, attempts, stays) => {
    const inner = failing(...Array(20).fill(stays))
    await expect(retrying(inner, quick).recognise(chunk, never)).rejects.toBe(stays)
    expect(inner.calls).toBe(attempts)
  })

  it.each([
    ['whole', 1, [1e-6, 2e-6, 4e-6]],
    ['half', 0, [0.5e-6, 1e-6, 2e-6]],
    ['between', 0.5, [0.75e-6, 1.5e-6, 3e-6]],
  ])('waits twice as long each time, by chance less: %s', async (_, chance, expected) => {
    const inner = failing(passing, passing, passing)
    await retrying(inner, { ...quick, random: () => chance }).recognise(chunk, never)
    expect(delays()).toEqual(expected.map(delay => expect.closeTo(delay, 12)))
  })

  it('never waits longer than twenty seconds, and stops waiting when it is aborted', async () => {
    const call = new AbortController()
    const reason = cancelled()
    vi.mocked(log.info).mockImplementation(() => queueMicrotask(() => call.abort(reason)))
    const inner = failing(passing)
    const answer = retrying(inner, { firstDelay: 1000, random: () => 1 }).recognise(chunk, call.signal)
    await expect(answer).rejects.toBe(reason)
    expect(delays()).toEqual([20])
    expect(inner.calls).toBe(1)
  })

  it('sends the whole audio with each attempt', async () => {
    let asked = 0
    answer = (_, response) => {
      const first = asked++ === 0
      response.writeHead(first ? 500 : 200)
      response.end(JSON.stringify(first ? { code: 'InternalError' } : success({ content: [{ text: 'ok' }] })))
    }
    expect(await retrying(asr(), quick).recognise(chunk, never)).toEqual({ text: 'ok' })
    expect(seen).toHaveLength(2)
    expect(seen[1]!.body).toBe(seen[0]!.body)
  })
})

describe('limited', () => {
  it.each<[string, Error | undefined, string[]]>([
    ['an answer', undefined, ['succeeded']],
    ['throttling', throttling, ['throttled']],
    ['another failure', passing, []],
  ])('tells the limiter of %s', async (_, fails, expected) => {
    const told: string[] = []
    const limiter: AdaptiveRateLimiter = {
      run: work => work(),
      backOff: () => told.push('throttled'),
      recover: () => told.push('succeeded'),
    }
    const call = rateLimited(failing(...(fails ? [fails] : [])), limiter).recognise(chunk, never)
    await (fails ? expect(call).rejects.toBe(fails) : call)
    expect(told).toEqual(expected)
  })
})

describe('the limiter', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const limiter = (perMinute: number, concurrency: number) =>
    createAdaptiveRateLimiter({ perMinute, concurrency, now: () => Date.now() })

  /** Orders `count` pieces of work that take this long, and notes the second in which each begins. */
  function order(
    gate: AdaptiveRateLimiter,
    count: number,
    takes = 0,
  ): { begun: number[]; all: Promise<unknown> } {
    const begun: number[] = []
    const work = async () => {
      begun.push(Date.now() / 1000)
      if (takes) await new Promise(resolve => setTimeout(resolve, takes * 1000))
    }
    return { begun, all: Promise.all(Array.from({ length: count }, () => gate.run(work, never))) }
  }

  it('starts so many a minute and no more, in any sixty seconds', async () => {
    const { begun, all } = order(limiter(3, 10), 7)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(begun).toEqual([0, 0, 0])
    await vi.advanceTimersByTimeAsync(1)
    expect(begun).toEqual([0, 0, 0, 60, 60, 60])
    await vi.runAllTimersAsync()
    expect(begun.at(-1)).toBe(120)
    await all
  })

  it('has so many under way and no more', async () => {
    const { begun, all } = order(limiter(100, 2), 5, 10)
    await vi.runAllTimersAsync()
    await all
    expect(begun).toEqual([0, 0, 10, 10, 20])
  })

  it('goes on after a failure, and hands it out', async () => {
    const gate = limiter(100, 1)
    const fails = expect(gate.run(() => Promise.reject(passing), never)).rejects.toBe(passing)
    const next = gate.run(async () => 'next', never)
    await vi.runAllTimersAsync()
    expect(await next).toBe('next')
    await fails
  })

  it('lets those that wait leave before they start, when a failure ends the order', async () => {
    const gate = limiter(100, 1)
    const order = new AbortController()
    const failing = gate.run(() => Promise.reject(passing), never).catch(() => order.abort())
    const work = vi.fn(async () => 'too late')
    const waiting = expect(gate.run(work, order.signal)).rejects.toBeDefined()
    await vi.runAllTimersAsync()
    await Promise.all([failing, waiting])
    expect(work).not.toHaveBeenCalled()
  })

  it('keeps the order in which it was asked', async () => {
    const gate = limiter(2, 1)
    const ran: number[] = []
    const all = [0, 1, 2, 3, 4].map(i => gate.run(async () => ran.push(i), never))
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(ran).toEqual([0, 1, 2, 3, 4])
  })

  it('lets a caller go who is aborted while waiting, and the next one in', async () => {
    const gate = limiter(1, 1)
    const call = new AbortController()
    const reason = cancelled()
    const work = vi.fn(async () => 'ran')
    await gate.run(work, never)
    const left = expect(gate.run(work, call.signal)).rejects.toBe(reason)
    const next = gate.run(async () => 'next', never)
    call.abort(reason)
    await left
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await next).toBe('next')
    expect(work).toHaveBeenCalledTimes(1)
    await expect(gate.run(work, call.signal)).rejects.toBe(reason)
  })

  it('leaves no timer behind when the last who waits is aborted', async () => {
    const gate = limiter(1, 1)
    const call = new AbortController()
    await gate.run(async () => {}, never)
    const left = expect(gate.run(async () => {}, call.signal)).rejects.toThrow()
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(1)
    call.abort()
    await left
    expect(vi.getTimerCount()).toBe(0)
  })

  it('holds all back for a second after throttling, and goes on at half the rate', async () => {
    const gate = limiter(20, 100)
    gate.backOff()
    const { begun, all } = order(gate, 12)
    await vi.runAllTimersAsync()
    await all
    expect(begun).toEqual([...Array(10).fill(1), 61, 61])
  })

  it('takes the refusals of one burst for one', async () => {
    const gate = limiter(20, 100)
    for (let i = 0; i < 5; i++) gate.backOff()
    const { begun, all } = order(gate, 10)
    await vi.runAllTimersAsync()
    await all
    expect(begun).toEqual(Array(10).fill(1))
  })

  it('waits longer, and goes slower, while the throttling lasts, but not endlessly so', async () => {
    const gate = limiter(100, 100)
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      const from = Date.now()
      gate.backOff()
      const { begun, all } = order(gate, 1)
      await vi.runAllTimersAsync()
      await all
      pauses.push(begun[0]! - from / 1000)
      // Let the minute pass, so that only the pause counts.
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
    const { begun, all } = order(gate, 7)
    await vi.runAllTimersAsync()
    await all
    expect(begun.map(time => time - begun[0]!)).toEqual([0, 0, 0, 0, 0, 0, 60])
  })

  it('comes back to the full rate with each success', async () => {
    const gate = limiter(20, 100)
    gate.backOff()
    await vi.advanceTimersByTimeAsync(1000)
    for (let i = 0; i < 50; i++) gate.recover()
    const { begun, all } = order(gate, 21)
    await vi.runAllTimersAsync()
    await all
    expect(begun).toEqual([...Array(20).fill(1), 61])
    gate.backOff()
    const second = order(gate, 1)
    await vi.runAllTimersAsync()
    await second.all
    expect(second.begun).toEqual([62])
  })
})
