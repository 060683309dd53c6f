// diarize_audio and measured times with a DashScope server of the user's own, which fetches recordings from the process.
import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type OwnServer,
  type OwnServerOptions,
  startOwnServer,
} from '../../../emulators/dashscope/own-server.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { makeAudio } from '../../support/audio/make-audio.ts'
import { expectedTurns, recordingSeconds, turnsOf } from '../../support/e2e/diarization-system.ts'
import { type OwnEngineSystem, startOwnEngineSystem } from '../../support/e2e/own-engine.ts'
import { fixture, plainWords, truth, truthText } from '../../support/e2e/system.ts'

/** The name of the interface that has 127.0.0.1. */
const [loopback] = Object.entries(networkInterfaces()).find(([, addresses]) =>
  addresses?.some(({ address }) => address === '127.0.0.1'),
)!

let server: OwnServer
let system: OwnEngineSystem

/** `isHere`: the server runs in the process of the test, which itself fetches recordings as the emulator. */
async function start(
  options: Partial<OwnServerOptions> = {},
  env: Record<string, string> = {},
  isHere = true,
) {
  server = await startOwnServer({ ffmpeg: await testFfmpeg(), ...options })
  system = await startOwnEngineSystem({ DASHSCOPE_BASE_URL: server.url, ...env }, { isHere })
}

async function stop() {
  await system.close()
  await server.close()
}

function partOfMeeting(): Promise<string> {
  const args = ['-i', fixture('meeting.m4a'), '-t', String(recordingSeconds), '-c', 'copy']
  return makeAudio(system.folder, 'part.m4a', args)
}

const diarize = async (audio: string) => system.call('diarize_audio', { audio, wait_seconds: 120 })
const spoken = (name = 'clip') => plainWords(truthText(truth(name)))

describe('a DashScope server of one’s own', () => {
  beforeAll(() => start({}, {}, false))
  afterAll(stop)

  it.each([
    ['jfk', 'jfk.wav'],
    ['russian', 'russian.flac'],
    ['chinese', 'chinese.flac'],
  ])('transcribes every word of %s by a task, as it has nothing else', async (name, file) => {
    const { data, isError, text } = await system.call('transcribe_audio', { audio: fixture(file) })
    expect(isError, text).toBe(false)
    expect(await system.words(data.transcript_id)).toBe(spoken(name))
    expect(data).toMatchObject({ status: 'completed', warnings: [], usage: { cost_usd: 0 } })
    const { url, parameters } = server.tasks.at(-1)!
    expect(parameters).not.toHaveProperty('diarization_enabled')
    expect((await fetch(url)).status).toBe(404)
  })

  it('measures times on request', async () => {
    const { data } = await system.call('transcribe_audio', { audio: fixture('clip.mp4'), timestamps: 'word' })
    expect(await system.words(data.transcript_id)).toBe(spoken())
    expect(data).toMatchObject({ times: 'measured', upload: 'served' })
  })

  it('opens no private address to a caller', async () => {
    const before = system.connections()
    const { text } = await diarize(`${server.url.replace('http:', 'https:')}/recording.mp3`)
    expect(text).toContain('URL_REFUSED')
    expect(system.connections()).toEqual(before)
  })
})

describe('a DashScope server of one’s own in other circumstances', () => {
  afterEach(stop)

  it.each([
    ['words with times', {}],
    ['sentences without words', { wordTimes: false }],
  ])('tells who says what, for nothing, from %s', async (_, options) => {
    await start(options, {}, false)
    const { data, isError, text } = await diarize(await partOfMeeting())
    expect(isError, text).toBe(false)
    expect(turnsOf(text)).toEqual(expectedTurns())
    expect(data).toMatchObject({
      status: 'completed',
      upload: 'served',
      warnings: [],
      usage: { cost_usd: 0 },
    })
    expect(server.unknownPaths).toEqual([])
    expect(new Set(system.connections())).toEqual(new Set([new URL(server.url).host]))
    // One task gives both, from an address with a secret name that is gone afterwards.
    expect(server.tasks).toHaveLength(1)
    expect(server.tasks[0]!.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\da-f-]{36}\.mp3$/)
    expect((await fetch(server.tasks[0]!.url)).status).toBe(404)
  })

  it('that may not fetch the recording is named with the way out', async () => {
    await start({ fetches: false })
    const { isError, text } = await diarize(fixture('clip.mp4'))
    expect(isError, text).toBe(true)
    expect(text).toMatch(/SPEECH_FILE_HOST/)
  })

  it('that tells no speakers leaves a warning', async () => {
    await start({ speakers: false })
    const { data } = await diarize(fixture('clip.mp4'))
    expect(data.warnings.join(' ')).toMatch(/speaker/)
    expect(await system.words(data.transcript_id)).toContain(spoken())
  })

  it('that restarts meanwhile gets the task again', async () => {
    await start()
    server.loseNext()
    const { data } = await diarize(fixture('clip.mp4'))
    expect(data).toMatchObject({ status: 'completed', warnings: [] })
    expect(server.tasks).toHaveLength(2)
  })

  it('may want a key, which no other host gets', async () => {
    await start({ apiKey: 'own-key' }, { DASHSCOPE_API_KEY: 'own-key', SPEECH_FILE_HOST: loopback })
    const { data } = await diarize(fixture('clip.mp4'))
    expect(data).toMatchObject({ status: 'completed', upload: 'served' })
  })

  it('with a key alone is taken for Model Studio, and the error names the way out', async () => {
    await start({ apiKey: 'own-key' }, { DASHSCOPE_API_KEY: 'own-key' })
    const { text } = await diarize(fixture('clip.mp4'))
    expect(text).toMatch(/WRONG_BASE_URL.*SPEECH_FILE_HOST/)
  })

  it('that names another host for its result is not followed', async () => {
    await start({ externalUrl: 'http://10.11.12.13' }, {}, false)
    const { isError, text } = await diarize(fixture('clip.mp4'))
    expect(isError, text).toBe(true)
    expect(text).toContain('address for the result')
    expect(new Set(system.connections())).toEqual(new Set([new URL(server.url).host]))
  })
})
