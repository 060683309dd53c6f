// A recorded call: each channel is a speaker, and every word comes once, from the one who said it.
import { stat, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type DashscopeEmulator,
  dashscopeErrors,
  startDashscope,
} from '../../../../emulators/dashscope/dashscope.ts'
import type { Progress, TranscriptionRequest } from '../../../../src/domain/job.ts'
import type { Run } from '../../../../src/domain/run.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { chunkAsr } from '../../../../src/drivers/asr/chunk-asr.ts'
import { asrRetries } from '../../../../src/drivers/asr/retries.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../../../src/drivers/http/http.ts'
import { createAdaptiveRateLimiter } from '../../../../src/drivers/http/rate-limiter.ts'
import { rateLimiting, retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { createCheckpoints } from '../../../../src/jobs/records/checkpoints.ts'
import { withoutCrosstalk } from '../../../../src/pipeline/dual-channel/crosstalk.ts'
import { transcribeDualChannel } from '../../../../src/pipeline/dual-channel/dual-channel.ts'
import type { Findings } from '../../../../src/pipeline/transcribe.ts'
import { crosstalk, makeAudio, makeDualChannel } from '../../../support/audio/dual-channel.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { type TempFolder, tempFolder, truth } from '../../../support/e2e/system.ts'

/** The first half of the meeting: up to a pause. */
const length = 119.2
const spoken = (name: string) => truth(name).words.filter(({ end }) => end < length)

let standin: DashscopeEmulator
let folder: TempFolder
let meeting: string
let http: ReturnType<typeof createHttpClient>
let store: ReturnType<typeof sqliteStore>
let owners = 0

beforeAll(async () => {
  standin = await startDashscope({ ffmpeg: await testFfmpeg() })
  folder = await tempFolder()
  meeting = await makeDualChannel(folder.path, 'meeting.flac', {
    fixture: 'meeting',
    left: ['S1'],
    right: ['S2', 'S3'],
    seconds: length,
  })
  http = createHttpClient({ connections: 4 })
  store = sqliteStore({ folder: join(folder.path, 'data') })
  await standin.warmUp()
})
afterAll(async () => {
  await Promise.all([standin.close(), http.close(), store.close()])
  await folder.remove()
})
// What one test has heard is new to the next.
beforeEach(() => void owners++)

interface Heard extends Findings {
  warnings: string[]
  progress: Progress[]
  /** What there was after each piece. */
  soFar: Findings[]
  /** What was sent for it, in seconds. */
  sent: number[]
}

async function hear(
  file: string,
  order: Partial<TranscriptionRequest> = {},
  options: { maxCostUsd?: number } = {},
): Promise<Heard> {
  const cloud = dashscope({ apiKey: standin.apiKey, baseUrl: standin.url, http })
  const limiter = createAdaptiveRateLimiter({ perMinute: 1000, concurrency: 4 })
  const asr = chunkAsr(cloud, { model: 'qwen3-asr-flash', concurrency: 4 })
  const recogniser = wrap(
    asr,
    ['recognise'],
    retrying({ ...asrRetries, firstDelaySeconds: 0.01 }),
    rateLimiting(limiter),
  )
  const ports = { recogniser, ffmpeg: testFfmpeg, limitEncoding: pLimit(2), ...options }
  const heard = { warnings: new Set<string>(), progress: [] as Progress[], soFar: [] as Findings[] }
  const run: Run = {
    job: 'call',
    owner: `owner ${owners}`,
    signal: new AbortController().signal,
    continuesElsewhere: () => false,
    scratch: async () => folder.path,
    progress: update => void heard.progress.push(update),
    warn: sentence => void heard.warnings.add(sentence),
    checkpoints: createCheckpoints(store, `owner ${owners}`, 'call'),
  }
  const { size: bytes } = await stat(file)
  const source = { file, name: basename(file), bytes, isTruncated: false }
  const before = standin.requests.length
  const findings = await transcribeDualChannel({ audio: file, ...order }, source, ports, run, soFar => {
    heard.soFar.push(soFar())
  })
  const sent = standin.requests.slice(before).map(({ seconds }) => seconds)
  return { ...findings, ...heard, warnings: [...heard.warnings], sent }
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

/** What was heard beyond these words; fails where one of them is missing or out of place. */
function beyond(heard: string[], words: string[]): string[] {
  let next = 0
  const more = heard.filter(word => word !== words[next] || !++next)
  expect(words.slice(next)).toEqual([])
  return more
}

describe('a call', () => {
  let heard: Heard
  beforeAll(async () => {
    heard = await hear(meeting)
  })

  it('comes word for word, each from the one who said it, and in order of time', () => {
    expect(heard).toMatchObject({ status: 'completed', language: 'en', title: 'meeting', warnings: [] })
    expect(saidBy(heard.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(heard.segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    const starts = heard.segments.map(({ start }) => start)
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
    for (const segment of heard.segments) {
      expect(segment.confidence).toBe(1)
      expect(segment).not.toHaveProperty('words')
    }
  })

  it('has its turns where they are', () => {
    const turns = (all: { speaker?: string | null }[]) =>
      all
        .map(({ speaker }) => (speaker === 'S3' ? 'S2' : speaker))
        .filter((one, i, each) => one !== each[i - 1])
    expect(turns(heard.segments)).toEqual(turns(spoken('meeting')))
  })

  it('says how long each speaks, and adds both channels up', () => {
    const { speakers, coverage, usage, sent } = heard
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

  it('is sent without what is silent in a channel while the other speaks', () => {
    // Both channels whole would be twice the recording.
    expect(sum(heard.sent)).toBeLessThan(1.3 * heard.duration)
  })

  it('tells how far it is, over both channels', () => {
    const { progress, soFar, duration } = heard
    const done = progress.map(update => update.done)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(done.at(-1)).toBeLessThanOrEqual(duration)
    expect(progress.findLast(({ total }) => total)!.total).toBeCloseTo(duration, 0)
    expect(soFar.length).toBeGreaterThan(1)
    expect(soFar[0]!.status).toBe('running')
    expect(soFar[0]!.usage.estimatedCostUsd).toBeCloseTo(2 * duration * 0.000035, 5)
  })

  it('numbers by first appearance, whichever channel that is', async () => {
    const file = await makeAudio(folder.path, 'turned.flac', ['-i', meeting, '-af', 'pan=stereo|c0=c1|c1=c0'])
    const { segments, speakers } = await hear(file)
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    // By its channel a voice is known again, whatever its number.
    expect(speakers!.map(({ voice }) => voice)).toEqual(['channel:1', 'channel:0'])
  })

  it('that was heard before is not sent again, and has times of words where they are wanted', async () => {
    const first = await hear(meeting)
    const second = await hear(meeting, { timestamps: 'word' })
    expect(first.sent.length).toBeGreaterThan(1)
    expect(second.sent).toEqual([])
    expect(second.segments.map(({ words: _, ...segment }) => segment)).toEqual(first.segments)
    for (const { text, words } of second.segments)
      expect(wordsOf(words!.map(word => word.text).join(' '))).toEqual(wordsOf(text))
  })

  it('that costs too much for both channels is not begun', async () => {
    // Enough for the speech of one of them.
    const maxCostUsd = 0.000035 * 75
    const asked = standin.requests.length
    await expect(hear(meeting, {}, { maxCostUsd })).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    expect(standin.requests).toHaveLength(asked)
  })
})

describe('a channel', () => {
  it('that is silent costs no request, and is no speaker', async () => {
    const file = await makeAudio(folder.path, 'half.flac', ['-i', meeting, '-af', 'pan=stereo|c0=0*c0|c1=c1'])
    const heard = await hear(file)
    expect(heard.speakers).toMatchObject([{ id: 'S1', share: 1 }])
    expect(saidBy(heard.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(sum(heard.sent)).toBeLessThan(heard.duration)
    // While it is under way, nothing is said to be coming from the silent one.
    expect(heard.soFar.at(-1)!.coverage.gaps.every(({ start }) => start > 100)).toBe(true)
  })

  it('with a chunk that fails leaves a gap, and the rest of both', async () => {
    const off = standin.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: ({ spokenText: text = '' }) => text.includes('Decided, then: launch moves back'),
    })
    const broken = await hear(meeting)
    off()
    expect(broken.status).toBe('partial')
    const [gap] = broken.coverage.gaps
    expect(broken.coverage.gaps).toHaveLength(1)
    expect(gap!.reason).toMatch(/^CONTENT_REFUSED: /)
    expect(saidBy(broken.segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(broken.coverage.transcribedSeconds).toBeLessThan(broken.coverage.speechSeconds)

    const repaired = await hear(meeting)
    expect(repaired.sent).toHaveLength(1)
    expect(repaired.status).toBe('completed')
    expect(saidBy(repaired.segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
  })

  it('whose chunk loops is cut anew, and not the other', async () => {
    const off = standin.fault({
      kind: 'loop',
      longerThan: 60,
      when: ({ spokenText: text = '' }) => text.includes('Leila, how did'),
    })
    const { segments } = await hear(meeting)
    off()
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
  })
})

describe('what a channel hears of the other', () => {
  it('is not said twice', async () => {
    const file = await makeAudio(folder.path, 'leaky.flac', ['-i', meeting, '-af', crosstalk(20)])
    const { segments, speakers } = await hear(file)
    expect(saidBy(segments, 'S1')).toEqual(trulySaidBy('meeting', 'S1'))
    expect(saidBy(segments, 'S2')).toEqual(trulySaidBy('meeting', 'S2', 'S3'))
    expect(speakers).toHaveLength(2)
  })

  it('is not said twice in noise, but for a bit of a word that a cut went through', async () => {
    const noise = (seed: number) => ['-f', 'lavfi', '-i', `anoisesrc=a=0.0005:c=pink:r=16000:seed=${seed}`]
    const mixed =
      '[1:a][2:a]join=inputs=2:channel_layout=stereo[n];[c][n]amerge=2,pan=stereo|c0=c0+c2|c1=c1+c3'
    const graph = ['-filter_complex', `[0:a]${crosstalk(25)}[c];${mixed}`]
    const inputs = ['-i', meeting, ...noise(1), ...noise(2)]
    const { segments } = await hear(await makeAudio(folder.path, 'noisy.flac', [...inputs, ...graph]))
    const more = [
      ...beyond(saidBy(segments, 'S1'), trulySaidBy('meeting', 'S1')),
      ...beyond(saidBy(segments, 'S2'), trulySaidBy('meeting', 'S2', 'S3')),
    ]
    expect(more.length).toBeLessThanOrEqual(2)
  })
})

describe('of two like sentences', () => {
  /** Every word takes half a second. */
  const segment = (text: string, start: number): Segment => {
    const words = text
      .split(' ')
      .map((word, i) => ({ text: word, start: start + i / 2, end: start + (i + 1) / 2 }))
    return { text, start, end: words.at(-1)!.end, estimated: true, words }
  }
  /** Levels of ten seconds: this loud between two moments, silent elsewhere. */
  const loud = (level: number, ...spans: [number, number][]) =>
    Array.from({ length: 100 }, (_, i) => (spans.some(([a, b]) => i >= a * 10 && i < b * 10) ? level : -90))
  const texts = (sides: Segment[][]) => sides.map(side => side.map(({ text }) => text))

  it('the quiet one goes, and what its channel says itself stays', () => {
    const sides = withoutCrosstalk([
      { segments: [segment('shall we begin', 1)], levels: loud(-30, [1, 2.5]) },
      {
        segments: [segment('shall we begin yes please do', 1.2)],
        levels: loud(-55, [1, 2.5]).map((level, i) => (i >= 27 && i < 42 ? -30 : level)),
      },
    ])
    expect(texts(sides)).toEqual([['shall we begin'], ['yes please do']])
    expect(sides[1][0]).toMatchObject({ start: 2.7, end: 4.2 })
  })

  it('both stay, where one repeats what the other has said', () => {
    const first = { segments: [segment('two point four', 1)], levels: loud(-30, [1, 2.5]) }
    const second = { segments: [segment('two point four', 2)], levels: loud(-30, [2.5, 4]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['two point four'], ['two point four']])
  })

  it('both stay, where both say it', () => {
    const first = { segments: [segment('bye bye then', 1)], levels: loud(-30, [1, 2.5]) }
    const second = { segments: [segment('bye bye then', 1)], levels: loud(-35, [1, 2.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['bye bye then'], ['bye bye then']])
  })

  it('two words alike are no copy', () => {
    const first = { segments: [segment('thank you', 1)], levels: loud(-30, [1, 2]) }
    const second = { segments: [segment('thank you', 1)], levels: loud(-60, [1, 2]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['thank you'], ['thank you']])
  })

  it('one stays, where the times of the other are wrong', () => {
    const text = 'remind me who is left'
    const hasty = segment(text, 2.8)
    hasty.words = hasty.words!.map(({ text }, i) => ({ text, start: 2.8 + i / 10, end: 2.9 + i / 10 }))
    const first = { segments: [{ ...hasty, end: 3.3 }], levels: loud(-30, [4, 6.5]) }
    const second = { segments: [segment(text, 4)], levels: loud(-30, [2.5, 3.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([[text], []])
  })

  it('what was misheard in the quiet one goes with it', () => {
    const first = { segments: [segment('please order the rollers now', 1)], levels: loud(-30, [1, 3.5]) }
    const second = { segments: [segment('please order the rollers cow', 1)], levels: loud(-55, [1, 3.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['please order the rollers now'], []])
  })
})

it('a call that is cut off says so once', async () => {
  const wav = await makeAudio(folder.path, 'cut.wav', ['-i', meeting])
  await truncate(wav, (await stat(wav)).size >> 1)
  const { warnings } = await hear(wav)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('cut off')
})

it('a call in which nobody speaks has no speakers', async () => {
  const silence = ['-f', 'lavfi', '-i', 'aevalsrc=0|0:s=16000:d=30']
  const { segments, speakers, sent, warnings, status } = await hear(
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
