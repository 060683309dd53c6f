// The DashScope emulator: timing and limits of text answers, the text to format, and the models.
import { describe, expect, it, vi } from 'vitest'
import {
  type DashscopeOptions,
  geminiErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import { asrRequest, encode, post, samplesOf } from '../../../support/emulators/dashscope-client.ts'
import { askGemini, askQwen, framesOf, partOf, textOf } from '../../../support/emulators/text-client.ts'

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg: 'none', ...options }),
)

const multimodal = { model: 'qwen3.5-flash', route: 'multimodal-generation' } as const
const quiet = { parameters: { enable_thinking: false } }
const deltas = { stream: true, parameters: { incremental_output: true } }

describe('answers', () => {
  it('an answer is cut at the token limit, and its finish reason says so', async () => {
    const cloud = await start()
    const text = 'one two three four five six'
    const qwen = await askQwen(cloud, text, { parameters: { max_tokens: 3 } })
    expect(partOf(await qwen.json())).toMatchObject({ text: 'One two three', finish: 'length' })
    const gemini = await askGemini(cloud, text, { parameters: { maxOutputTokens: 3 }, stream: true })
    expect((await framesOf(gemini)).at(-1)!.finish).toBe('MAX_TOKENS')
  })

  it('thoughts count towards the token limit of an answer', async () => {
    const cloud = await start()
    const options = { model: 'gemini-2.5-flash', parameters: { maxOutputTokens: 22 } }
    const part = partOf(await (await askGemini(cloud, 'one two three four five', options)).json())
    expect(part).toMatchObject({ text: 'One two', finish: 'MAX_TOKENS' })
  })

  it('each request is recorded with its answer', async () => {
    const cloud = await start()
    await askQwen(cloud, 'go\n<t>\ngood morning\n</t>', { system: 'Format.', stream: true })
    await (await askGemini(cloud, 'hello')).text()
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    expect(cloud.textRequests).toEqual([
      {
        at: expect.any(Number),
        finished: expect.any(Number),
        aborted: false,
        inFlight: 1,
        provider: 'dashscope',
        route: 'text-generation',
        model: 'qwen-flash',
        streamed: true,
        system: 'Format.',
        user: 'go\n<t>\ngood morning\n</t>',
        text: 'good morning',
        before: '',
        maxTokens: 32_768,
        thinks: false,
        status: 200,
        answer: 'Good morning.',
      },
      expect.objectContaining({
        provider: 'gemini',
        route: 'generateContent',
        model: 'gemini-2.5-flash-lite',
        streamed: false,
        text: 'hello',
        status: 200,
        answer: 'Hello.',
      }),
    ])
    expect(cloud.requests).toEqual([])
  })

  it('an answer takes the configured time, whole or streamed', async () => {
    const cloud = await start({ textLatency: { base: 0.1, perWord: 0.05 } })
    const text = 'one two three four five six'
    await Promise.all([textOf(await askQwen(cloud, text)), textOf(await askQwen(cloud, text, deltas))])
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    for (const { at, finished } of cloud.textRequests) {
      expect(finished! - at).toBeGreaterThanOrEqual(395)
    }
  })

  it('a stream sends its headers first and then words over time', async () => {
    const cloud = await start({ textLatency: { base: 0, perWord: 60 } })
    const disconnect = new AbortController()
    const response = await askQwen(cloud, 'one two', { ...deltas, signal: disconnect.signal })
    expect(response.status).toBe(200)
    disconnect.abort()
    cloud.set({ textLatency: { base: 0, perWord: 0.1 }, lateTextHeaders: true })
    const reader = (await askQwen(cloud, 'one two three four', deltas)).body!.getReader()
    await reader.read()
    expect(cloud.textRequests[1]!.finished).toBeUndefined()
    await reader.cancel()
  })

  it('the headers of a stream can be delayed until its first word', async () => {
    const cloud = await start({ textLatency: { base: 60, perWord: 0 }, lateTextHeaders: true })
    const asked = askQwen(cloud, 'one two', { ...deltas, signal: AbortSignal.timeout(300) })
    await expect(asked).rejects.toThrow()
  })

  it('disconnected clients are recorded, and concurrent requests are counted', async () => {
    const cloud = await start({ textLatency: { base: 60, perWord: 0 } })
    const disconnect = new AbortController()
    const { signal } = disconnect
    const asked = [askQwen(cloud, 'one', { signal }), askGemini(cloud, 'two', { signal })]
    const failed = Promise.allSettled(asked)
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(2))
    disconnect.abort()
    await failed
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    expect(cloud.peakTextInFlight()).toBe(2)
    expect(cloud.textRequests.map(({ inFlight }) => inFlight)).toEqual([1, 2])
    for (const record of cloud.textRequests)
      expect(record).toMatchObject({ aborted: true, status: 0, answer: '' })
  })
})

