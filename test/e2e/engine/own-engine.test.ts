// transcribe_audio with an engine of the user's own: no key of Alibaba, and no packet to another host.
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { median } from '../../../bench/measure.ts'
import {
  type EngineName,
  type OpenAiEmulator,
  type OpenAiOptions,
  startOpenAi,
} from '../../../emulators/openai/openai.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { type OwnEngineSystem, startOwnEngineSystem } from '../../support/e2e/own-engine.ts'
import { fixture, plainWords, tempFolder, truth, truthText } from '../../support/e2e/system.ts'

const patient = { timeout: 30_000, interval: 20 }

let emulator: OpenAiEmulator
let system: OwnEngineSystem

async function start(
  engine: EngineName,
  model: string,
  env: Record<string, string> = {},
  options: Partial<OpenAiOptions> = {},
  isHere = true,
) {
  emulator = await startOpenAi({ ffmpeg: await testFfmpeg(), engine, ...options })
  const settings = {
    ASR_MODEL: `openai:${model}`,
    OPENAI_BASE_URL: emulator.url,
    ...(emulator.apiKey && { OPENAI_API_KEY: emulator.apiKey }),
    ...env,
  }
  system = await startOwnEngineSystem(settings, { isHere })
}

async function stop() {
  await system.close()
  await emulator.close()
}

describe('vLLM with Qwen3-ASR', () => {
  beforeAll(() => start('vllm', 'Qwen/Qwen3-ASR-1.7B', {}, {}, false))
  afterAll(stop)

  it.each([
    ['jfk', 'jfk.wav'],
    ['voice-note', 'voice-note.ogg'],
    ['meeting', 'meeting.m4a'],
    ['russian', 'russian.flac'],
    ['chinese', 'chinese.flac'],
  ])('returns every word of %s once, for nothing, and connects to no other host', async (name, file) => {
    const { data, isError, text } = await system.call('transcribe_audio', { audio: fixture(file) })
    expect(isError, text).toBe(false)
    expect(await system.words(data.transcript_id)).toBe(plainWords(truthText(truth(name))))
    expect(data).toMatchObject({
      status: 'completed',
      language: truth(name).language,
      times: 'estimated',
      warnings: [],
      usage: { cost_usd: 0 },
    })
    expect(new Set(system.connections())).toEqual(new Set([new URL(emulator.url).host]))
  })

  it('was asked once for times, which it refuses', () => {
    expect(emulator.requests.map(({ format }) => format).slice(0, 2)).toEqual(['verbose_json', 'json'])
    expect(emulator.requests.filter(({ format }) => format !== 'json')).toHaveLength(1)
  })
})

