// File recognition against the emulator: results of both models, faults, retries, and lost responses.

import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeEmulator,
  dashscopeErrors,
  startDashscope,
  type TaskFault,
} from '../../../../../emulators/dashscope/dashscope.ts'
import { describeError, type ErrorCode, SpeechError } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import type { FileRecogniser, FileRecognition, TaskStatus } from '../../../../../src/domain/ports.ts'
import { fileRecognisers } from '../../../../../src/drivers/asr/file-asr/recognisers.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { log } from '../../../../../src/log.ts'
import { testFfmpeg } from '../../../../support/audio/ffmpeg.ts'
import { silentWav } from '../../../../support/e2e/requests.ts'
import { fixture, plainWords, truth, truthText } from '../../../../support/e2e/system.ts'
import { startTaskServer, type TaskServer } from '../../../../support/servers/task-server.ts'

const never = new AbortController().signal
setMaxListeners(0, never)
const models = {
  speakerModels: [knownModels.find('fun-asr-mtl', 'speakers')],
  fileModels: [knownModels.find('qwen3-asr-flash-filetrans', 'words')],
}

let emulator: DashscopeEmulator
/** Where the recordings lie. */
let bucket: TaskServer
let http: HttpClient
let speakerRecogniser: FileRecogniser
let textRecogniser: FileRecogniser

beforeAll(async () => {
  vi.spyOn(log, 'info').mockImplementation(() => {})
  emulator = await startDashscope({ ffmpeg: await testFfmpeg() })
  bucket = await startTaskServer()
  bucket.respondWith(({ path }, response) => {
    const name = basename(new URL(path, bucket.origin).pathname)
    if (name === 'forbidden.mp3') response.writeHead(403).end()
    else if (name === 'silence.wav') response.end(silentWav())
    else if (name === 'text.mp3') response.end('This is no audio.')
    else response.end(readFileSync(fixture(name)))
  })
  http = createHttpClient({ connections: 8 })
  const cloud = dashscope({ apiKey: emulator.apiKey, baseUrl: emulator.url, http })
  const recognisers = fileRecognisers({
    cloud,
    http,
    ...models,
    unavailableModels: { has: async () => false, add: async () => {} },
    retries: { firstDelaySeconds: 1e-3 },
  })
  speakerRecogniser = recognisers.speakerRecognisers.members[0]!
  textRecogniser = recognisers.fileRecognisers.members[0]!
})
let faults: (() => void)[] = []
const fault = (of: TaskFault) => faults.push(emulator.taskFault(of))
afterEach(() => {
  for (const end of faults) end()
  faults = []
  emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await http.close()
  await Promise.all([emulator.close(), bucket.close()])
})

const at = (name: string) => `${bucket.origin}/jobs/${name}?signature=secret`

async function ended(recogniser: FileRecogniser, task: string) {
  for (;;) {
    const status = await recogniser.status(task, never)
    if (status.state === 'done' || status.state === 'failed') return status
    await sleep(20)
  }
}

async function outcome(recogniser: FileRecogniser, name: string): Promise<TaskStatus> {
  return ended(recogniser, await recogniser.submit({ url: at(name) }, never))
}

async function recognise(recogniser: FileRecogniser, name: string): Promise<FileRecognition> {
  const status = await outcome(recogniser, name)
  if (status.state !== 'done') throw new Error(JSON.stringify(status))
  return status.recognition
}

async function failure(work: Promise<unknown>): Promise<SpeechError> {
  const error: unknown = await work.then(
    () => new Error('It did not fail.'),
    error => error,
  )
  expect(error).toBeInstanceOf(SpeechError)
  expect(describeError(error)).not.toMatch(/sk-emulator|secret/)
  return error as SpeechError
}

const textOf = ({ sentences }: FileRecognition) => sentences.map(({ text }) => text).join(' ')