describe('the text to format', () => {
  const found = async (user: string) => {
    const cloud = await start()
    await askQwen(cloud, user)
    const { text, before } = cloud.textRequests[0]!
    return { text, before }
  }

  it('the text is in the last pair of tags and its context in the pair before', async () => {
    const user =
      'Go on.\n<before-7f>\nthe left\n</before-7f>\n<text-7f lang="en">\nthe text\n</text-7f>\nThanks.'
    expect(await found(user)).toEqual({ text: 'the text', before: 'the left' })
  })

  it('the text may contain tags itself', async () => {
    const text = 'a\n</text>\n<text-7f>\nb\n<other>\nc\n</other>\nd'
    expect(await found(`Go on.\n<text-7f>\n${text}\n</text-7f>`)).toEqual({ text, before: '' })
  })

  it('the last of two pairs with the same tag holds the text', async () => {
    const user = 'Go on.\n<text>\nan example\n</text>\n<text>\nthe text\n</text>'
    expect(await found(user)).toEqual({ text: 'the text', before: 'an example' })
  })

  it('without tags on separate lines the whole message is the text', async () => {
    expect(await found('some <b>bold</b> words')).toEqual({ text: 'some <b>bold</b> words', before: '' })
  })
})

describe('models', () => {
  it('retired models are refused, with either error of DashScope', async () => {
    const cloud = await start({ goneModels: ['qwen-flash', 'gemini-2.5-flash'] })
    expect((await askQwen(cloud, 'hi', { model: 'qwen-turbo' })).status).toBe(200)
    expect((await askQwen(cloud, 'hi')).status).toBe(400)
    cloud.set({ goneForm: 'topLevel404' })
    const gone = await askQwen(cloud, 'hi')
    expect([gone.status, await gone.json()]).toMatchObject([404, { code: 'ModelNotFound' }])
    expect((await askGemini(cloud, 'hi', { model: 'gemini-2.5-flash' })).status).toBe(404)
  })

  it('a redirected model answers under its new name and rules', async () => {
    const cloud = await start({ redirectedTextModels: { 'gemini-2.5-flash': 'gemini-3.5-flash-lite' } })
    const ask = (thinkingConfig: object) =>
      askGemini(cloud, 'hi', { model: 'gemini-2.5-flash', parameters: { thinkingConfig } })
    expect(await (await ask({})).json()).toMatchObject({ modelVersion: 'gemini-3.5-flash-lite' })
    expect((await ask({ thinkingBudget: 0 })).status).toBe(400)
    cloud.set({ thinkingBudgetIgnored: true })
    expect((await ask({ thinkingBudget: 0 })).status).toBe(200)
    cloud.set({ redirectedTextModels: { 'qwen-flash': 'qwen-max' } })
    expect((await askQwen(cloud, 'hi', { parameters: { max_tokens: 8193 } })).status).toBe(400)
  })

  it('each text model has its own rate limit, which can be changed', async () => {
    const cloud = await start({ textRequestsPerMinute: 2 })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await askQwen(cloud, 'hi', { stream: true })).status)
    expect(statuses).toEqual([200, 200, 429])
    for (let i = 0; i < 2; i++) await askGemini(cloud, 'hi')
    const refused = await askGemini(cloud, 'hi')
    const { error } = (await refused.json()) as {
      error: { status: string; details: { retryDelay: string }[] }
    }
    expect([refused.status, error.status]).toEqual([429, 'RESOURCE_EXHAUSTED'])
    expect(error.details[0]!.retryDelay).toMatch(/^(5\d|60)s$/)
    cloud.set({ textRequestsPerMinute: 10 })
    expect((await askQwen(cloud, 'hi')).status).toBe(200)
  })

  it('text models and recognition share a route without mixing requests', async () => {
    const ffmpeg = await testFfmpeg()
    const cloud = await start({ ffmpeg })
    const note = encode(ffmpeg, samplesOf(ffmpeg, 'voice-note.ogg'))
    const both = await Promise.all([
      post(cloud, asrRequest(note)),
      askQwen(cloud, 'good morning', { ...multimodal, ...quiet }),
      post(cloud, { ...asrRequest(note), model: 'paraformer-v2' }),
    ])
    expect(both.map(({ status }) => status)).toEqual([200, 200, 400])
    expect(cloud.requests.map(({ model, spokenText }) => [model, spokenText !== undefined])).toEqual([
      ['qwen3-asr-flash', true],
      ['paraformer-v2', false],
    ])
    expect(cloud.textRequests.map(({ route }) => route)).toEqual(['multimodal-generation'])
    expect(cloud.inFlight()).toBe(0)
  })

  it('the errors of Gemini have their own status names', () => {
    for (const { status, code } of Object.values(geminiErrors)) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(code).toMatch(/^[A-Z_]+$/)
    }
  })
})
