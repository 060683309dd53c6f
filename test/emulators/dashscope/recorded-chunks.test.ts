// The DashScope emulator: synchronous recognition in the forms that were recorded of the service.
import { beforeAll, describe, expect, it } from 'vitest'
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
  samplesOf,
  truthOf,
} from '../../support/emulators/dashscope-client.ts'

let ffmpeg: string
let note: Buffer
let silence: Buffer
const words = truthOf('voice-note.ogg').words.map(({ text }) => text)

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  note = encode(ffmpeg, samplesOf(ffmpeg, 'voice-note.ogg'))
  silence = encode(ffmpeg, join(3))
})

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

interface Answered {
  output: {
    choices: { finish_reason: string; message: { annotations?: object[]; content: { text: string }[] } }[]
  }
  usage: { seconds?: number }
}

interface Spoken {
  text: string
  sentence: object
  sentences?: { text: string; words: object[] }[]
  output: object
}

async function answerOf(response: Response) {
  const { output, usage } = (await response.json()) as Answered
  const { finish_reason: finish, message } = output.choices[0]!
  return { finish, ...message, text: message.content[0]?.text ?? '', usage }
}

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string }
  return { status: response.status, code, message }
}

describe('answers', () => {
  const snapshot = () => ({ ...asrRequest(note), model: 'qwen3-asr-flash-2026-02-10' })

  it('a dated snapshot tells neither language nor seconds, unless configured', async () => {
    const cloud = await start()
    const dated = await answerOf(await post(cloud, snapshot()))
    expect(dated).not.toHaveProperty('annotations')
    expect(dated.usage).not.toHaveProperty('seconds')
    expect(dated.text).toBe(words.join(' '))
    expect(cloud.bill().seconds).toBe(8)
    cloud.set({ forms: { annotations: 'always' } })
    expect((await answerOf(await post(cloud, snapshot()))).annotations).toMatchObject([{ language: 'en' }])
  })

  it('the fault length ends an answer early and says so', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'length', at: 0.5 })
    const cut = await answerOf(await post(cloud, asrRequest(note)))
    expect(cut).toMatchObject({ finish: 'length', text: words.slice(0, words.length / 2).join(' ') })
    expect(cloud.requests[0]!.spokenText).toBe(words.join(' '))
  })

  it('silence can be an error, or repeat the context', async () => {
    const cloud = await start({ forms: { silentChunks: 'error' } })
    expect(await refusal(await post(cloud, asrRequest(silence)))).toEqual(dashscopeErrors.noWords)
    expect(cloud.bill().entries).toEqual([])
    cloud.set({ forms: { repeatsContext: true } })
    expect((await answerOf(await post(cloud, asrRequest(silence, { context: 'Greta' })))).text).toBe('Greta')
    expect((await answerOf(await post(cloud, asrRequest(note, { context: 'Greta' })))).text).toBe(
      words.join(' '),
    )
  })
})

describe('qwen-audio', () => {
  const content = () => [
    { type: 'input_audio', input_audio: { data: `data:audio/mpeg;base64,${note.toString('base64')}` } },
  ]
  const order = (parameters: object) => ({
    model: 'qwen-audio-3.1-asr-flash',
    input: { messages: [{ role: 'user', content: content() }] },
    parameters,
  })

  it('tells its sentences, and who says them, only where speakers are asked for at the top', async () => {
    const cloud = await start()
    const answered = async (parameters: object) =>
      ((await (await post(cloud, order({ format: 'mp3', ...parameters }))).json()) as { output: Spoken })
        .output
    const plain = await answered({ asr_options: { speaker_diarization_enabled: true } })
    expect(plain).not.toHaveProperty('sentences')
    expect(plain.sentence).toMatchObject({ text: words.join(' '), sentence_id: 1 })
    const { sentences = [], output, text } = await answered({ speaker_diarization_enabled: true })
    expect(output).toMatchObject({ text, sentences })
    expect(sentences.map(({ text }) => text).join(' ')).toBe(text)
    expect(sentences[0]).toMatchObject({ speaker_id: 0, begin_time: expect.any(Number) })
    expect(sentences[0]!.words[0]).toMatchObject({ punctuation: '', fixed: true, speaker_id: 0 })
  })

  it('refuses a request without a format', async () => {
    const { status, message } = await refusal(await post(await start(), order({})))
    expect({ status, message }).toEqual({ status: 400, message: expect.stringContaining('format is empty') })
  })
})

describe('refusals', () => {
  const unreadable = () => asrRequest('data:audio/mpeg;base64,AAAA')

  it('audio that cannot be read is told in the message, in an inner code, or in a code of its own', async () => {
    const cloud = await start()
    const message = 'The audio format is illegal and cannot be opened'
    const inner = 'InternalError.Algo.InvalidParameter'
    const refused = async () => refusal(await post(cloud, unreadable()))
    expect(await refused()).toEqual({
      status: 400,
      code: 'InvalidParameter',
      message: `<400> ${inner}: ${message}`,
    })
    cloud.set({ forms: { invalidInput: 'code' } })
    expect(await refused()).toEqual({ status: 400, code: inner, message })
    cloud.set({ forms: { invalidInput: 'tidy' } })
    expect(await refused()).toEqual(dashscopeErrors.unsupportedFormat)
  })

  it('the content check is told in the message, in an inner code, or in a code of its own', async () => {
    const cloud = await start({ forms: { contentCheck: 'message' } })
    cloud.fault({ kind: 'refuse' })
    const { message } = dashscopeErrors.dataInspectionFailed
    const inner = 'InternalError.Algo.DataInspectionFailed'
    const refused = async () => refusal(await post(cloud, asrRequest(note)))
    expect(await refused()).toEqual({
      status: 400,
      code: 'InvalidParameter',
      message: `<400> ${inner}: ${message}`,
    })
    cloud.set({ forms: { contentCheck: 'innerCode' } })
    expect(await refused()).toEqual({ status: 400, code: inner, message })
    cloud.set({ forms: { contentCheck: 'code' } })
    expect(await refused()).toEqual(dashscopeErrors.dataInspectionFailed)
    expect(cloud.bill().entries).toEqual([])
  })

  it('any error can come nested, as a gateway sends it', async () => {
    const cloud = await start()
    cloud.fault({ kind: 'error', ...dashscopeErrors.arrearage, nested: true })
    const response = await post(cloud, asrRequest(note))
    const { code, message } = dashscopeErrors.arrearage
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: { code, message, type: 'invalid_request_error' } },
    ])
  })
})
