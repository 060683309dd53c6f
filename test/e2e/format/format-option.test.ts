// format: true of transcribe_audio and diarize_audio through an MCP client.
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import type { Segment } from '../../../src/domain/transcript.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { makeShortMeeting } from '../../support/e2e/diarization-system.ts'
import { fixture, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'
import { normalizedText } from '../../support/emulators/texts.ts'

let system: System
let store: Store
beforeAll(async () => {
  system = await startSystem({ dashscope: { oss: true } })
  store = sqliteStore({ folder: join(system.folder, 'data') })
})
afterAll(async () => {
  await store.close()
  await system.close()
})

const undo: (() => void)[] = []
afterEach(() => {
  for (const end of undo.splice(0)) end()
})

const said = ({ segments }: { segments: Segment[] }) => segments.map(({ text }) => text).join(' ')

const format = (transcript_id: string, more: Record<string, unknown> = {}) =>
  system.call('format_text', { transcript_id, ...more })
const read = (transcript_id: string, view = 'text', more: Record<string, unknown> = {}) =>
  system.call('get_transcript', { transcript_id, view, ...more })
async function resource(uri: string): Promise<string> {
  const { contents } = await system.client.readResource({ uri })
  return (contents[0] as { text: string }).text
}

async function requestsOf<T>(
  work: () => Promise<T>,
): Promise<{ answer: T; asked: number; recognised: number }> {
  const { textRequests, requests } = system.dashscope
  const [texts, sounds] = [textRequests.length, requests.length]
  const answer = await work()
  return { answer, asked: textRequests.length - texts, recognised: requests.length - sounds }
}

describe('format: true', () => {
  const words = truthText(truth('interview'))
  const order = (more: Record<string, unknown> = {}) =>
    system.call('transcribe_audio', { audio: fixture('interview.mp3'), format: true, ...more })

  it('transcribe_audio with format: true returns formatted text', async () => {
    const { data, text } = await order()
    expect(data, text).toMatchObject({ status: 'completed', formatted: { style: 'faithful', kept: 0 } })
    expect(data.formatted.usage.input_tokens).toBeGreaterThan(0)
    expect(normalizedText((await read(data.transcript_id, 'plain')).data.text)).toBe(normalizedText(words))
  })

  it('a formatted transcript is free the second time, with or without format: true', async () => {
    await order()
    for (const format of [true, false]) {
      const { answer, asked, recognised } = await requestsOf(() => order({ format }))
      expect({ asked, recognised }).toEqual({ asked: 0, recognised: 0 })
      expect(answer.data).toMatchObject({
        usage: { audio_seconds: 0, cost_usd: 0 },
        formatted: { usage: { input_tokens: 0, cost_usd: 0 } },
      })
    }
  })

  it('format: true keeps the current style', async () => {
    const { data } = await order()
    await format(data.transcript_id, { style: 'clean' })
    const { answer, asked } = await requestsOf(() => order())
    expect({ asked, style: answer.data.formatted.style }).toEqual({ asked: 0, style: 'clean' })
    await format(data.transcript_id, { style: 'faithful' })
  })

  it('format: true formats an existing transcript without another recognition', async () => {
    const audio = fixture('russian.flac')
    const before = await order({ audio, format: false })
    expect(before.data).not.toHaveProperty('formatted')
    const { answer, asked, recognised } = await requestsOf(() => order({ audio }))
    expect(answer.data.transcript_id).toBe(before.data.transcript_id)
    expect(answer.data).toMatchObject({
      status: 'completed',
      formatted: { kept: 0 },
      usage: { audio_seconds: 0 },
    })
    expect(answer.data.formatted.usage.cost_usd).toBeGreaterThan(0)
    expect(asked).toBeGreaterThan(0)
    expect(recognised).toBe(0)
  })

  it('a call at its time limit says that the text is still being formatted', async () => {
    const audio = fixture('jfk.wav')
    await order({ audio, format: false })
    const end = system.dashscope.textFault({ kind: 'held' })
    undo.push(end)
    const { data } = await order({ audio, wait_seconds: 0 })
    expect(data).toMatchObject({
      status: 'completed',
      next_step: expect.stringMatching(/still being formatted/),
    })
    expect(data).not.toHaveProperty('formatted')
    end()
    const waited = await format(data.transcript_id)
    expect(waited.data).toMatchObject({ status: 'completed', formatted: { kept: 0 } })
  })

  it('format: true applies to a running job', async () => {
    const context = 'under way'
    const end = system.dashscope.fault({ kind: 'held' })
    undo.push(end)
    const early = await order({ context, format: false, wait_seconds: 0 })
    expect(early.data.status).toBe('running')
    end()
    const { data } = await order({ context })
    expect(data).toMatchObject({
      status: 'completed',
      transcript_id: early.data.transcript_id,
      formatted: { kept: 0 },
    })
  })

  it('format: true with timestamps: none pages the text without times', async () => {
    const { data } = await order({ timestamps: 'none' })
    expect(data.text).toBe((await read(data.transcript_id, 'plain')).data.text)
    const page = await read(data.transcript_id, 'plain', { limit: 300 })
    expect(page.data.next_step).toContain('view=plain')
  })

  it('format: true returns the recognised text with the reason if formatting fails', async () => {
    undo.push(system.dashscope.textFault({ kind: 'refuse' }))
    const { data } = await order({ audio: fixture('clip.mp4') })
    expect(data).toMatchObject({ status: 'completed', warnings: [expect.stringMatching(/not formatted/)] })
    expect(data).not.toHaveProperty('formatted')
  })
})

describe('diarize_audio with format: true', () => {
  it('diarize_audio with format: true formats each speaker’s text', async () => {
    const audio = await makeShortMeeting(system.folder, 'meeting')
    const { data, text } = await system.call('diarize_audio', { audio, format: true })
    expect(data, text).toMatchObject({ status: 'completed', formatted: { style: 'faithful' } })
    expect(data.speakers.length).toBeGreaterThan(1)
    expect(data.text).toMatch(/^\[0:0\d\] S1: /)
    const json = JSON.parse(await resource(`${data.uri}/json`))
    expect(normalizedText(said(json))).toBe(normalizedText(said({ segments: json.raw_segments })))
    const speakersOf = (segments: Segment[]) => new Set(segments.map(({ speaker }) => speaker))
    expect(speakersOf(json.segments)).toEqual(speakersOf(json.raw_segments))
  })
})
