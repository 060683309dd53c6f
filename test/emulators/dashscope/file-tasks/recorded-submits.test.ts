// The DashScope emulator: what a submit takes, and what the service says of mistakes in it, as recorded.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import {
  asrRequest,
  type FileServer,
  fixture,
  post,
  serveFiles,
  startTask,
  submit,
  taskEnd,
  taskRequest,
  WORDS,
} from '../../../support/emulators/dashscope-client.ts'

const onePass = 'qwen-audio-3.1-asr-flash-filetrans'
let ffmpeg: string
let files: FileServer
let note: string

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  files = await serveFiles()
  note = files.add(readFileSync(fixture('voice-note.ogg')))
})
afterAll(() => files.close())

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg, ...options }),
)

const failure = async (cloud: DashscopeEmulator, body: object) =>
  (await taskEnd(cloud, await startTask(cloud, body))).output

async function refusal(response: Response) {
  const { code, message } = (await response.json()) as { code: string; message: string }
  return { status: response.status, code, message }
}

describe('mistakes in a submit', () => {
  const malformed = { code: 'InvalidParameter.MalformedURL', message: 'A valid file URL is required' }
  const cases: [string, object, object][] = [
    ['a list for a single file', { model: WORDS, input: { file_urls: ['http://a/b'] } }, malformed],
    ['a single file for a list', { model: 'fun-asr', input: { file_url: 'http://a/b' } }, malformed],
    ['two files', { model: onePass, input: { file_urls: ['http://a/b', 'http://a/c'] } }, malformed],
    ['a path', { model: WORDS, input: { file_url: '/tmp/a.mp3' } }, malformed],
    [
      'an upload without its header, of filetrans',
      { model: WORDS, input: { file_url: 'oss://a/b' } },
      { code: 'FILE_DOWNLOAD_FAILED' },
    ],
    [
      'an upload without its header, of the others',
      { model: onePass, input: { file_urls: ['oss://a/b'] } },
      { code: 'SERVER_ERROR' },
    ],
  ]
  it.each(cases)('a submit is accepted and its task fails: %s', async (_, body, error) => {
    const cloud = await start()
    expect(await failure(cloud, { parameters: {}, ...body })).toMatchObject({
      task_status: 'FAILED',
      ...error,
    })
    expect(cloud.bill().entries).toEqual([])
  })

  it('parameters of an unknown name or place are ignored, but messages are refused', async () => {
    const cloud = await start()
    const strange = { enable_wrods: true, context: 'Greta', text: 'Greta' }
    expect(await failure(cloud, taskRequest(WORDS, note, strange))).toMatchObject({
      task_status: 'SUCCEEDED',
    })
    expect(cloud.tasks[0]).not.toHaveProperty('context')
    const input = { file_url: note, messages: [] }
    expect((await submit(cloud, { model: WORDS, input, parameters: {} })).status).toBe(400)
  })

  it('a model for chunks or text is told apart from an unknown one at the route of files', async () => {
    const cloud = await start()
    for (const model of ['qwen3-asr-flash', 'qwen-flash']) {
      expect(await refusal(await submit(cloud, taskRequest(model, note)))).toEqual({
        status: 400,
        code: 'InvalidParameter',
        message: expect.stringMatching(/^url error, please check url！ For details, see: https:/),
      })
    }
    expect(await refusal(await submit(cloud, taskRequest('qwen-ears', note)))).toEqual(
      dashscopeErrors.modelNotExist,
    )
    const wrong = await post(cloud, { ...asrRequest('data:audio/mpeg;base64,AAAA'), model: WORDS })
    expect(await refusal(wrong)).toEqual(dashscopeErrors.urlError)
    cloud.set({ forms: { wrongRoute: 'notExist' } })
    expect(await refusal(await submit(cloud, taskRequest('qwen3-asr-flash', note)))).toEqual(
      dashscopeErrors.modelNotExist,
    )
  })
})

describe('context and hotwords', () => {
  const context = (text: string) => [{ role: 'user', content: [{ type: 'input_text', text }] }]
  const body = (model: string, given: { input?: object; parameters?: object }) => {
    const { input, parameters } = taskRequest(model, note)
    return { model, input: { ...input, ...given.input }, parameters: { ...parameters, ...given.parameters } }
  }

  it('qwen-audio takes 400 characters of input.context, and a vocabulary', async () => {
    const cloud = await start()
    const vocabulary = { Jev: 50, 'Greta Alcott': 4, 阿里巴巴: 1 }
    await startTask(
      cloud,
      body(onePass, {
        input: { context: context(`Greta${'x'.repeat(400)}`) },
        parameters: { vocabulary, vocabulary_id: 'vocab-1' },
      }),
    )
    expect(cloud.tasks[0]).toMatchObject({ context: `Greta${'x'.repeat(395)}`, vocabulary })
  })

  it('filetrans takes parameters.corpus.text, and no vocabulary', async () => {
    const cloud = await start()
    const parameters = { corpus: { text: 'Greta, Alcott' }, vocabulary: { Greta: 9 } }
    await startTask(cloud, body(WORDS, { parameters, input: { context: context('Jev') } }))
    expect(cloud.tasks[0]).toMatchObject({ context: 'Greta, Alcott' })
    expect(cloud.tasks[0]).not.toHaveProperty('vocabulary')
  })

  it('fun-asr takes neither', async () => {
    const cloud = await start()
    const given = { input: { context: context('Jev') }, parameters: { vocabulary: { Jev: 4 } } }
    await startTask(cloud, body('fun-asr', given))
    expect(cloud.tasks[0]).not.toHaveProperty('context')
    expect(cloud.tasks[0]).not.toHaveProperty('vocabulary')
  })

  const terms = (count: number, weight: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`term ${i}`, weight]))
  const good: [string, object][] = [
    ['2000 terms', terms(2000, 5)],
    ['fifty terms of weight 50', terms(50, 50)],
    ['seven words', { 'a b c d e f g': 1 }],
    ['fifteen characters', { ['あ'.repeat(15)]: 1 }],
  ]
  it.each(good)('a vocabulary is accepted with %s', async (_, vocabulary) => {
    expect((await submit(await start(), body(onePass, { parameters: { vocabulary } }))).status).toBe(200)
  })

  const bad: [string, unknown][] = [
    ['2001 terms', terms(2001, 5)],
    ['51 terms of weight 50', terms(51, 50)],
    ['eight words', { 'a b c d e f g h': 1 }],
    ['sixteen characters', { ['あ'.repeat(16)]: 1 }],
    ['a weight of 0', { Greta: 0 }],
    ['a weight of 6', { Greta: 6 }],
    ['a weight that is a text', { Greta: '4' }],
    ['a list of terms', ['Greta']],
  ]
  it.each(bad)('a vocabulary is refused with %s', async (_, vocabulary) => {
    const cloud = await start()
    expect(await refusal(await submit(cloud, body(onePass, { parameters: { vocabulary } })))).toMatchObject({
      status: 400,
      code: 'InvalidParameter',
    })
    expect(cloud.tasks).toEqual([])
  })
})
