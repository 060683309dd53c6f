// The DashScope emulator: responses of text models in the protocols of DashScope and Gemini.
import { describe, expect, it } from 'vitest'
import { type DashscopeOptions, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import { askGemini, askQwen, framesOf, partOf, textOf } from '../../../support/emulators/text-client.ts'

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg: 'none', ...options }),
)

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/)
const multimodal = { model: 'qwen3.5-flash', route: 'multimodal-generation' } as const
const quiet = { parameters: { enable_thinking: false } }
const deltas = { stream: true, parameters: { incremental_output: true } }

describe('DashScope responses', () => {
  it('a DashScope response has the documented shape', async () => {
    const cloud = await start()
    const response = await askQwen(cloud, 'good morning everyone', { system: 'Format.' })
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      output: {
        choices: [
          { finish_reason: 'stop', message: { role: 'assistant', content: 'Good morning everyone.' } },
        ],
      },
      usage: {
        total_tokens: 20,
        output_tokens: 5,
        input_tokens: 15,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      request_id: uuid,
    })
  })

  it('a DashScope response without the message format has no choices', async () => {
    const cloud = await start()
    const response = await askQwen(cloud, 'good morning', { parameters: { result_format: undefined } })
    expect(await response.json()).toMatchObject({ output: { text: 'Good morning.', finish_reason: 'stop' } })
  })

  it('a newer model returns a content list, with thoughts unless they are switched off', async () => {
    const cloud = await start()
    const thinking = await askQwen(cloud, 'good morning', multimodal)
    expect(await thinking.json()).toMatchObject({
      output: {
        choices: [
          {
            message: {
              content: [{ text: 'Good morning.' }],
              reasoning_content: expect.stringContaining('text'),
            },
          },
        ],
      },
      usage: { output_tokens_details: { reasoning_tokens: expect.any(Number) } },
    })
    const plain = partOf(await (await askQwen(cloud, 'good morning', { ...multimodal, ...quiet })).json())
    expect(plain).toEqual({ text: 'Good morning.', thoughts: '', finish: 'stop' })
  })

  it('a DashScope stream has numbered frames whose finish reason is the string "null" until the end', async () => {
    const cloud = await start()
    const response = await askQwen(cloud, 'one two three four five six seven eight nine', deltas)
    expect(response.headers.get('content-type')).toBe('text/event-stream;charset=UTF-8')
    const frames = (await response.text()).split('\n\n')
    expect(frames.pop()).toBe('')
    const lines = frames.map(frame => frame.split('\n'))
    expect(lines.map(([id, event, status]) => [id, event, status])).toEqual(
      [1, 2, 3].map(number => [`id:${number}`, 'event:result', ':HTTP_STATUS/200']),
    )
    const bodies = lines.map(([, , , data]) => JSON.parse(data!.replace(/^data:/, '')))
    expect(bodies.map(partOf)).toEqual([
      { text: 'One two three four five six seven eight', thoughts: '', finish: 'null' },
      { text: ' nine.', thoughts: '', finish: 'null' },
      { text: '', thoughts: '', finish: 'stop' },
    ])
    expect(bodies.map(({ usage }) => usage.output_tokens)).toEqual([8, 9, 9])
  })

  it('a DashScope stream repeats all text in each frame unless increments are requested', async () => {
    const cloud = await start()
    const text = 'one two three four five six seven eight nine'
    for (const options of [{}, { ...multimodal, ...quiet }]) {
      const frames = await framesOf(await askQwen(cloud, text, { ...options, stream: true }))
      const whole = 'One two three four five six seven eight nine.'
      expect(frames.map(frame => frame.text)).toEqual([whole.slice(0, -6), whole, whole])
    }
  })

  it('a stream begins with the thoughts', async () => {
    const cloud = await start()
    const frames = await framesOf(await askQwen(cloud, 'good morning', { ...multimodal, ...deltas }))
    expect(frames.map(({ text, thoughts }) => [text, thoughts !== ''])).toEqual([
      ['', true],
      ['Good morning.', false],
      ['', false],
    ])
  })
})

describe('Gemini responses', () => {
  it('a Gemini response has the documented shape in both API versions', async () => {
    const cloud = await start()
    for (const url of [cloud.geminiUrl, cloud.geminiUrl.replace('v1beta', 'v1')]) {
      const response = await askGemini(cloud, 'good morning everyone', { url, system: 'Format.' })
      expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
      expect(await response.json()).toEqual({
        candidates: [
          {
            content: { parts: [{ text: 'Good morning everyone.' }], role: 'model' },
            finishReason: 'STOP',
            index: 0,
          },
        ],
        usageMetadata: { promptTokenCount: 15, candidatesTokenCount: 5, totalTokenCount: 20 },
        modelVersion: 'gemini-2.5-flash-lite',
        responseId: uuid,
      })
    }
  })

  it('a Gemini stream consists of events or of an incremental JSON array', async () => {
    const cloud = await start()
    const text = 'one two three four five six seven eight nine'
    const parts = [
      { text: 'One two three four five six seven eight', thoughts: '', finish: undefined },
      { text: ' nine.', thoughts: '', finish: undefined },
      { text: '', thoughts: '', finish: 'STOP' },
    ]
    const events = await askGemini(cloud, text, { stream: true })
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    const raw = await events.text()
    expect(raw).toMatch(/^(data: \{.*\}\r\n\r\n){3}$/)
    expect(await framesOf(new Response(raw))).toEqual(parts)
    const list = await askGemini(cloud, text, { method: 'streamGenerateContent' })
    expect(((await list.json()) as unknown[]).map(partOf)).toEqual(parts)
  })

  it('Gemini counts thoughts and returns them if requested', async () => {
    const cloud = await start()
    const ask = async (thinkingConfig: object, model = 'gemini-2.5-flash') =>
      (await askGemini(cloud, 'good morning', { model, parameters: { thinkingConfig } })).json()
    expect(await ask({})).toMatchObject({ usageMetadata: { thoughtsTokenCount: expect.any(Number) } })
    expect(partOf(await ask({})).thoughts).toBe('')
    expect(partOf(await ask({ includeThoughts: true })).thoughts).toContain('text')
    expect(await ask({ thinkingBudget: 0 })).not.toHaveProperty('usageMetadata.thoughtsTokenCount')
    const lite = 'gemini-3.5-flash-lite'
    expect(await ask({}, lite)).not.toHaveProperty('usageMetadata.thoughtsTokenCount')
    expect(await ask({ thinkingLevel: 'HIGH' }, lite)).toHaveProperty('usageMetadata.thoughtsTokenCount')
  })

  it('Gemini formats the last user message', async () => {
    const cloud = await start()
    const say = (role: string, text: string) => ({ role, parts: [{ text }] })
    const contents = [say('user', 'first'), say('user', 'second'), say('model', 'third')]
    expect(await textOf(await askGemini(cloud, '', { body: { contents } }))).toBe('Second.')
  })

  it('Gemini accepts field names in camel case and in snake case', async () => {
    const cloud = await start()
    const body = {
      system_instruction: { parts: [{ text: 'Format.' }] },
      contents: [{ parts: [{ text: 'good' }, { text: ' morning' }] }],
      generation_config: { max_output_tokens: 50 },
    }
    expect(await textOf(await askGemini(cloud, '', { body }))).toBe('Good morning.')
    expect(cloud.textRequests[0]).toMatchObject({ system: 'Format.', maxTokens: 50 })
  })
})
