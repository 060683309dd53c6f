// Recognition of one chunk with qwen-audio: its request, and the places where its answers have the text.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, truth, truthText } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'
import { apiKey, chunk, never } from '../../../support/servers/dashscope-client.ts'
import { startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient
beforeAll(async () => {
  server = await startTaskServer()
  http = createHttpClient({ connections: 2 })
})
afterAll(() => Promise.all([http.close(), server.close()]))

const recogniser = (key = apiKey, baseUrl = server.baseUrl) =>
  chunkAsr(dashscope({ apiKey: key, baseUrl, http }), {
    model: knownModels.find('qwen-audio-3.1-asr-flash', 'chunk'),
    concurrency: 1,
  })

describe('qwen-audio for chunks', () => {
  it('is sent the audio with its format, and a language that it takes', async () => {
    server.respond(200, { output: { text: 'ok' } })
    for (const language of ['ru', 'fil', 'uk']) await recogniser().recognise({ ...chunk, language }, never)
    expect(JSON.parse(server.requests[0]!.body)).toEqual({
      model: 'qwen-audio-3.1-asr-flash',
      input: {
        messages: [
          {
            role: 'user',
            content: [{ type: 'input_audio', input_audio: { data: 'data:audio/mpeg;base64,YXVkaW8=' } }],
          },
        ],
      },
      parameters: { format: 'mp3', speaker_diarization_enabled: true, language_hints: ['ru'] },
    })
    const hints = server.requests.map(({ body }) => JSON.parse(body).parameters.language_hints)
    expect(hints).toEqual([['ru'], ['tl'], undefined])
  })

  const parts = [{ text: 'All' }, { text: 'of it.' }]

  it.each([
    ['at the top, as of a workspace', { text: 'All of it.' }],
    ['in the output', { output: { text: 'All of it.', sentence: { text: 'of it.' } } }],
    ['in the output of the output', { output: { text: '', output: { text: 'All of it.' } } }],
    ['in all of its sentences', { output: { text: '', sentence: { text: 'of it.' }, sentences: parts } }],
    ['in its only sentence', { output: { output: { sentence: { text: 'All of it.' } } } }],
  ])('reads the text %s', async (_, answer) => {
    server.respond(200, { ...answer, usage: { duration: 5 } })
    expect(await recogniser().recognise(chunk, never)).toEqual({ text: 'All of it.' })
  })

  it('reads an empty text, and the error for no words, as silence', async () => {
    server.respond(200, { output: { text: '' } })
    expect(await recogniser().recognise(chunk, never)).toMatchObject({ text: '' })
    server.respond(400, { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'no words' })
    expect(await recogniser().recognise(chunk, never)).toMatchObject({ text: '' })
  })

  it('takes an answer without a text for one of unknown shape', async () => {
    server.respond(200, { output: { finished: true } })
    const error = await failure(recogniser().recognise(chunk, never))
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  })

  const sentence = (begin_time: number, end_time: number, text: string, words: object[] = []) => ({
    ...{ begin_time, end_time, text, words },
  })
  const word = (begin_time: number, end_time: number, text: string) => ({
    ...{ begin_time, end_time, text, punctuation: '', fixed: true, speaker_id: 0 },
  })
  const text = 'So it goes. And on.'
  const sentences = [
    sentence(200, 900, 'So it goes.', [word(200, 310, 'So'), word(310, 500, 'it'), word(500, 900, 'goes')]),
    sentence(2100, 3500, 'And on.', [word(2100, 2500, 'And'), word(2500, 3500, 'on')]),
  ]

  it('takes the times of words, of all sentences', async () => {
    for (const output of [{ text, sentence: sentences[1], sentences }, { output: { text, sentences } }]) {
      server.respond(200, { output })
      const { words } = await recogniser().recognise(chunk, never)
      expect(words).toEqual([
        { text: 'So ', start: 0.2, end: 0.31 },
        { text: 'it ', start: 0.31, end: 0.5 },
        { text: 'goes. ', start: 0.5, end: 0.9 },
        { text: 'And ', start: 2.1, end: 2.5 },
        { text: 'on.', start: 2.5, end: 3.5 },
      ])
    }
  })

  it('takes the times of sentences without words, and none of the last sentence alone', async () => {
    const plain = sentences.map(({ words: _, ...one }) => one)
    server.respond(200, { output: { text, sentences: plain } })
    expect(await recogniser().recognise(chunk, never)).toEqual({
      text,
      segments: [
        { text: 'So it goes. ', start: 0.2, end: 0.9 },
        { text: 'And on.', start: 2.1, end: 3.5 },
      ],
    })
    server.respond(200, { output: { text, sentence: sentences[1] } })
    expect(await recogniser().recognise(chunk, never)).toEqual({ text })
  })

  it('recognises a recording with the emulated service', async () => {
    const emulator: DashscopeEmulator = await startDashscope({ ffmpeg: await testFfmpeg() })
    for (const resultPlace of ['results', 'output'] as const) {
      emulator.set({ forms: { resultPlace } })
      const recording = { audio: readFileSync(fixture('jfk.wav')), mime: 'audio/wav', seconds: 11 }
      const { text, words = [] } = await recogniser(emulator.apiKey, emulator.url).recognise(recording, never)
      expect(text).toBe(truthText(truth('jfk')))
      expect(words.map(({ text }) => text).join('')).toBe(text)
      const late = words.findIndex(({ text }) => text.startsWith('country'))
      const said = truth('jfk').words.find(({ text }) => text.startsWith('country'))!
      expect(words[late]!.start).toBeCloseTo(said.start, 1)
    }
    await emulator.close()
  })
})