describe('file recognition against the emulator', () => {
  it('file recognition returns the words of a recording with their times', async () => {
    const expected = truth('jfk')
    const result = await recognise(textRecogniser, 'jfk.wav')
    expect(plainWords(textOf(result))).toBe(truthText(expected))
    const words = result.sentences.flatMap(({ words = [] }) => words)
    expect(words.map(({ text }) => text.trim())).toEqual(expected.words.map(({ text }) => text))
    for (const [i, { start, end }] of words.entries()) {
      expect(Math.abs(start - expected.words[i]!.start)).toBeLessThan(0.3)
      expect(end).toBeGreaterThan(start)
    }
    expect(result).toMatchObject({ seconds: 11, url: at('jfk.wav') })
    expect(result.sentences[0]).toMatchObject({ language: 'en' })
    expect(result.sentences[0]).not.toHaveProperty('speaker')
  })

  it('file recognition returns the speakers of a conversation', async () => {
    const expected = truth('meeting')
    const { sentences } = await recognise(speakerRecogniser, 'meeting.m4a')
    const numbers = new Set(sentences.map(({ speaker }) => speaker))
    expect(numbers.size).toBe(new Set(expected.words.map(({ speaker }) => speaker)).size)
    expect(numbers).not.toContain(undefined)
    expect(sentences[0]!.speaker).toBe(0)
  })

  it('file recognition returns Chinese characters one by one, and their text unchanged', async () => {
    const result = await recognise(textRecogniser, 'chinese.flac')
    expect(result.sentences.map(({ text }) => text).join('')).toBe(truthText(truth('chinese')))
    expect(result.sentences.map(({ words = [] }) => words.map(({ text }) => text).join('')).join('')).toBe(
      truthText(truth('chinese')),
    )
  })

  it('file recognition returns no sentences for silence', async () => {
    for (const recogniser of [speakerRecogniser, textRecogniser])
      expect(await outcome(recogniser, 'silence.wav')).toMatchObject({
        state: 'done',
        recognition: { sentences: [] },
      })
  })

  it.each<[string, ErrorCode]>([
    ['forbidden.mp3', 'UPLOAD_UNREACHABLE'],
    ['text.mp3', 'NOT_AUDIO'],
  ])('file recognition fails for the recording %s', async (name, code) => {
    for (const recogniser of [speakerRecogniser, textRecogniser])
      expect(await outcome(recogniser, name)).toMatchObject({ state: 'failed', error: { code } })
  })

  it.each<[TaskFault, string, object]>([
    [{ kind: 'cancelled' }, 'lost', { state: 'failed', error: { code: 'TASK_LOST' } }],
    [{ kind: 'forgotten' }, 'lost', { state: 'failed', error: { code: 'TASK_LOST' } }],
    [
      { kind: 'failed', code: 'DECODE_ERROR', inside: true },
      'failed',
      { state: 'failed', error: { code: 'NOT_AUDIO' } },
    ],
    [{ kind: 'result', how: 403 }, 'lost', { state: 'failed', error: { code: 'TASK_LOST' } }],
    [{ kind: 'result', how: 500, times: 2 }, 'recognised', { state: 'done' }],
    [{ kind: 'result', how: 'garbage', times: 2 }, 'recognised', { state: 'done' }],
    [{ kind: 'result', how: 'drop', times: 2 }, 'recognised', { state: 'done' }],
    [{ kind: 'pollError', ...dashscopeErrors.internalError, times: 3 }, 'recognised', { state: 'done' }],
    [{ kind: 'pollGarbage', times: 1 }, 'recognised', { state: 'done' }],
    [{ kind: 'pollHtml', times: 1 }, 'recognised', { state: 'done' }],
    [{ kind: 'pollDrop', times: 1 }, 'recognised', { state: 'done' }],
  ])('with the fault %j, a task is %s', async (of, _, expected) => {
    fault(of)
    expect(await outcome(speakerRecogniser, 'jfk.wav')).toMatchObject(expected)
  })

  it('a throttled submit is retried, and makes one task', async () => {
    const before = emulator.tasks.length
    fault({ kind: 'submitError', ...dashscopeErrors.rateQuota, times: 1 })
    expect((await recognise(speakerRecogniser, 'jfk.wav')).sentences).not.toEqual([])
    expect(emulator.tasks.length).toBe(before + 1)
  })

  it('a submit whose response is lost is not retried; its task is found in the list', async () => {
    const before = emulator.tasks.length
    const from = Date.now()
    fault({ kind: 'submitLost', times: 1 })
    expect(await failure(textRecogniser.submit({ url: at('jfk.wav') }, never))).toMatchObject({
      code: 'SUBMIT_UNCLEAR',
    })
    expect(emulator.tasks.length).toBe(before + 1)
    const [newest] = await textRecogniser.listTasks(from, Date.now(), never)
    expect(newest).toBe(emulator.tasks.at(-1)!.id)
    expect(await ended(textRecogniser, newest!)).toMatchObject({ recognition: { url: at('jfk.wav') } })
    // The other model's tasks are not among them.
    expect(await speakerRecogniser.listTasks(from, Date.now(), never)).not.toContain(newest)
  })

  it('cancel stops a pending task, and leaves a running one alone', async () => {
    fault({ kind: 'endless', state: 'PENDING', times: 1 })
    const waiting = await speakerRecogniser.submit({ url: at('jfk.wav') }, never)
    expect(await speakerRecogniser.status(waiting, never)).toEqual({ state: 'pending' })
    await speakerRecogniser.cancel(waiting, never)
    expect(await speakerRecogniser.status(waiting, never)).toMatchObject({
      state: 'failed',
      error: { code: 'TASK_LOST' },
    })
    const over = await speakerRecogniser.submit({ url: at('jfk.wav') }, never)
    await ended(speakerRecogniser, over)
    await speakerRecogniser.cancel(over, never)
    expect(await speakerRecogniser.status(over, never)).toMatchObject({ state: 'done' })
  })

  it('a burst of queries of both recognisers is answered', async () => {
    fault({ kind: 'endless' })
    const tasks = await Promise.all(
      [speakerRecogniser, textRecogniser].map(one => one.submit({ url: at('jfk.wav') }, never)),
    )
    const states = Array.from({ length: 40 }, (_, i) =>
      [speakerRecogniser, textRecogniser][i % 2]!.status(tasks[i % 2]!, never),
    )
    expect(new Set((await Promise.all(states)).map(({ state }) => state))).not.toContain('failed')
  })
})
