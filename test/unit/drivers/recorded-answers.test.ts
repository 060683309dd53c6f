// Answers as the services were recorded to send them: what each means to the caller, and that it was asked for once.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { SpeechError } from '../../../src/domain/errors.ts'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import { withRetries } from '../../../src/drivers/asr/file-asr/recognisers.ts'
import { asrRetries } from '../../../src/drivers/asr/retries.ts'
import { createHttpClient, type HttpClient } from '../../../src/drivers/http/http.ts'
import { retrying, wrap } from '../../../src/drivers/http/wrap.ts'
import { geminiText } from '../../../src/drivers/llm/gemini/text.ts'
import { chunk, never, recogniserOf } from '../../support/servers/dashscope-client.ts'
import { fileRecogniserOf } from '../../support/servers/file-recogniser.ts'
import { reply, startTaskServer, type TaskServer, task } from '../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4 })
})
afterEach(() => http.close())
afterAll(() => server.close())

const atOnce = { ...asrRetries, firstDelaySeconds: 0, maxDelaySeconds: 0 }
const codeOf = (error: SpeechError) => error.code

type Answer = [status: number, body: object | string]

const askChunk = () =>
  wrap(recogniserOf(http, { baseUrl: server.baseUrl }), ['recognise'], retrying(atOnce)).recognise(
    chunk,
    never,
  )
const files = (model: string) =>
  withRetries(fileRecogniserOf({ http, baseUrl: server.baseUrl, model }), atOnce)
const general = (message: string) => ({ code: 'InvalidParameter', message, request_id: 'r' })

it.each<[string, Answer, string]>([
  ['a model that is gone, in the classic form', [400, general('Model not exist.')], 'MODEL_NOT_FOUND'],
  [
    'a model that is gone, as a gateway says it',
    [404, { error: { code: 'model_not_found', message: 'x' } }],
    'MODEL_NOT_FOUND',
  ],
  [
    'a content check that only the message tells',
    [
      400,
      general('<400> InternalError.Algo.DataInspectionFailed: Input data may contain inappropriate content.'),
    ],
    'CONTENT_REFUSED',
  ],
  [
    'a refusal framed as an event, though labelled as JSON',
    [
      400,
      `id:1\nevent:error\n:HTTP_STATUS/400\ndata:${JSON.stringify(general('<400> InternalError.Algo.InvalidParameter: x'))}\n\n`,
    ],
    'PROVIDER_REFUSED',
  ],
  [
    'audio that cannot be opened',
    [
      400,
      general('<400> InternalError.Algo.InvalidParameter: The audio format is illegal and cannot be opened'),
    ],
    'PROVIDER_REFUSED',
  ],
  [
    'bad audio, with the inner code as the code',
    [400, { code: 'InternalError.Algo.InvalidParameter', message: 'x' }],
    'PROVIDER_REFUSED',
  ],
  [
    'a free quota that is used up',
    [
      403,
      {
        code: 'AllocationQuota.FreeTierOnly',
        message:
          'The free tier of the model has been exhausted. Please disable the "use free tier only" mode.',
      },
    ],
    'FREE_TIER_USED_UP',
  ],
  [
    'a model of another route',
    [400, general('url error, please check url！ For details, see: https://example.com')],
    'PROVIDER_REFUSED',
  ],
])(
  'a chunk is asked for once, and its answer means what it was recorded for: %s',
  async (_, answer, code) => {
    server.respond(...answer)
    expect(await askChunk().catch(codeOf)).toBe(code)
    expect(server.requests).toHaveLength(1)
  },
)

it.each<[string, Answer, object]>([
  [
    'a dated snapshot tells no language and no seconds',
    [
      200,
      {
        output: { choices: [{ finish_reason: 'stop', message: { content: [{ text: 'Hello.' }] } }] },
        usage: {},
      },
    ],
    { text: 'Hello.' },
  ],
  [
    'an answer that was cut says so',
    [200, { output: { choices: [{ finish_reason: 'length', message: { content: [{ text: 'Hel' }] } }] } }],
    { text: 'Hel', isCut: true },
  ],
  [
    'silence is an error of one family',
    [400, { code: 'ASR_RESPONSE_HAVE_NO_WORDS', message: 'x' }],
    { text: '' },
  ],
])('a chunk is read, and asked for once: %s', async (_, answer, expected) => {
  server.respond(...answer)
  const recognition = await askChunk()
  expect(recognition).toMatchObject(expected)
  expect(recognition).not.toHaveProperty('language')
  expect(server.requests).toHaveLength(1)
})

