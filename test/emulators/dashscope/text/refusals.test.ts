// The DashScope emulator: invalid text requests are refused with the errors of the services.
import { describe, expect, it } from 'vitest'
import {
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import { askGemini, askQwen } from '../../../support/emulators/text-client.ts'

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg: 'none', ...options }),
)

const multimodal = { model: 'qwen3.5-flash', route: 'multimodal-generation' } as const
const quiet = { parameters: { enable_thinking: false } }

describe('errors of DashScope', () => {
  const messages = (...roles: string[]) => ({
    model: 'qwen-flash',
    input: { messages: roles.map(role => ({ role, content: 'hello' })) },
  })
  const invalid = (inner: string) => {
    const message = `<400> InternalError.Algo.InvalidParameter: ${inner}`
    return { status: 400, code: 'InvalidParameter', message }
  }
  const { roleOrContent, urlError, modelNotExist, emptyInput, contentNotString } = dashscopeErrors
  type Asking = Parameters<typeof askQwen>[2]
  const list = { model: 'qwen-flash', input: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] } }
  const cases: [string, Asking, object][] = [
    ['an unknown model', { model: 'qwen-huge' }, modelNotExist],
    ['an unknown model on the newer route', { ...multimodal, model: 'qwen9-flash' }, modelNotExist],
    ['a model of Gemini', { model: 'gemini-2.5-flash' }, modelNotExist],
    ['qwen-turbo, which is retired', { model: 'qwen-turbo' }, modelNotExist],
    ['a newer model on the older route', { model: 'qwen3.5-flash' }, urlError],
    ['an older model on the newer route', { ...multimodal, model: 'qwen-flash' }, urlError],
    ['content that is a list on the older route', { body: list }, contentNotString],
    [
      'content that is a string on the newer route',
      { ...multimodal, body: { ...messages('user'), model: 'qwen3.5-flash' } },
      roleOrContent,
    ],
    [
      'empty content',
      { body: { ...messages(), input: { messages: [{ role: 'user', content: '' }] } } },
      roleOrContent,
    ],
    ['no messages', { body: messages() }, emptyInput],
    ['a system message at the end', { body: messages('user', 'system') }, roleOrContent],
    ['two user messages in a row', { body: messages('user', 'user') }, roleOrContent],
    ['an unknown role', { body: messages('developer', 'user') }, roleOrContent],
    ['a body that is not JSON', { body: '{"model":' }, { status: 400, code: 'InvalidParameter' }],
    ['no tokens', { parameters: { max_tokens: 0 } }, invalid('Range of max_tokens should be [1, 32768]')],
    [
      'too many tokens',
      { ...multimodal, parameters: { max_tokens: 65_537 } },
      invalid('Range of max_tokens should be [1, 65536]'),
    ],
    ['a fraction of a token', { parameters: { max_tokens: 1.5 } }, { status: 400 }],
    ['a temperature of 2', { parameters: { temperature: 2 } }, { status: 400, code: 'InvalidParameter' }],
    ['a top_p of 0', { parameters: { top_p: 0 } }, { status: 400, code: 'InvalidParameter' }],
    [
      'an unknown format',
      { parameters: { result_format: 'xml' } },
      { status: 400, code: 'InvalidParameter' },
    ],
    [
      'thinking without the message format',
      { parameters: { enable_thinking: true, result_format: 'text' } },
      invalid('The result_format parameter must be "message" when enable_thinking is true'),
    ],
    [
      'open models that think without a stream',
      { model: 'qwen3-32b' },
      invalid('parameter.enable_thinking must be set to false for non-streaming calls'),
    ],
    [
      'asynchronous calls',
      { headers: { 'x-dashscope-async': 'enable' } },
      dashscopeErrors.noAsynchronousCalls,
    ],
  ]
  for (const [what, asking, expected] of cases) {
    it(`DashScope refuses ${what}`, async () => {
      const cloud = await start()
      const response = await askQwen(cloud, 'hello', asking)
      const { code, message } = (await response.json()) as { code: string; message: string }
      const found = { status: response.status, code, message }
      expect(found).toMatchObject(expected)
      expect(cloud.textRequests).toEqual([expect.objectContaining({ status: found.status, code })])
      expect(cloud.requests).toEqual([])
    })
  }

  it('DashScope accepts valid text requests', async () => {
    const cloud = await start()
    const conversation = messages('system', 'user', 'assistant', 'user')
    expect((await askQwen(cloud, '', { body: conversation })).status).toBe(200)
    expect((await askQwen(cloud, 'hi', { model: 'qwen3-32b', ...quiet })).status).toBe(200)
    expect((await askQwen(cloud, 'hi', { model: 'qwen3-32b', stream: true })).status).toBe(200)
    const snapshot = { model: 'qwen-flash-2025-07-28', parameters: { max_completion_tokens: 9 } }
    expect((await askQwen(cloud, 'hi', snapshot)).status).toBe(200)
  })

  it('DashScope refuses a stream with an error frame labelled as JSON, as a stream, or with plain JSON', async () => {
    const cloud = await start()
    const refused = async () => {
      const response = await askQwen(cloud, 'hi', { model: 'qwen-turbo', stream: true })
      return [response.status, response.headers.get('content-type'), await response.text()]
    }
    const json = '{"code":"InvalidParameter","message":"Model not exist\\.","request_id":"[^"]+"}'
    const frame = expect.stringMatching(`^id:1\nevent:error\n:HTTP_STATUS/400\ndata:${json}\n\n$`)
    expect(await refused()).toEqual([400, 'application/json', frame])
    cloud.set({ textErrorsAs: 'frame' })
    expect(await refused()).toEqual([200, 'text/event-stream;charset=UTF-8', frame])
    cloud.set({ textErrorsAs: 'status' })
    expect(await refused()).toEqual([400, 'application/json', expect.stringMatching(`^${json}$`)])
    expect(cloud.textRequests.map(({ status }) => status)).toEqual([400, 400, 400])
  })

  it('DashScope checks the key first', async () => {
    const cloud = await start()
    const response = await askQwen(cloud, 'hi', { headers: { authorization: 'Bearer wrong' }, stream: true })
    expect([response.status, await response.json()]).toEqual([
      401,
      { code: 'InvalidApiKey', message: 'Invalid API-key provided.', request_id: expect.any(String) },
    ])
    expect(cloud.textRequests).toEqual([])
  })
})

