// Jobs through an MCP client: waiting, joining a running job, gaps and their repair, account errors, cost limits.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { dashscopeErrors } from '../../../emulators/dashscope/dashscope.ts'
import { makeSpacedRecording, type SpacedRecording } from '../../support/audio/spaced-recording.ts'
import { type SpacedSystem, startSpacedSystem, uncachedOptions } from '../../support/e2e/spaced-system.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let spaced: SpacedSystem
let system: System
let passages: SpacedRecording

beforeAll(async () => {
  spaced = await startSpacedSystem(5)
  system = spaced.system
  passages = spaced.passages
})
afterAll(() => system.close())

const transcribe: SpacedSystem['transcribe'] = args => spaced.transcribe(args)
const requestsOf: SpacedSystem['requestsOf'] = work => spaced.requestsOf(work)

describe('a call over its time limit', () => {
  it('a call returns in time with the text so far, and get_transcript waits for the rest', async () => {
    const request = uncachedOptions()
    // The first three passages are recognised at once, the others long after the call has ended.
    let answered = 0
    const off = system.dashscope.fault({ kind: 'held', when: () => answered++ >= 3 })
    await transcribe({ ...request, wait_seconds: 0 })
    await vi.waitFor(() => expect(answered).toBe(5), { timeout: 20_000 })
    const { data, text } = await transcribe({ ...request, wait_seconds: 1 })
    expect(data.status).toBe('running')
    expect(text).toContain('status: running')
    expect(data.next_step).toContain('get_transcript')
    expect(data.next_step).toContain(data.transcript_id)
    const known = passages.texts.filter(said => plainWords(data.text).includes(said))
    expect(known.length).toBeGreaterThan(0)
    expect(data.coverage.gaps.map(({ reason }: { reason: string }) => reason)).toContain(
      'not transcribed yet',
    )
    off()
    const rest = await system.call('get_transcript', {
      transcript_id: data.transcript_id,
      view: 'raw',
      wait_seconds: 60,
    })
    expect(rest.data.status).toBe('completed')
    expect(plainWords(rest.data.text)).toBe(spaced.allWords)
    expect(rest.data.usage.estimated_cost_usd).toBeUndefined()
  })

  it('a repeated call continues the same job with the same id', async () => {
    const request = uncachedOptions()
    const off = system.dashscope.fault({ kind: 'held' })
    const { answer, requests } = await requestsOf(async () => {
      const first = await transcribe({ ...request, wait_seconds: 0 })
      off()
      const second = await transcribe({ ...request, wait_seconds: 60 })
      return [first.data, second.data]
    })
    expect(answer.map(({ status }) => status)).toEqual(['running', 'completed'])
    expect(answer[0].transcript_id).toBe(answer[1].transcript_id)
    expect(requests).toBe(5)
  })

  it('a short recording is completed within a call without a wait time', async () => {
    const off = system.dashscope.fault({ kind: 'slow', seconds: 3 })
    const { data } = await system.call('transcribe_audio', {
      audio: fixture('voice-note.ogg'),
      ...uncachedOptions(),
    })
    off()
    expect(data.status).toBe('completed')
    expect(plainWords(data.text)).toContain(truthText(truth('voice-note')))
  })

  it('a wait time is kept for a short recording, too, while the provider is silent', async () => {
    const off = system.dashscope.fault({ kind: 'held' })
    const request = { audio: fixture('voice-note.ogg'), ...uncachedOptions() }
    const answers = [
      await system.call('transcribe_audio', { ...request, wait_seconds: 0 }),
      await system.call('transcribe_audio', { ...request, wait_seconds: 1 }),
    ]
    const [id] = answers.map(({ data }) => data.transcript_id)
    answers.push(await system.call('get_transcript', { transcript_id: id, wait_seconds: 0 }))
    expect(answers.map(({ data }) => data.status)).toEqual(['running', 'running', 'running'])
    const cancelled = await system.call('cancel_transcription', { transcript_id: id })
    expect(cancelled.data.status).toBe('cancelled')
    off()
  })
})

