// The DashScope emulator: synchronous recognition, its errors and injected faults.
import { beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import {
  asrRequest,
  encode,
  join,
  post,
  read,
  samplesOf,
  truthOf,
} from '../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let note: Buffer
let text: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  note = encode(ffmpeg, samplesOf(ffmpeg, 'voice-note.ogg'))
  text = truthOf('voice-note.ogg')
    .words.map(word => word.text)
    .join(' ')
})

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

async function refusal(response: Response) {
  const { code, message, request_id, ...others } = await read(response)
  expect(request_id).toMatch(/^[0-9a-f-]{36}$/)
  expect(others).toEqual({})
  return { status: response.status, code, message }
}

async function textOf(response: Response): Promise<string | undefined> {
  return (await read(response)).output.choices[0]!.message.content[0]?.text
}

describe('answers', () => {
  it('a response has the documented shape and headers', async () => {
    const cloud = await start()
    const response = await post(cloud, asrRequest(note, { context: 'Greta' }))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-dashscope-call-gateway')).toBe('true')
    expect(response.headers.get('req-cost-time')).toMatch(/^\d+$/)
    expect(await response.json()).toEqual({
      output: {
        choices: [
          {
            finish_reason: 'stop',
            message: {
              annotations: [{ language: 'en', type: 'audio_info', emotion: 'neutral' }],
              content: [{ text }],
              role: 'assistant',
            },
          },
        ],
      },
      usage: {
        input_tokens_details: { text_tokens: 1 },
        output_tokens_details: { text_tokens: text.split(' ').length },
        seconds: 8,
      },
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  it('silence is recognised as empty content', async () => {
    const cloud = await start()
    const body = await read(await post(cloud, asrRequest(encode(ffmpeg, join(3)))))
    expect(body.output.choices[0]!.message.content).toEqual([])
  })

  it('each request is recorded with its answer', async () => {
    const cloud = await start()
    await post(cloud, asrRequest(note, { context: 'Greta, parcel', language: 'en' }))
    expect(cloud.requests).toEqual([
      expect.objectContaining({
        model: 'qwen3-asr-flash',
        mime: 'audio/mpeg',
        language: 'en',
        context: 'Greta, parcel',
        sampleRate: 16000,
        bitRate: 32000,
        bytes: note.length,
        status: 200,
        text,
        aborted: false,
      }),
    ])
    expect(cloud.requests[0]!.seconds).toBeCloseTo(truthOf('voice-note.ogg').duration, 0)
  })

  it('recognition takes the configured time, and concurrent requests are counted', async () => {
    const cloud = await start({ latency: { base: 0.4, perSecond: 0.1 } })
    await cloud.warmUp()
    const started = Date.now()
    const answers = Promise.all([1, 2, 3].map(() => post(cloud, asrRequest(note))))
    await vi.waitFor(() => expect(cloud.inFlight()).toBe(3))
    await answers
    expect(Date.now() - started).toBeGreaterThanOrEqual(1100)
    expect(cloud.peakInFlight()).toBe(3)
  })
})

describe('the API key', () => {
  it('the key is checked before the path, and the error has no content type', async () => {
    const cloud = await start()
    for (const path of ['/tasks/abc', '/nothing/here']) {
      const response = await fetch(cloud.url + path, { headers: { authorization: 'Bearer wrong' } })
      expect(response.headers.get('content-type')).toBeNull()
      expect(await refusal(response)).toEqual(dashscopeErrors.invalidApiKey)
    }
    const unsigned = await fetch(`${cloud.url}/tasks/abc`)
    expect(unsigned.status).toBe(401)
    expect(cloud.requests).toEqual([])
  })

  it('a valid key reaches the task route, and unknown routes return 404', async () => {
    const cloud = await start({ apiKey: 'sk-other' })
    const headers = { authorization: 'Bearer sk-other' }
    const task = await read(await fetch(`${cloud.url}/tasks/abc`, { headers }))
    expect(task.output).toEqual({ task_id: 'abc', task_status: 'UNKNOWN' })
    expect((await fetch(`${cloud.url}/nothing/here`, { headers })).status).toBe(404)
  })
})

describe('invalid requests', () => {
  const valid = () => asrRequest(note)
  const content = (part: unknown) => ({ ...valid(), input: { messages: [{ role: 'user', content: part }] } })
  const audio = (value: string) => content([{ audio: value }])
  const system = { role: 'system', content: [{ text: '' }] }
  const user = () => valid().input.messages[0]!
  const { roleOrContent } = dashscopeErrors
  const invalid = { status: 400, code: 'InvalidParameter' }
  const illegalAudio = {
    ...invalid,
    message: '<400> InternalError.Algo.InvalidParameter: The audio format is illegal and cannot be opened',
  }
  const cases: [string, () => unknown, object][] = [
    ['for an unknown model', () => ({ ...valid(), model: 'paraformer-v2' }), dashscopeErrors.modelNotExist],
    ['for content that is a string', () => content('audio'), roleOrContent],
    ['for empty content', () => content([]), roleOrContent],
    ['for two keys in one part', () => content([{ audio: 'data:', text: '' }]), roleOrContent],
    [
      'for a system message at the end',
      () => ({ ...valid(), input: { messages: [user(), system] } }),
      roleOrContent,
    ],
    ['for two user messages', () => ({ ...valid(), input: { messages: [user(), user()] } }), roleOrContent],
    [
      'for a context of more than 10,000 tokens',
      () => asrRequest(note, { context: 'word '.repeat(10_001) }),
      invalid,
    ],
    ['for a language outside the list', () => asrRequest(note, { language: 'nl' }), invalid],
    ['for a body that is not JSON', () => '{"model":', invalid],
    [
      'for a URL that cannot be fetched',
      () => audio('https://example.org/a.mp3'),
      dashscopeErrors.invalidUrl,
    ],
    ['for a path', () => audio('/tmp/a.mp3'), dashscopeErrors.urlError],
    ['for an unsupported format', () => audio('data:audio/mp4;base64,AAAA'), illegalAudio],
    ['for data that is not audio', () => audio('data:audio/mpeg;base64,AAAA'), illegalAudio],
    ['for under half a second', () => asrRequest(encode(ffmpeg, join(0.2))), dashscopeErrors.audioEmpty],
    ['for over 300 s', () => asrRequest(encode(ffmpeg, join(302))), dashscopeErrors.audioLength],
    [
      'for over 10 MB',
      () => audio(`data:audio/wav;base64,${'A'.repeat(10_485_760)}`),
      dashscopeErrors.tooLarge,
    ],
  ]
  for (const [reason, body, expected] of cases) {
    it(`a request is refused ${reason}`, async () => {
      const cloud = await start()
      const found = await refusal(await post(cloud, body()))
      expect(found).toMatchObject(expected)
      expect(cloud.requests[0]!.status).toBe(found.status)
    })
  }

  it('an asynchronous recognition request is refused', async () => {
    const cloud = await start()
    const response = await post(cloud, valid(), { headers: { 'x-dashscope-async': 'enable' } })
    expect(await refusal(response)).toEqual(dashscopeErrors.noAsynchronousCalls)
  })

  it('requests above the rate limit are refused until it is changed', async () => {
    const cloud = await start({ requestsPerMinute: 2 })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await post(cloud, asrRequest(note))).status)
    expect(statuses).toEqual([200, 200, 429])
    expect(await refusal(await post(cloud, asrRequest(note)))).toEqual(dashscopeErrors.rateQuota)
    cloud.set({ requestsPerMinute: 10 })
    expect((await post(cloud, asrRequest(note))).status).toBe(200)
  })
})

describe('faults', () => {
  it('an error fault returns any error as often as requested', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'error', ...dashscopeErrors.arrearage, times: 1 })
    expect(await refusal(await post(cloud, asrRequest(note)))).toEqual(dashscopeErrors.arrearage)
    expect(await textOf(await post(cloud, asrRequest(note)))).toBe(text)
  })

  it('a fault hits every n-th request, or those that match, until it is removed', async () => {
    const cloud = await start()
    const off = cloud.fault({ kind: 'error', ...dashscopeErrors.internalError, every: 2 })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await post(cloud, asrRequest(note))).status)
    expect(statuses).toEqual([200, 500, 200, 500])
    off()
    cloud.fault({ kind: 'emptyText', when: request => request.spokenText?.includes('lemons') ?? false })
    expect(await textOf(await post(cloud, asrRequest(note)))).toBe('')
    expect(await textOf(await post(cloud, asrRequest(encode(ffmpeg, samplesOf(ffmpeg, 'jfk.wav')))))).toMatch(
      /^And so/,
    )
  })

  it('the faults empty and emptyText return no words', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'empty' })
    expect(await textOf(await post(cloud, asrRequest(note)))).toBeUndefined()
    expect(cloud.requests[0]!.spokenText).toBe(text)
  })

  it('the faults html and garbage return a proxy page or truncated JSON', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'html', times: 1 })
    const page = await post(cloud, asrRequest(note))
    expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html'])
    expect(await page.text()).toContain('502 Bad Gateway')
    cloud.fault({ kind: 'garbage', times: 1 })
    const half = await post(cloud, asrRequest(note))
    expect(half.status).toBe(200)
    await expect(half.json()).rejects.toThrow(SyntaxError)
  })

  it('the faults unread and drop close the connection before or after the body', async () => {
    const cloud = await start()
    for (const kind of ['unread', 'drop'] as const) {
      const off = cloud.fault({ kind })
      await expect(post(cloud, asrRequest(note))).rejects.toThrow('fetch failed')
      off()
    }
    expect(cloud.requests.map(request => request.model)).toEqual(['', 'qwen3-asr-flash'])
  })

  it('the fault loop repeats a phrase, in long audio or in the first requests', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'loop' })
    expect(await textOf(await post(cloud, asrRequest(note)))).toBe(text)
    cloud.fault({ kind: 'loop', times: 1 })
    const looped = await textOf(await post(cloud, asrRequest(note)))
    expect(looped).toMatch(/(\S+ \S+ \S+ \S+)( \1){20}/)
    expect(await textOf(await post(cloud, asrRequest(note)))).toBe(text)
  })

  it('the fault hang never responds, and the disconnect is recorded', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'hang', times: 1 })
    const client = new AbortController()
    const answer = expect(post(cloud, asrRequest(note), { signal: client.signal })).rejects.toThrow()
    await vi.waitFor(() => expect(cloud.inFlight()).toBe(1))
    // A later request has its answer, and the first has none.
    expect((await post(cloud, asrRequest(note))).status).toBe(200)
    expect(cloud.inFlight()).toBe(1)
    client.abort()
    await answer
    await vi.waitFor(() => expect(cloud.requests[0]).toMatchObject({ aborted: true, status: 0 }))
    expect(cloud.inFlight()).toBe(0)
  })

  it('a held request is answered once the fault is removed, and ends when the emulator closes', async () => {
    const cloud = await start()
    const release = cloud.fault({ kind: 'held' })
    const held = post(cloud, asrRequest(note))
    await vi.waitFor(() => expect(cloud.inFlight()).toBe(1))
    release()
    expect((await held).status).toBe(200)
    cloud.fault({ kind: 'held' })
    const answer = expect(post(cloud, asrRequest(note))).rejects.toThrow('fetch failed')
    await vi.waitFor(() => expect(cloud.inFlight()).toBe(1))
    await cloud.close()
    await answer
  })
})