describe('errors of Gemini', () => {
  const text = (parts: unknown) => ({ contents: [{ parts }] })
  const hello = text([{ text: 'hello' }])
  const config = (generationConfig: object) => ({ body: { ...hello, generationConfig } })
  const thinking = (thinkingConfig: object, model = 'gemini-2.5-flash') => ({
    model,
    ...config({ thinkingConfig }),
  })
  const invalid = (message: RegExp) => ({
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  })
  const cases: [string, Parameters<typeof askGemini>[2], object][] = [
    [
      'an unknown model',
      { model: 'gemini-9' },
      {
        code: 404,
        status: 'NOT_FOUND',
        message: expect.stringMatching(/^models\/gemini-9 is not found for API version v1beta/),
      },
    ],
    ['a model of DashScope', { model: 'qwen-flash' }, { code: 404 }],
    ['a request without contents', { body: {} }, invalid(/contents is not specified/)],
    ['contents that are a string', { body: { contents: 'hello' } }, invalid(/contents is not specified/)],
    ['contents without parts', { body: text([]) }, invalid(/must not be empty/)],
    ['parts that are strings', { body: text(['hello']) }, invalid(/^Invalid value/)],
    [
      'a role of DashScope',
      { body: { contents: [{ role: 'assistant', parts: [{ text: 'a' }] }] } },
      invalid(/valid role/),
    ],
    [
      'an unknown field',
      { body: { ...hello, max_tokens: 5 } },
      invalid(/Unknown name "max_tokens": Cannot find field/),
    ],
    [
      'an instruction that is a string',
      { body: { ...hello, systemInstruction: 'Format.' } },
      invalid(/^Invalid value/),
    ],
    [
      'no tokens',
      config({ maxOutputTokens: 0 }),
      invalid(/supported range is from 1 \(inclusive\) to 65537/),
    ],
    ['too many tokens', config({ maxOutputTokens: 65_537 }), invalid(/maxOutputTokens value of 65537/)],
    ['a temperature above 2', config({ temperature: 2.1 }), invalid(/temperature/)],
    [
      'a thinking budget for a model of levels',
      thinking({ thinkingBudget: 0 }, 'gemini-3.5-flash-lite'),
      invalid(/budget/),
    ],
    ['a thinking level for a model of budgets', thinking({ thinkingLevel: 'LOW' }), invalid(/level/)],
    ['a body that is not JSON', { body: '{"contents":' }, invalid(/JSON/)],
    [
      'a wrong key',
      { headers: { 'x-goog-api-key': 'wrong' } },
      {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [expect.objectContaining({ reason: 'API_KEY_INVALID' })],
      },
    ],
  ]
  for (const [what, asking, error] of cases) {
    it(`Gemini refuses ${what}`, async () => {
      const response = await askGemini(await start(), 'hello', asking)
      const body = (await response.json()) as { error: { code: number } }
      expect(body).toEqual({
        error: {
          code: expect.any(Number),
          message: expect.any(String),
          status: expect.any(String),
          ...error,
        },
      })
      expect(response.status).toBe(body.error.code)
    })
  }

  it('Gemini accepts the key only in its header', async () => {
    const cloud = await start()
    const headers = { authorization: `Bearer ${cloud.apiKey}` }
    const url = `${cloud.geminiUrl}/models/gemini-2.5-flash:generateContent?key=${cloud.geminiKey}`
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(hello), headers })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { status: 'PERMISSION_DENIED' } })
    expect(cloud.textRequests).toEqual([])
  })

  it('Gemini refuses unknown routes and does not need the DashScope key', async () => {
    const cloud = await start({ geminiKey: 'other' })
    expect(cloud.geminiKey).toBe('other')
    expect((await askGemini(cloud, 'hi', { method: 'countTokens' })).status).toBe(404)
  })
})
