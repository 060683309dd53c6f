// Answers with fields absent, null, nested, renamed or of other types: no crash, no lost text, and nothing asked for twice.
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../../emulators/seeded-random.ts'
import { isSpeechError, type SpeechError } from '../../../../src/domain/errors.ts'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { fileAsr } from '../../../../src/drivers/asr/file-asr/file-asr.ts'
import { withRetries } from '../../../../src/drivers/asr/file-asr/recognisers.ts'
import { asrRetries } from '../../../../src/drivers/asr/retries.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import type { HttpClient } from '../../../../src/drivers/http/http.ts'
import { retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { chunk, never } from '../../../support/servers/dashscope-client.ts'
import { listTask, singleTask } from '../../../support/servers/task-server.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const others: Json[] = [null, 7, -1, '', 'other', true, [], {}, [null], [[]], { text: null }]

/** Changes one or two places of an answer, chosen by the seed. */
function mutated(answer: unknown, seed: number): Json {
  let json = structuredClone(answer) as Json
  for (let round = 0; round <= seed % 2; round++) json = mutatedOnce(json, [seed, round])
  return json
}

function mutatedOnce(json: Json, seed: number[]): Json {
  const pick = (what: string, count: number) => Math.floor(seededRandom(what, ...seed) * count)
  const places: { holder: { [key: string]: Json }; key: string }[] = []
  const collect = (value: Json) => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Object.keys(value)) {
      places.push({ holder: value as { [key: string]: Json }, key })
      collect((value as { [key: string]: Json })[key]!)
    }
  }
  collect(json)
  const place = places[pick('place', places.length)]
  if (!place) return json
  const { holder, key } = place
  const value = holder[key]!
  const other = others[pick('other', others.length)]!
  const replacements: Json[] = [null, other, other, { output: value }, { error: value }, [value]]
  const change = pick('change', replacements.length + 3)
  const replacement = replacements[change]
  if (replacement !== undefined) holder[key] = structuredClone(replacement)
  else delete holder[key]
  if (change === replacements.length) holder[`${key}_2`] = value
  if (change === replacements.length + 1) holder.code ??= 'SomethingNew'
  return json
}

/** A client whose every request gets this answer; `results`: the text of result files. */
function answering(status: number, json: unknown, results?: unknown) {
  const sent = { requests: 0 }
  const http = {
    async request({ body }: Parameters<HttpClient['request']>[0]) {
      sent.requests++
      if (body) for (const part of body.chunks() as Iterable<Buffer>) expect(part.length).toBeGreaterThan(0)
      return { status, json: structuredClone(json) }
    },
    fetchText: async () => ({ status: 200, text: JSON.stringify(results) }),
  } as unknown as HttpClient
  return { sent, http, cloud: dashscope({ apiKey: 'sk-x', baseUrl: 'http://127.0.0.1/api/v1', http }) }
}

const atOnce = { ...asrRetries, firstDelaySeconds: 0, maxDelaySeconds: 0 }

async function outcome<Value>(
  work: Promise<Value>,
  context: unknown,
): Promise<{ value?: Value; error?: SpeechError }> {
  try {
    return { value: await work }
  } catch (error) {
    if (!isSpeechError(error)) throw new Error(`Crashed on ${JSON.stringify(context)}`, { cause: error })
    return { error }
  }
}

const chunkModel = knownModels.find('qwen3-asr-flash', 'chunk')
async function recogniseChunk(status: number, json: unknown) {
  const { sent, cloud } = answering(status, json)
  const recogniser = wrap(
    chunkAsr(cloud, { model: chunkModel, concurrency: 1 }),
    ['recognise'],
    retrying(atOnce),
  )
  return { sent, ...(await outcome(recogniser.recognise(chunk, never), json)) }
}

function fileRecogniser(status: number, json: unknown, results?: unknown) {
  const { sent, cloud, http } = answering(status, json, results)
  const model = knownModels.find('fun-asr', 'speakers')
  return { sent, recogniser: withRetries(fileAsr({ cloud, http, model, role: 'speakers' }), atOnce) }
}

/** The values at a path, of which `*` stands for every item of a list. */
function at(json: unknown, [step, ...rest]: string[]): unknown[] {
  if (step === undefined) return [json]
  if (typeof json !== 'object' || json === null) return []
  if (step === '*') return Array.isArray(json) ? json.flatMap(item => at(item, rest)) : []
  return Object.hasOwn(json, step) ? at((json as Record<string, unknown>)[step], rest) : []
}

const textsAt = (json: unknown, path: string) =>
  at(json, path.split('.')).filter(value => typeof value === 'string')

const answer = {
  output: {
    choices: [
      {
        finish_reason: 'stop',
        message: {
          annotations: [{ language: 'en', type: 'audio_info', emotion: 'neutral' }],
          content: [{ text: 'Hello out there, ' }, { text: 'my friends.' }],
          role: 'assistant',
        },
      },
    ],
  },
  usage: { seconds: 5, input_tokens_details: { text_tokens: 0 }, output_tokens_details: { text_tokens: 9 } },
  request_id: 'r',
}