it.each<[string, object, string, boolean]>([
  [
    'the address was without its header',
    { code: 'FILE_DOWNLOAD_FAILED', message: 'x' },
    'UPLOAD_UNREACHABLE',
    true,
  ],
  ['the same of one pass, which may pass', { code: 'SERVER_ERROR', message: 'x' }, 'TASK_FAILED', true],
  [
    'the address or its field was wrong',
    { code: 'InvalidParameter.MalformedURL', message: 'A valid file URL is required' },
    'UPLOAD_UNREACHABLE',
    false,
  ],
])('a task that failed tells whether another may succeed: %s', async (_, output, code, retryable) => {
  server.respond(200, task('FAILED', output))
  expect(await files('fun-asr').status('t', never)).toMatchObject({
    state: 'failed',
    error: { code, retryable },
  })
})

it.each<[string, object]>([
  ['as the code of a failure', task('FAILED', { code: 'ASR_RESPONSE_HAVE_NO_WORDS' })],
  ['as the state of the task', task('SUCCESS_WITH_NO_VALID_FRAGMENT')],
  [
    'as the code of a part',
    task('SUCCEEDED', { results: [{ subtask_status: 'FAILED', code: 'SUCCESS_WITH_NO_VALID_FRAGMENT' }] }),
  ],
])('a recording without speech is done: %s', async (_, answer) => {
  server.respond(200, answer)
  expect(await files('fun-asr').status('t', never)).toMatchObject({
    state: 'done',
    recognition: { sentences: [] },
  })
})

it('a result of one pass is read from output.output, with blanks as words and words of no length', async () => {
  const place = (text: string, begin_time: number, end_time: number, punctuation = '') => ({
    ...{ text, begin_time, end_time, punctuation, confidence: 1 },
  })
  const words = [
    place('Yes', 0, 300, ','),
    place(' ', 300, 400),
    place('in', 400, 400),
    place('90', 500, 800, '.'),
  ]
  const sentence = { begin_time: 0, end_time: 900, sentence_id: 1, speaker_id: 1, text: 'Yes, in 90.', words }
  const file = { file_url: 'x', properties: {}, transcripts: [{ channel_id: 0, sentences: [sentence] }] }
  server.respondWith((received, ...rest) => {
    const output = { output: { transcription_url: `${server.origin}/result.json` } }
    const answer = received.path === '/result.json' ? file : task('SUCCEEDED', output)
    reply(200, answer)(received, ...rest)
  })
  const status = await files('qwen-audio-3.1-asr-flash-filetrans').status('t', never)
  expect(status).toMatchObject({
    recognition: {
      sentences: [
        {
          text: 'Yes, in 90.',
          speaker: 1,
          words: [{ text: 'Yes, ' }, { start: 0.4, text: 'in ' }, { start: 0.5, text: '90.' }],
        },
      ],
    },
  })
})

it('a model for chunks at the route of files names the model and the setting, after one submit', async () => {
  server.respond(400, general('url error, please check url！'))
  const submit = files('qwen3-asr-flash').submit({ url: 'https://b/a.mp3' }, never)
  const { message, hint } = (await submit.catch((error: SpeechError) => error)) as SpeechError
  expect([message, hint].join(' ')).toMatch(/qwen3-asr-flash.*SPEAKER_MODEL/)
  expect(server.requests).toHaveLength(1)
})

it('a Gemini model that new users do not get is not found, and is asked once', async () => {
  const message = 'This model models/gemini-2.5-flash is no longer available to new users.'
  server.respond(404, { error: { code: 404, message, status: 'NOT_FOUND' } })
  const find = (name: string) => knownModels.find(name, 'text')
  const model = geminiText({
    ...{ model: find('gemini-2.5-flash'), find, apiKey: 'k', http, concurrency: 1 },
    baseUrl: `${server.origin}/v1beta`,
  })
  const request = { system: 's', user: 'u', maxTokens: 9 }
  expect(await model.generate(request, { signal: never }).catch(codeOf)).toBe('MODEL_NOT_FOUND')
  expect(server.requests).toHaveLength(1)
})
