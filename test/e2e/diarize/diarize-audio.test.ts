// diarize_audio through an MCP client: two passes over one upload, speaker turns, times and names.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DiarizationSystem,
  expectedTurns,
  startDiarizationSystem,
  turnsOf,
} from '../../support/e2e/diarization-system.ts'
import { lavfi, makeAudio } from '../../support/e2e/requests.ts'
import { fixture, plainWords, truth, truthText } from '../../support/e2e/system.ts'

let diarization: DiarizationSystem

beforeAll(async () => {
  diarization = await startDiarizationSystem()
})
afterAll(() => diarization.system.close())

describe('a meeting of three', () => {
  it('a meeting is returned as speaker turns with every word once', async () => {
    const { data, isError, text } = await diarization.diarize(await diarization.newRecording())
    expect(isError, text).toBe(false)
    expect(turnsOf(data.text)).toEqual(expectedTurns())
    expect(data).toMatchObject({ status: 'completed', language: 'en', upload: 'bucket' })
    expect(data.speakers.map(({ id }: { id: string }) => id)).toEqual(['S1', 'S2', 'S3'])
    const share = data.speakers.reduce((sum: number, one: { share: number }) => sum + one.share, 0)
    expect(share).toBeCloseTo(1, 2)
    expect(data.alignment.matched).toBeGreaterThan(0.7)
    expect(data.alignment.unassigned).toBe(0)
  })

  it('a meeting takes one upload and two parallel tasks, and leaves nothing in the bucket', async () => {
    const { oss } = diarization.system.dashscope
    const uploads = () => oss!.requests.filter(({ kind }) => kind === 'put' || kind === 'initiate').length
    const before = uploads()
    const audio = await diarization.newRecording()
    const { tasks, answer } = await diarization.tasksOf(() => diarization.diarize(audio))
    expect(answer.data.status).toBe('completed')
    expect(uploads() - before).toBe(1)
    expect(tasks.map(({ model }) => model).sort()).toEqual(['fun-asr-mtl', 'qwen3-asr-flash-filetrans'])
    // Both were under way before either was asked for.
    const records = diarization.system.dashscope.tasks.filter(({ id }) => tasks.some(task => task.id === id))
    const firstPoll = Math.min(...records.flatMap(({ polls }) => polls))
    for (const { submittedAt } of records) expect(submittedAt).toBeLessThanOrEqual(firstPoll)
    expect(new Set(records.map(({ url }) => new URL(url).pathname)).size).toBe(1)
    expect(diarization.bucketKeys()).toEqual([])
  })

  it('diarizing a meeting again sends no request', async () => {
    const audio = await diarization.newRecording()
    const first = await diarization.diarize(audio)
    const { tasks, answer } = await diarization.tasksOf(() => diarization.diarize(audio))
    expect(tasks).toEqual([])
    expect(answer.data).toMatchObject({ transcript_id: first.data.transcript_id, text: first.data.text })
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
  })

  it('a meeting is billed once per pass', async () => {
    const { data } = await diarization.diarize(await diarization.newRecording())
    expect(data.usage.audio_seconds).toBeGreaterThan(data.duration)
    expect(data.usage.audio_seconds).toBeLessThanOrEqual(Math.ceil(2 * data.duration) + 2)
    expect(data.usage.cost_usd).toBeCloseTo(data.usage.audio_seconds * 0.000035, 6)
  })

  it('the number of speakers and the language are passed to the provider', async () => {
    const { tasks } = await diarization.tasksOf(async () =>
      diarization.diarize(await diarization.newRecording(), { speakers: 3, language: 'English' }),
    )
    const parameters = (model: string) =>
      diarization.system.dashscope.tasks.find(
        task => tasks.some(({ id }) => id === task.id) && task.model === model,
      )!.parameters
    expect(parameters('fun-asr-mtl')).toMatchObject({ speaker_count: 3, language_hints: ['en'] })
    expect(parameters('qwen3-asr-flash-filetrans')).toMatchObject({ language: 'en' })
  })
})

describe('other recordings', () => {
  it('a Chinese recording has no spaces between characters', async () => {
    const { data } = await diarization.diarize(fixture('chinese.flac'))
    expect(turnsOf(data.text)).toEqual([`S1: ${truthText(truth('chinese'))}`])
  })

  it('a recording of one voice has one speaker', async () => {
    const { data } = await diarization.diarize(fixture('jfk.wav'))
    expect(data.speakers).toEqual([expect.objectContaining({ id: 'S1', share: 1 })])
  })

  it('a Russian recording has the words of the better model', async () => {
    const { data } = await diarization.diarize(fixture('russian.flac'))
    expect(plainWords(data.text.replace(/\[[\d:]+\] S1: /g, ''))).toBe(truthText(truth('russian')))
  })
})

