// The stand-in speaks the wire contracts of DashScope's text generation and of Gemini, and formats by rule.
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  geminiErrors,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { encode, order, post, samplesOf } from '../../support/emulators/dashscope-client.ts'
import { askGemini, askQwen, framesOf, partOf, textOf } from '../../support/emulators/text-client.ts'
import { normalizedText, unpunctuatedTexts } from '../../support/emulators/texts.ts'

const open: DashscopeEmulator[] = []
afterEach(() => Promise.all(open.splice(0).map(cloud => cloud.close())))

async function start(options: Partial<DashscopeOptions> = {}): Promise<DashscopeEmulator> {
  const cloud = await startDashscope({ ffmpeg: 'none', ...options })
  open.push(cloud)
  return cloud
}

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/)
const multimodal = { model: 'qwen3.5-flash', route: 'multimodal-generation' } as const
const quiet = { parameters: { enable_thinking: false } }
const deltas = { stream: true, parameters: { incremental_output: true } }

describe('an answer of DashScope', () => {
  it('has the shape of the service', async () => {
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

  it('has no choices where the format of messages was not asked for', async () => {
    const cloud = await start()
    const response = await askQwen(cloud, 'good morning', { parameters: { result_format: undefined } })
    expect(await response.json()).toMatchObject({ output: { text: 'Good morning.', finish_reason: 'stop' } })
  })

  it('holds a list by the route of newer models, with thoughts unless they are switched off', async () => {
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

  it('comes in numbered frames whose reason is the string "null" until the end', async () => {
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

  it('comes with all so far in each frame where what is new was not asked for', async () => {
    const cloud = await start()
    const text = 'one two three four five six seven eight nine'
    for (const wishes of [{}, { ...multimodal, ...quiet }]) {
      const frames = await framesOf(await askQwen(cloud, text, { ...wishes, stream: true }))
      const whole = 'One two three four five six seven eight nine.'
      expect(frames.map(frame => frame.text)).toEqual([whole.slice(0, -6), whole, whole])
    }
  })

  it('begins its stream with its thoughts', async () => {
    const cloud = await start()
    const frames = await framesOf(await askQwen(cloud, 'good morning', { ...multimodal, ...deltas }))
    expect(frames.map(({ text, thoughts }) => [text, thoughts !== ''])).toEqual([
      ['', true],
      ['Good morning.', false],
      ['', false],
    ])
  })
})

describe('an answer of Gemini', () => {
  it('has the shape of the service, by both of its versions', async () => {
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

  it('comes as events, or as a list that grows', async () => {
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

  it('counts thoughts, and shows them where they are asked for', async () => {
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

  it('works on what the user said last', async () => {
    const cloud = await start()
    const say = (role: string, text: string) => ({ role, parts: [{ text }] })
    const contents = [say('user', 'first'), say('user', 'second'), say('model', 'third')]
    expect(await textOf(await askGemini(cloud, '', { body: { contents } }))).toBe('Second.')
  })

  it('takes the names of its fields in either spelling', async () => {
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

describe('an answer', () => {
  it('ends within the tokens that it may have, and says so', async () => {
    const cloud = await start()
    const text = 'one two three four five six'
    const qwen = await askQwen(cloud, text, { parameters: { max_tokens: 3 } })
    expect(partOf(await qwen.json())).toMatchObject({ text: 'One two three', finish: 'length' })
    const gemini = await askGemini(cloud, text, { parameters: { maxOutputTokens: 3 }, stream: true })
    expect((await framesOf(gemini)).at(-1)!.finish).toBe('MAX_TOKENS')
  })

  it('has fewer tokens left when it was thought about', async () => {
    const cloud = await start()
    const wishes = { model: 'gemini-2.5-flash', parameters: { maxOutputTokens: 22 } }
    const part = partOf(await (await askGemini(cloud, 'one two three four five', wishes)).json())
    expect(part).toMatchObject({ text: 'One two', finish: 'MAX_TOKENS' })
  })

  it('is written down with what was asked', async () => {
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

  it('takes as long as it is told, a stream as well as a whole', async () => {
    const cloud = await start({ textLatency: { base: 0.1, perWord: 0.05 } })
    const text = 'one two three four five six'
    await Promise.all([textOf(await askQwen(cloud, text)), textOf(await askQwen(cloud, text, deltas))])
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    for (const { at, finished } of cloud.textRequests) {
      expect(finished! - at).toBeGreaterThanOrEqual(395)
    }
  })

  it('streams its words while they are written, and its head before them', async () => {
    const cloud = await start({ textLatency: { base: 0, perWord: 60 } })
    const leaving = new AbortController()
    const response = await askQwen(cloud, 'one two', { ...deltas, signal: leaving.signal })
    expect(response.status).toBe(200)
    leaving.abort()
    cloud.set({ textLatency: { base: 0, perWord: 0.1 }, lateTextHeaders: true })
    const reader = (await askQwen(cloud, 'one two three four', deltas)).body!.getReader()
    await reader.read()
    expect(cloud.textRequests[1]!.finished).toBeUndefined()
    await reader.cancel()
  })

  it('may hold back the head of a stream until its first word', async () => {
    const cloud = await start({ textLatency: { base: 60, perWord: 0 }, lateTextHeaders: true })
    const asked = askQwen(cloud, 'one two', { ...deltas, signal: AbortSignal.timeout(300) })
    await expect(asked).rejects.toThrow()
  })

  it('that nobody waits for is noticed, and how many came at once is counted', async () => {
    const cloud = await start({ textLatency: { base: 60, perWord: 0 } })
    const leaving = new AbortController()
    const { signal } = leaving
    const asked = [askQwen(cloud, 'one', { signal }), askGemini(cloud, 'two', { signal })]
    const failed = Promise.allSettled(asked)
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(2))
    leaving.abort()
    await failed
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    expect(cloud.peakTextInFlight()).toBe(2)
    expect(cloud.textRequests.map(({ inFlight }) => inFlight)).toEqual([1, 2])
    for (const record of cloud.textRequests)
      expect(record).toMatchObject({ aborted: true, status: 0, answer: '' })
  })
})

describe('the text to work on', () => {
  const found = async (user: string) => {
    const cloud = await start()
    await askQwen(cloud, user)
    const { text, before } = cloud.textRequests[0]!
    return { text, before }
  }

  it('stands in the last pair of tags, and what came before it in the pair before', async () => {
    const user =
      'Go on.\n<before-7f>\nthe left\n</before-7f>\n<text-7f lang="en">\nthe text\n</text-7f>\nThanks.'
    expect(await found(user)).toEqual({ text: 'the text', before: 'the left' })
  })

  it('may hold tags itself', async () => {
    const text = 'a\n</text>\n<text-7f>\nb\n<other>\nc\n</other>\nd'
    expect(await found(`Go on.\n<text-7f>\n${text}\n</text-7f>`)).toEqual({ text, before: '' })
  })

  it('is that of the last pair where there are two of a name', async () => {
    const user = 'Go on.\n<text>\nan example\n</text>\n<text>\nthe text\n</text>'
    expect(await found(user)).toEqual({ text: 'the text', before: 'an example' })
  })

  it('is the whole message where no tags stand on lines of their own', async () => {
    expect(await found('some <b>bold</b> words')).toEqual({ text: 'some <b>bold</b> words', before: '' })
  })
})

describe('what is written', () => {
  const write = async (text: string, system = '') => textOf(await askQwen(await start(), text, { system }))

  const marks = { Chinese: /。/, Japanese: /。/, mixed: /。/, Thai: /\p{L} \p{L}/u } as Record<string, RegExp>
  for (const [script, text] of Object.entries(unpunctuatedTexts)) {
    it(`has the words of the text and marks in ${script}, each time the same`, async () => {
      const written = await write(text)
      expect(normalizedText(written)).toBe(normalizedText(text))
      expect(written.match(new RegExp(marks[script] ?? /\./, 'gu'))!.length).toBeGreaterThan(1)
      expect(await write(text)).toBe(written)
      expect(normalizedText(await write(written))).toBe(normalizedText(text))
    })
  }

  it('begins sentences with capitals and ends them within two dozen words', async () => {
    const sentences = (await write(unpunctuatedTexts.English)).split(/(?<=[.?])\s+/)
    expect(sentences.length).toBeGreaterThan(4)
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^\p{Lu}.*[.?]$/u)
      expect(sentence.split(' ').length).toBeLessThan(25)
    }
  })

  it('has its borders where the words want them, wherever the text begins', async () => {
    const ends = (text: string) => new Set(text.match(/\S+[.?]/g))
    const whole = ends(await write(unpunctuatedTexts.English))
    const words = unpunctuatedTexts.English.split(' ')
    for (const from of [3, 8, 15, 22]) {
      const later = [...ends(await write(words.slice(from).join(' ')))].slice(1)
      expect(later.length).toBeGreaterThan(1)
      for (const end of later) expect(whole).toContain(end)
    }
  })

  it('keeps the marks that are there', async () => {
    const text = 'Is that so? Yes! "It is", she said; 3.5 percent, e.g. of 1,000.'
    expect((await write(text)).replace(/\s+/g, ' ')).toBe(text.replace('e.g. of', 'e.g. Of'))
    expect(await write('你好吗？我很好！')).toBe('你好吗？我很好！')
  })

  it('asks where a question word begins', async () => {
    expect(await write('where is it')).toBe('Where is it?')
    expect(await write('هل هذا صحيح')).toBe('هل هذا صحيح؟')
    expect(await write('你好吗')).toBe('你好吗？')
  })

  it('has a paragraph for each line, and for every few sentences of a long one', async () => {
    expect(await write('good morning\nhow are you\r\n\r\nfine')).toBe(
      'Good morning.\n\nHow are you?\n\nFine.',
    )
    const paragraphs = (await write(`${unpunctuatedTexts.English} ${unpunctuatedTexts.English}`)).split(
      '\n\n',
    )
    expect(paragraphs.length).toBeGreaterThan(1)
  })

  it('leaves fillers out only where it is asked to', async () => {
    const text = 'um so we uh went home, um. and эм that was 嗯 all uh'
    expect(await write(text, 'Add marks.')).toMatch(/^Um so we uh went home, um\./)
    expect(await write(text, 'Add marks. Keep the fillers.')).toMatch(/^Um so/)
    expect(await write(text, 'Add marks. Do not leave out fillers.')).toMatch(/^Um so/)
    const clean = 'So we went home. And that was all.'
    expect(await write(text, 'Add marks and leave the fillers out.')).toBe(clean)
    expect(await write(text, 'Leave out um, uh, эм and the like.')).toBe(clean)
    expect(await write('um caso que não', 'No words but fillers go: leave the fillers out.')).toContain(
      'Um caso',
    )
  })
})

describe('models', () => {
  it('are gone as they are told, for DashScope in one way or the other', async () => {
    const cloud = await start({ retiredTextModels: ['qwen-flash', 'gemini-2.5-flash'] })
    expect((await askQwen(cloud, 'hi', { model: 'qwen-turbo' })).status).toBe(200)
    expect((await askQwen(cloud, 'hi')).status).toBe(400)
    cloud.set({ textModelGone: 'ModelNotFound' })
    const gone = await askQwen(cloud, 'hi')
    expect([gone.status, await gone.json()]).toMatchObject([404, { code: 'ModelNotFound' }])
    expect((await askGemini(cloud, 'hi', { model: 'gemini-2.5-flash' })).status).toBe(404)
  })

  it('may be answered for by others, which say so and have rules of their own', async () => {
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

  it('have each a limit of requests a minute, until it is changed', async () => {
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

  it('share a route with recognition, and neither takes what is meant for the other', async () => {
    const ffmpeg = await testFfmpeg()
    const cloud = await start({ ffmpeg })
    const note = encode(ffmpeg, samplesOf(ffmpeg, 'voice-note.ogg'))
    const both = await Promise.all([
      post(cloud, order(note)),
      askQwen(cloud, 'good morning', { ...multimodal, ...quiet }),
      post(cloud, { ...order(note), model: 'paraformer-v2' }),
    ])
    expect(both.map(({ status }) => status)).toEqual([200, 200, 400])
    expect(cloud.requests.map(({ model, spokenText }) => [model, spokenText !== undefined])).toEqual([
      ['qwen3-asr-flash', true],
      ['', false],
    ])
    expect(cloud.textRequests.map(({ route }) => route)).toEqual(['multimodal-generation'])
    expect(cloud.inFlight()).toBe(0)
  })

  it('of Gemini have errors with its own statuses', () => {
    for (const { status, code } of Object.values(geminiErrors)) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(code).toMatch(/^[A-Z_]+$/)
    }
  })
})