describe('a repeated request', () => {
  it('a repeated request is answered from the finished job without cost', async () => {
    const first = await transcribe({})
    const { answer, requests } = await requestsOf(() => transcribe({ timestamps: 'none' }))
    expect(requests).toBe(0)
    expect(answer.data.transcript_id).toBe(first.data.transcript_id)
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect(answer.data.usage.cached_seconds).toBeCloseTo(first.data.usage.audio_seconds, 2)
  })

  it('the same recording under another path and title is recognised and renamed', async () => {
    const request = uncachedOptions()
    const first = await transcribe(request)
    const copy = join(system.folder, 'a copy under another name.flac')
    copyFileSync(passages.file, copy)
    const { answer, requests } = await requestsOf(() =>
      transcribe({ ...request, audio: copy, title: 'Monday' }),
    )
    expect(requests).toBe(0)
    expect(answer.data).toMatchObject({ transcript_id: first.data.transcript_id, title: 'Monday' })
  })

  it('two simultaneous equal requests share one job', async () => {
    const request = uncachedOptions()
    const { answer, requests } = await requestsOf(() => Promise.all([1, 2, 3].map(() => transcribe(request))))
    expect(new Set(answer.map(({ data }) => data.transcript_id)).size).toBe(1)
    for (const { data } of answer) expect(data.status).toBe('completed')
    expect(requests).toBe(5)
  })

  it('requesting word times makes another transcript from the same chunks', async () => {
    const request = uncachedOptions()
    const first = await transcribe(request)
    const { answer, requests } = await requestsOf(() => transcribe({ ...request, timestamps: 'word' }))
    expect(requests).toBe(0)
    expect(answer.data.transcript_id).not.toBe(first.data.transcript_id)
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect(await spaced.words(answer.data.transcript_id)).toBe(spaced.allWords)
  })

  it('another language or context makes another job', async () => {
    const plain = await transcribe(uncachedOptions())
    const { requests } = await requestsOf(() => transcribe({ ...uncachedOptions(), language: 'en' }))
    expect(requests).toBe(5)
    expect(plain.data.status).toBe('completed')
  })
})

describe('a permanently failing chunk', () => {
  it('a failed chunk leaves a gap, and the same call repairs it alone', async () => {
    const ten = await makeSpacedRecording(system.folder, 10, 'ten.flac')
    const request = { audio: ten.file, ...uncachedOptions() }
    const spoilt = ten.texts[4]!.slice(0, 20)
    const off = system.dashscope.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: ({ spokenText = '' }) => spokenText.includes(spoilt),
    })
    const first = await transcribe(request)
    off()
    expect(first.data.status).toBe('partial')
    expect(first.data.coverage.gaps).toHaveLength(1)
    expect(first.data.coverage.gaps[0].reason).toMatch(/^CONTENT_REFUSED: /)
    const said = ten.texts.filter((_, i) => i !== 4).join(' ')
    expect((await spaced.words(first.data.transcript_id)).replace(/\[no text from .*?\] /, '')).toBe(said)
    const { answer, requests } = await requestsOf(() => transcribe(request))
    expect(requests).toBe(1)
    expect(answer.data).toMatchObject({ status: 'completed', transcript_id: first.data.transcript_id })
    expect(await spaced.words(answer.data.transcript_id)).toBe(plainWords(ten.texts.join(' ')))
  })
})

describe('an account error during a job', () => {
  it('an account error ends the job at once; finished chunks are kept and not requested again', async () => {
    const request = uncachedOptions()
    let answered = 0
    const off = system.dashscope.fault({
      kind: 'error',
      ...dashscopeErrors.arrearage,
      when: () => answered++ >= 2,
    })
    const refused = await transcribe(request)
    off()
    expect(refused.isError).toBe(true)
    expect(refused.text).toMatch(/^ACCOUNT_IN_ARREARS: /)
    const { answer, requests } = await requestsOf(() => transcribe(request))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBeLessThanOrEqual(5)
    expect(requests).toBeGreaterThan(0)
    expect(await spaced.words(answer.data.transcript_id)).toBe(spaced.allWords)
  })

  it('an account error during a repair keeps the existing text', async () => {
    const request = uncachedOptions()
    const spoilt = passages.texts[0]!.slice(0, 20)
    const hit = ({ spokenText = '' }) => spokenText.includes(spoilt)
    const off = system.dashscope.fault({ kind: 'error', ...dashscopeErrors.dataInspectionFailed, when: hit })
    const first = await transcribe(request)
    off()
    const over = system.dashscope.fault({ kind: 'error', ...dashscopeErrors.arrearage })
    expect((await transcribe(request)).text).toMatch(/^ACCOUNT_IN_ARREARS: /)
    over()
    const { data } = await system.call('get_transcript', { transcript_id: first.data.transcript_id })
    expect(data.status).toBe('partial')
    expect(data.text).toContain(passages.texts[1]!.slice(0, 40))
  })
})

describe('the limit on cost', () => {
  it('the cost limit refuses an expensive recording before any request and accepts a cheaper one', async () => {
    const env = { SPEECH_ALLOWED_DIRS: system.env.SPEECH_ALLOWED_DIRS! }
    const strict = await startSystem({ env: { ...env, SPEECH_MAX_COST_USD: '0.001' } })
    const refused = await strict.call('transcribe_audio', { audio: passages.file })
    expect(refused.isError).toBe(true)
    expect(refused.text).toMatch(
      /^COST_TOO_HIGH: This would cost \$0\.00[12]\d, more than the limit of \$0\.0010\. /,
    )
    expect(strict.dashscope.requests).toHaveLength(0)
    const short = await strict.call('transcribe_audio', { audio: fixture('jfk.wav') })
    expect(short.data.status).toBe('completed')
    await strict.close()
  })
})