describe('a silent recording', () => {
  it('a silent recording is reported without a request', async () => {
    const audio = await makeAudio(diarization.system, 'silence.wav', [
      ...lavfi('anullsrc=r=16000'),
      '-t',
      '12',
    ])
    const { answer, tasks } = await diarization.tasksOf(() => diarization.diarize(audio))
    expect(answer.data).toMatchObject({ status: 'completed', text: '', speakers: [], duration: 12 })
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect(answer.data.warnings.join(' ')).toContain('No speech was found')
    expect(tasks).toEqual([])
    expect(diarization.bucketKeys()).toEqual([])
  })
})

describe('sound without words', () => {
  it('sound without words is reported and does not count as transcribed', async () => {
    const off = diarization.system.dashscope.taskFault({
      kind: 'failed',
      code: 'SUCCESS_WITH_NO_VALID_FRAGMENT',
    })
    const { data } = await diarization.diarize(await diarization.newRecording())
    off()
    expect(data).toMatchObject({ status: 'completed', text: '', speakers: [] })
    expect(data.warnings.join(' ')).toMatch(/no words between 0:00 and 0:3\d/)
    expect(data.coverage.speech_seconds).toBeGreaterThan(20)
    expect(data.coverage.transcribed_seconds).toBeLessThan(5)
    expect(diarization.bucketKeys()).toEqual([])
  })
})

describe('measured times', () => {
  const times = async (timestamps: string | undefined) => {
    const audio = await diarization.newRecording()
    return diarization.tasksOf(() =>
      diarization.system.call('transcribe_audio', { audio, ...(timestamps && { timestamps }) }),
    )
  }

  it('requested timestamps come from the file recogniser', async () => {
    const { answer, tasks } = await times('word')
    expect(tasks.map(({ model }) => model)).toEqual(['qwen3-asr-flash-filetrans'])
    expect(answer.data).toMatchObject({ status: 'completed', times: 'measured', upload: 'bucket' })
    const { contents } = await diarization.system.client.readResource({ uri: `${answer.data.uri}/json` })
    const { segments } = JSON.parse((contents[0] as { text: string }).text)
    const words = segments.flatMap(({ words }: { words: { text: string; start: number }[] }) => words)
    const spoken = truth('meeting').words.slice(0, words.length)
    expect(words.map(({ text }: { text: string }) => text)).toEqual(spoken.map(({ text }) => text))
    for (const [i, { start }] of words.entries())
      expect(Math.abs(start - spoken[i]!.start)).toBeLessThan(0.25)
    expect(diarization.bucketKeys()).toEqual([])
  })

  it('without requested timestamps the file recogniser is not used', async () => {
    const { answer, tasks } = await times(undefined)
    expect(tasks).toEqual([])
    expect(answer.data).toMatchObject({ status: 'completed', times: 'estimated' })
  })

  it('a file recognition is reused for diarization', async () => {
    const audio = await diarization.newRecording()
    await diarization.system.call('transcribe_audio', { audio, timestamps: 'segment' })
    const { answer, tasks } = await diarization.tasksOf(() => diarization.diarize(audio))
    expect(tasks.map(({ model }) => model)).toEqual(['fun-asr-mtl'])
    expect(turnsOf(answer.data.text)).toEqual(expectedTurns())
    expect(answer.data.usage.cached_seconds).toBeGreaterThan(0)
  })
})

describe('a speaker with a name', () => {
  it('a speaker’s name appears in text, exports, resources and search', async () => {
    const { data } = await diarization.diarize(await diarization.newRecording())
    const id = data.transcript_id
    const renamed = await diarization.system.call('update_transcript', {
      transcript_id: id,
      speakers: { S1: 'Hannah' },
    })
    expect(renamed.isError, renamed.text).toBe(false)
    const { data: read } = await diarization.system.call('get_transcript', { transcript_id: id })
    expect(turnsOf(read.text)).toEqual(expectedTurns().map(turn => turn.replace(/^S1:/, 'Hannah:')))
    for (const format of ['txt', 'md', 'srt', 'vtt', 'json']) {
      const { contents } = await diarization.system.client.readResource({ uri: `${data.uri}/${format}` })
      expect((contents[0] as { text: string }).text).toContain('Hannah')
    }
    const found = await diarization.system.call('search_transcripts', { query: 'Hannah' })
    expect(found.text).toContain(id)
    const own = await diarization.system.call('get_transcript', { transcript_id: id, speaker: 'hannah' })
    expect(turnsOf(own.data.text).every(turn => turn.startsWith('Hannah: '))).toBe(true)
  })
})