const word = (text: string, begin_time: number, punctuation = '') => ({
  begin_time,
  end_time: begin_time + 300,
  text,
  punctuation,
  confidence: 1,
})
const result = {
  file_url: 'https://b/a.mp3',
  properties: { original_duration_in_milliseconds: 9000 },
  transcripts: [
    {
      channel_id: 0,
      content_duration_in_milliseconds: 9000,
      text: 'Good morning, Glenn. We met in 90 days. Nobody else came.',
      sentences: [
        {
          begin_time: 0,
          end_time: 2000,
          sentence_id: 1,
          speaker_id: 0,
          text: 'Good morning, Glenn.',
          words: [word('Good ', 0), word('morning', 400, ', '), word('Gl', 800), word('enn', 1200, '.')],
        },
        {
          begin_time: 2500,
          end_time: 5000,
          sentence_id: 2,
          speaker_id: 1,
          text: 'We met in 90 days.',
          words: [
            word('We ', 2500),
            word('met ', 2900),
            word('in', 3300),
            word('90 ', 3700),
            word('days', 4100, '.'),
          ],
        },
        {
          begin_time: 6000,
          end_time: 9000,
          sentence_id: 3,
          speaker_id: 0,
          text: 'Nobody else came.',
          words: [word('Nobody ', 6000), word('else ', 6500), word('came', 7000, '.')],
        },
      ],
    },
  ],
}

const address = 'http://127.0.0.1/result.json'
const tasks = [
  listTask(address),
  singleTask(address),
  { output: { task_id: 't', task_status: 'SUCCEEDED', output: { transcription_url: address } } },
  {
    output: { task_id: 't', task_status: 'SUCCEEDED', results: [{ output: { transcription_url: address } }] },
  },
  { output: { task_id: 't', task_status: 'FAILED', code: 'InvalidParameter', message: 'Model not exist.' } },
]
const refusals = [
  { code: 'InvalidParameter', message: '<400> InternalError.Algo.DataInspectionFailed: x', request_id: 'r' },
  { code: 'InternalError.Algo.InvalidParameter', message: 'x', request_id: 'r' },
  { error: { code: 'model_not_found', message: 'Model not exist.', type: 'invalid_request_error' } },
  { code: 'Arrearage', message: 'x' },
]

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)
/** Letters and digits alone. */
const plain = (text: string) => text.replace(/[^\p{L}\p{N}]+/gu, '')

describe('answers with changed fields', () => {
  it('1,500 answers for chunks are asked for once, and lose no text', async () => {
    for (const seed of seeds(1500)) {
      const json = mutated(answer, seed)
      const { sent, value, error } = await recogniseChunk(200, json)
      const texts = textsAt(json, 'output.choices.*.message.content.*.text').slice(0, 2)
      const isRefusal = error && at(json, ['output']).length === 0 && at(json, ['code']).length > 0
      expect(sent.requests, JSON.stringify(json)).toBe(isRefusal ? sent.requests : 1)
      for (const text of texts) expect(value?.text, JSON.stringify(json)).toContain(text)
    }
  })

  it('1,500 result files lose no text', async () => {
    for (const seed of seeds(1500)) {
      const json = mutated(result, seed)
      const { recogniser } = fileRecogniser(200, listTask(address), json)
      const { value } = await outcome(recogniser.status('t', never), json)
      const read =
        value?.state === 'done' ? value.recognition.sentences.map(({ text }) => text).join(' ') : ''
      const sentences = textsAt(json, 'transcripts.*.sentences.*.text')
      const whole = textsAt(json, 'transcripts.*.text')
      const parts = [...sentences, ...whole].filter(text => text.length > 5).flatMap(text => text.split(' '))
      const lost = parts.filter(part => !plain(read).includes(plain(part)))
      if (lost.length > 0) expect(lost, JSON.stringify(json)).toEqual([])
    }
  })

  it('1,000 answers about tasks end in a state or an error, and a result that is named is read', async () => {
    for (const seed of seeds(1000)) {
      const json = mutated(tasks[seed % tasks.length], seed)
      const { recogniser } = fileRecogniser(200, json, result)
      const { value } = await outcome(recogniser.status('t', never), json)
      const [state] = textsAt(json, 'output.task_status')
      const named = ['result.', 'results.*.', 'results.*.output.', 'output.'].flatMap(place =>
        textsAt(json, `output.${place}transcription_url`),
      )
      const hasFailed = JSON.stringify(json).includes('FAILED')
      if (state === 'SUCCEEDED' && named.includes(address) && named.length === 1 && !hasFailed)
        expect(value, JSON.stringify(json)).toMatchObject({ state: 'done' })
    }
  })

  it('500 answers to submits are one submit each', async () => {
    for (const seed of seeds(500)) {
      const json = mutated({ output: { task_status: 'PENDING', task_id: 'c2e5' }, request_id: 'r' }, seed)
      const { sent, recogniser } = fileRecogniser(200, json)
      const { value, error } = await outcome(recogniser.submit({ url: 'https://b/a.mp3' }, never), json)
      expect(sent.requests).toBe(1)
      expect(value ?? error?.code, JSON.stringify(json)).toBe(
        textsAt(json, 'output.task_id').find(id => id !== '') ?? 'SUBMIT_UNCLEAR',
      )
    }
  })

  it('500 refusals are errors that say so, and are not repeated', async () => {
    for (const seed of seeds(500)) {
      const json = mutated(refusals[seed % refusals.length], seed)
      const { sent, value, error } = await recogniseChunk(seed % 3 === 0 ? 404 : 400, json)
      expect(value, JSON.stringify(json)).toBeUndefined()
      expect(error!.retryable).toBe(false)
      expect(sent.requests).toBe(1)
    }
  })
})