describe('other engines', () => {
  afterEach(stop)

  it.each([
    ['openai', 'whisper-1', 'measured'],
    ['openai-gpt-4o', 'gpt-4o-transcribe', 'estimated'],
    ['llama.cpp', 'qwen3-asr', 'estimated'],
    ['speaches', 'Systran/faster-whisper-small', 'measured'],
    ['localai', 'whisper-1', 'estimated'],
    ['funasr-server', 'sensevoice', 'estimated'],
    ['qwen3-asr-service', 'qwen3-asr', 'measured'],
  ] as const)('%s with %s gives every word once, and its times are %s', async (engine, model, times) => {
    await start(engine, model)
    const { data, isError, text } = await system.call('transcribe_audio', { audio: fixture('clip.mp4') })
    expect(isError, text).toBe(false)
    expect(await system.words(data.transcript_id)).toBe(plainWords(truthText(truth('clip'))))
    expect(data).toMatchObject({ status: 'completed', times, warnings: [], usage: { cost_usd: 0 } })
    expect(new Set(system.connections())).toEqual(new Set([new URL(emulator.url).host]))
  })

  it('times are those of the recording where silences of a chunk were not sent', async () => {
    await start('qwen3-asr-service', 'qwen3-asr')
    const { file, starts, texts } = await makeSpacedRecording(system.folder, 4, 'gaps.flac', 8)
    const { data } = await system.call('transcribe_audio', { audio: file, timestamps: 'word' })
    const { segments } = await system.transcript(data.transcript_id)
    const words = segments.flatMap((segment: { words: object[] }) => segment.words)
    const firsts = texts.map((_, i) => texts.slice(0, i).join(' ').split(/\s+/).filter(Boolean).length)
    for (const [i, first] of firsts.entries())
      expect(Math.abs(words[first].start - starts[i]!), `passage ${i}`).toBeLessThan(0.2)
    expect(segments.some(({ estimated }: { estimated: boolean }) => estimated)).toBe(false)
    expect(emulator.requests).toHaveLength(1)
  })

  it('times are those of the recording, although the engine hears its MP3 late', async () => {
    await start('qwen3-asr-service', 'qwen3-asr')
    for (const name of ['jfk.wav', 'voice-note.ogg']) {
      const { data } = await system.call('transcribe_audio', { audio: fixture(name), timestamps: 'word' })
      const { segments } = await system.transcript(data.transcript_id)
      const words = segments.flatMap((segment: { words: { start: number }[] }) => segment.words)
      const late = truth(name.split('.')[0]!).words.map(({ start }, i) => words[i].start - start)
      expect(Math.abs(median(late)), name).toBeLessThan(0.02)
    }
  })

  it('measures words beside a bucket too, which only the models with a key need', async () => {
    await start('qwen3-asr-service', 'qwen3-asr', {
      OSS_BUCKET: 'recordings',
      OSS_ENDPOINT: 'http://127.0.0.1:9',
      OSS_REGION: 'ap-southeast-1',
      OSS_ACCESS_KEY_ID: 'LTAI5tOwn',
      OSS_ACCESS_KEY_SECRET: 'secret',
    })
    const { data, isError, text } = await system.call('transcribe_audio', {
      audio: fixture('jfk.wav'),
      timestamps: 'word',
    })
    expect(isError, text).toBe(false)
    expect(data).toMatchObject({ status: 'completed', times: 'measured', warnings: [] })
  })

  it('is asked without a key of Alibaba where a model of DashScope comes first in the list', async () => {
    await start('openai', 'whisper-1', { ASR_MODEL: 'qwen3-asr-flash,openai:whisper-1' })
    const { data, isError, text } = await system.call('transcribe_audio', { audio: fixture('clip.mp4') })
    expect(isError, text).toBe(false)
    expect(data).toMatchObject({ status: 'completed', usage: { cost_usd: 0 } })
    expect(new Set(system.connections())).toEqual(new Set([new URL(emulator.url).host]))
  })

  it('a job that the end of a server interrupted goes on in the next one, without a call', async () => {
    const data = await tempFolder()
    // Once the server that writes into it has ended.
    onTestFinished(data.remove)
    const env = { SPEECH_DATA_DIR: data.path }
    await start('llama.cpp', 'qwen3-asr', env, {}, false)
    emulator.fault({ kind: 'hang' })
    await system.call('transcribe_audio', { audio: fixture('jfk.wav'), wait_seconds: 0 })
    await vi.waitFor(() => expect(system.connections()).not.toEqual([]), patient)
    await system.close()
    const next = { ASR_MODEL: 'openai:qwen3-asr,qwen3-asr-flash', OPENAI_BASE_URL: emulator.url }
    system = await startOwnEngineSystem({ ...next, ...env })
    await vi.waitFor(() => expect(system.connections()).not.toEqual([]), patient)
  })

  it('gets names and terms as its prompt', async () => {
    await start('speaches', 'whisper')
    const { data } = await system.call('transcribe_audio', { audio: fixture('jfk.wav'), context: 'Kennedy' })
    expect(data).toMatchObject({ status: 'completed', warnings: [] })
    expect(emulator.requests.map(({ prompt }) => prompt)).toEqual(['Kennedy'])
  })

  it('a server that refuses long audio gets halves, and the next recording in pieces of its length', async () => {
    await start('speaches', 'whisper', {}, { maxSeconds: 8 })
    const { data } = await system.call('transcribe_audio', { audio: fixture('russian.flac') })
    expect(await system.words(data.transcript_id)).toBe(plainWords(truthText(truth('russian'))))
    expect(data).toMatchObject({ status: 'completed', coverage: { gaps: [] } })
    const refused = emulator.requests.filter(({ status }) => status !== 200).length
    const next = await system.call('transcribe_audio', { audio: fixture('chinese.flac') })
    expect(await system.words(next.data.transcript_id)).toBe(plainWords(truthText(truth('chinese'))))
    expect(refused).toBeGreaterThan(0)
    expect(emulator.requests.filter(({ status }) => status !== 200)).toHaveLength(refused)
  })
})
