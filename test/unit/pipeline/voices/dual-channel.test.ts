// Transcription of a dual-channel recording: each channel is a speaker, and every word comes once.
import { stat, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  dashscopeErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import type { Progress, TranscriptionRequest } from '../../../../src/domain/job.ts'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import type { Run } from '../../../../src/domain/run.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { createFairLimit } from '../../../../src/domain/waiting/fair-limit.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { asrRetries } from '../../../../src/drivers/asr/retries.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../../../src/drivers/http/http.ts'
import { createAdaptiveRateLimiter } from '../../../../src/drivers/http/rate-limiter.ts'
import { rateLimiting, retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { createCheckpoints } from '../../../../src/jobs/records/checkpoints.ts'
import type { Findings } from '../../../../src/pipeline/pipeline.ts'
import { readContainer } from '../../../../src/pipeline/source/container.ts'
import { transcribeOpened } from '../../../../src/pipeline/transcribe.ts'
import { crosstalk, makeDualChannel } from '../../../support/audio/dual-channel.ts'
import { locateTestFfmpeg, testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { makeAudio } from '../../../support/audio/make-audio.ts'
import { type TempFolder, tempFolder, truth } from '../../../support/e2e/system.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'

/** The first half of the meeting: up to a pause. */
const length = 119.2
const spoken = (name: string) => truth(name).words.filter(({ end }) => end < length)

let emulator: DashscopeEmulator
let folder: TempFolder
let meeting: string
let http: ReturnType<typeof createHttpClient>
let store: ReturnType<typeof sqliteStore>
let owners = 0

beforeAll(async () => {
  emulator = await startDashscope({ ffmpeg: await testFfmpeg() })
  folder = await tempFolder()
  const channels = { fixture: 'meeting', left: ['S1'], right: ['S2', 'S3'], seconds: length } as const
  meeting = await makeDualChannel(folder.path, 'meeting.flac', channels)
  http = createHttpClient({ connections: 4 })
  store = sqliteStore({ folder: join(folder.path, 'data') })
  await emulator.warmUp()
})
afterAll(async () => {
  await Promise.all([emulator.close(), http.close(), store.close()])
  await folder.remove()
})
// Each test has an owner of its own, so that it shares no checkpoints.
beforeEach(() => void owners++)

interface DualChannelResult extends Findings {
  warnings: string[]
  progress: Progress[]
  soFar: Findings[]
  /** Seconds of each request. */
  sent: number[]
}

async function transcribe(
  file: string,
  order: Partial<TranscriptionRequest> = {},
  maxCostUsd?: number,
): Promise<DualChannelResult> {
  const cloud = dashscope({ apiKey: emulator.apiKey, baseUrl: emulator.url, http })
  const limiter = createAdaptiveRateLimiter({ perMinute: 1000, concurrency: 4 })
  const model = knownModels.find('qwen3-asr-flash', 'chunk')
  const recogniser = wrap(
    chunkAsr(cloud, { model, concurrency: 4 }),
    ['recognise'],
    retrying({ ...asrRetries, firstDelaySeconds: 0.01 }),
    rateLimiting(limiter),
  )
  const ports = { recogniser, ffmpeg: locateTestFfmpeg, limitEncoding: createFairLimit(2) }
  const result = { warnings: new Set<string>(), progress: [] as Progress[], soFar: [] as Findings[] }
  const run: Run = {
    job: 'call',
    owner: `owner ${owners}`,
    signal: new AbortController().signal,
    continuesElsewhere: () => false,
    gotOn() {},
    answered() {},
    scratch: async () => folder.path,
    progress: update => void result.progress.push(update),
    warn: sentence => void result.warnings.add(sentence),
    checkpoints: createCheckpoints(store, `owner ${owners}`, 'call'),
    budget: testBudget(maxCostUsd),
  }
  const bytes = (await stat(file)).size
  const source = { file, name: basename(file), bytes, ...(await readContainer(file, bytes)) }
  const before = emulator.requests.length
  const voices = [0, 1].map(side => ({ filter: `pan=mono|c0=c${side}`, key: `channel:${side}` }))
  const onFound = (soFar: () => Findings) => void result.soFar.push(soFar())
  const findings = await transcribeOpened(source, { audio: file, ...order }, ports, run, onFound, { voices })
  const sent = emulator.requests.slice(before)
  return { ...findings, ...result, warnings: [...result.warnings], sent: sent.map(({ seconds }) => seconds) }
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
const wordsOf = (text: string) => tokens(text).map(({ key }) => key)
const saidBy = (segments: Segment[], speaker: string) =>
  wordsOf(segments.flatMap(segment => (segment.speaker === speaker ? [segment.text] : [])).join(' '))
const trulySaidBy = (name: string, ...speakers: string[]) =>
  wordsOf(
    spoken(name)
      .flatMap(({ speaker, text }) => (speakers.includes(speaker) ? [text] : []))
      .join(' '),
  )
const speechOf = (name: string, ...speakers: string[]) =>
  spoken(name)
    .filter(({ speaker }) => speakers.includes(speaker))
    .reduce((total, { start, end }) => total + end - start, 0)

/** The recognised words beyond the expected ones; fails where one of those is missing or out of order. */
function beyond(recognised: string[], words: string[]): string[] {
  let next = 0
  const more = recognised.filter(word => word !== words[next] || !++next)
  expect(words.slice(next)).toEqual([])
  return more
}

describe('a dual-channel recording', () => {
  let result: DualChannelResult
  beforeAll(async () => {
    result = await transcribe(meeting)
  })

  it('transcribes every word of both channels with its speaker, in order of time', () => {
    expect(result).toMatchObject({ status: 'completed', language: 'en', title: 'meeting', warnings: [] })
    expect(saidBy(result.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(result.segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    const starts = result.segments.map(({ start }) => start)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
    for (const segment of result.segments) {
      expect(segment.confidence).toBe(1)
      expect(segment).not.toHaveProperty('words')
    }
  })

  it('a dual-channel recording keeps the order of the speaker turns', () => {
    const turns = (all: { speaker?: string | null }[]) =>
      all
        .map(({ speaker }) => (speaker === 'S3' ? 'S2' : speaker))
        .filter((one, i, each) => one !== each[i - 1])
    expect(turns(result.segments)).toEqual(turns(spoken('meeting')))
  })

  it('reports the time of each speaker, and the usage of both channels together', () => {
    const { speakers, coverage, usage, sent } = result
    expect(speakers!.map(({ id }) => id)).toEqual(['S1', 'S2'])
    const [first, second] = [speakers![0]!, speakers![1]!]
    expect(first.share + second.share).toBeCloseTo(1, 2)
    const one = speechOf('meeting', 'S1')
    const other = speechOf('meeting', 'S2', 'S3')
    expect(first.share).toBeCloseTo(one / (one + other), 1)
    expect(coverage).toMatchObject({ gaps: [], transcribedSeconds: coverage.speechSeconds })
    expect(coverage.speechSeconds).toBeGreaterThan(one + other)
    expect(usage.audioSeconds).toBeCloseTo(sum(sent), -1)
  })

  it('a dual-channel recording does not send the silence of a channel while the other speaks', () => {
    // Both channels whole would be twice the recording.
    expect(sum(result.sent)).toBeLessThan(1.3 * result.duration)
  })

  it('reports progress over both channels', () => {
    const { progress, soFar, duration } = result
    const done = progress.map(update => update.done)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(done.at(-1)).toBeLessThanOrEqual(duration)
    expect(progress.findLast(({ total }) => total)!.total).toBeCloseTo(duration, 0)
    expect(soFar.length).toBeGreaterThan(1)
    expect(soFar[0]!.status).toBe('running')
    expect(soFar[0]!.usage.estimatedCostUsd).toBeCloseTo(2 * duration * 0.000035, 5)
  })

  it('numbers speakers by first appearance in either channel', async () => {
    const file = await makeAudio(folder.path, 'turned.flac', ['-i', meeting, '-af', 'pan=stereo|c0=c1|c1=c0'])
    const { segments, speakers } = await transcribe(file)
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    // A voice is identified by its channel, not by its number.
    expect(speakers!.map(({ voice }) => voice)).toEqual(['channel:1', 'channel:0'])
  })

  it('sends nothing again for the same recording, and adds times of words on request', async () => {
    const first = await transcribe(meeting)
    const second = await transcribe(meeting, { timestamps: 'word' })
    expect(first.sent.length).toBeGreaterThan(1)
    expect(second.sent).toEqual([])
    expect(second.segments.map(({ words: _, ...segment }) => segment)).toEqual(first.segments)
    for (const { text, words } of second.segments)
      expect(wordsOf(words!.map(word => word.text).join(' '))).toEqual(wordsOf(text))
  })

  it('sends nothing where both channels cost more than the limit', async () => {
    const asked = emulator.requests.length
    // Enough for the speech of one channel.
    await expect(transcribe(meeting, {}, 0.000035 * 75)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    expect(emulator.requests).toHaveLength(asked)
  })
})

describe('one channel of a recording', () => {
  it('sends nothing of a silent channel, and makes no speaker of it', async () => {
    const file = await makeAudio(folder.path, 'half.flac', ['-i', meeting, '-af', 'pan=stereo|c0=0*c0|c1=c1'])
    const result = await transcribe(file)
    expect(result.speakers).toMatchObject([{ id: 'S1', share: 1 }])
    expect(saidBy(result.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(sum(result.sent)).toBeLessThan(result.duration)
    // While it runs, no text is announced for the silent channel.
    expect(result.soFar.at(-1)!.coverage.gaps.every(({ start }) => start > 100)).toBe(true)
  })

  it('one channel of a recording leaves a gap for a chunk that fails, and keeps the rest of both channels', async () => {
    const off = emulator.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: ({ spokenText: text = '' }) => text.includes('Decided, then: launch moves back'),
    })
    const broken = await transcribe(meeting)
    off()
    expect(broken.status).toBe('partial')
    const [gap] = broken.coverage.gaps
    expect(broken.coverage.gaps).toHaveLength(1)
    expect(gap!.reason).toMatch(/^CONTENT_REFUSED: /)
    expect(saidBy(broken.segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(broken.coverage.transcribedSeconds).toBeLessThan(broken.coverage.speechSeconds)

    const repaired = await transcribe(meeting)
    expect(repaired.sent).toHaveLength(1)
    expect(repaired.status).toBe('completed')
    expect(saidBy(repaired.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
  })

  it('cuts a chunk that loops again, without the other channel', async () => {
    const off = emulator.fault({
      kind: 'loop',
      longerThan: 60,
      when: ({ spokenText: text = '' }) => text.includes('Leila, how did'),
    })
    const { segments } = await transcribe(meeting)
    off()
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
  })
})

describe('crosstalk of a recording', () => {
  it('removes crosstalk', async () => {
    const file = await makeAudio(folder.path, 'leaky.flac', ['-i', meeting, '-af', crosstalk(20)])
    const { segments, speakers } = await transcribe(file)
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(speakers).toHaveLength(2)
  })

  it('removes crosstalk in noise, except for parts of a word that was cut', async () => {
    const noise = (seed: number) => ['-f', 'lavfi', '-i', `anoisesrc=a=0.0005:c=pink:r=16000:seed=${seed}`]
    const mixed =
      '[1:a][2:a]join=inputs=2:channel_layout=stereo[n];[c][n]amerge=2,pan=stereo|c0=c0+c2|c1=c1+c3'
    const graph = ['-filter_complex', `[0:a]${crosstalk(25)}[c];${mixed}`]
    const inputs = ['-i', meeting, ...noise(1), ...noise(2)]
    const { segments } = await transcribe(await makeAudio(folder.path, 'noisy.flac', [...inputs, ...graph]))
    const more = [
      ...beyond(saidBy(segments, 'S1'), trulySaidBy('meeting', 'S1')),
      ...beyond(saidBy(segments, 'S2'), trulySaidBy('meeting', 'S2', 'S3')),
    ]
    expect(more.length).toBeLessThanOrEqual(2)
  })
})

it('warns once of a truncated dual-channel recording', async () => {
  const wav = await makeAudio(folder.path, 'cut.wav', ['-i', meeting])
  await truncate(wav, (await stat(wav)).size >> 1)
  const { warnings } = await transcribe(wav)
  expect(warnings).toEqual([expect.stringContaining('cut off')])
})

it('finds no speakers in a silent dual-channel recording', async () => {
  const silence = ['-f', 'lavfi', '-i', 'aevalsrc=0|0:s=16000:d=30']
  const { segments, speakers, sent, warnings, status } = await transcribe(
    await makeAudio(folder.path, 'nobody.flac', silence),
  )
  expect({ segments, speakers, sent, status }).toEqual({
    segments: [],
    speakers: [],
    sent: [],
    status: 'completed',
  })
  expect(warnings.join()).toContain('No speech was found')
})
