// Formatted transcripts through an MCP client: format_text with an id, and what all readers then see.
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Job, localOwner } from '../../../src/domain/job.ts'
import type { Store } from '../../../src/domain/ports.ts'
import type { Segment, Transcript } from '../../../src/domain/transcript.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { type System, startSystem } from '../../support/e2e/system.ts'
import { normalizedText } from '../../support/emulators/texts.ts'
import { numberedSentences } from '../../support/text/unpunctuated.ts'
import { segment, transcript } from '../../support/transcripts.ts'

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

let ids = 0
/** Stores a transcript of an earlier job. */
async function stored(made: (id: string) => Transcript): Promise<Transcript> {
  const whole = made(`tr_old${ids++}`)
  await store.putTranscript(localOwner, whole)
  return whole
}
const finishedJob = (id: string): Job => ({
  id,
  owner: localOwner,
  tool: 'transcribe_audio',
  request: { audio: '/talk.wav' },
  models: ['qwen3-asr-flash'],
  short: false,
  state: 'completed',
  revision: 0,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
})
let passages = 0
/** New segments that are not cached, a minute each. */
const fresh = (count = 1) =>
  Array.from({ length: count }, (_, i) => segment(numberedSentences(passages++), i * 60, i * 60 + 55))
const talk = (count = 6) => stored(id => transcript({ id, title: `Talk ${id}`, segments: fresh(count) }))
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

const patient = { timeout: 20_000, interval: 20 }
/** Without the times that stand before paragraphs. */
const timeless = (text: string) => normalizedText(text.replace(/^\[[\d:]+\] /gm, ''))

describe('format_text of a transcript', () => {
  it('format_text of a transcript returns the formatted text and its summary', async () => {
    const given = await talk()
    const { data, text, isError } = await format(given.id)
    expect(isError, text).toBe(false)
    expect(data).toMatchObject({
      status: 'completed',
      transcript_id: given.id,
      title: given.title,
      warnings: [],
      formatted: { style: 'faithful', models: ['qwen-flash'], kept: 0 },
      usage: { audio_seconds: 0, cost_usd: 0 },
    })
    expect(data.text).toMatch(/^\[0:00\] The talk goes/)
    expect(timeless(data.text)).toBe(normalizedText(said(given)))
    expect(data.formatted.usage.cost_usd).toBeGreaterThan(0)
    expect(text).toContain('formatted: faithful, by qwen-flash')
    expect(text).toContain(data.text)
  })

  it('a formatted transcript is saved for all readers, and raw shows the recognised text', async () => {
    const given = await talk()
    await format(given.id)
    const shown = await read(given.id)
    expect(shown.data.formatted).toMatchObject({ style: 'faithful' })
    expect(shown.data.formatted.usage.input_tokens).toBeGreaterThan(0)
    expect(shown.data.text).toMatch(/^\[0:00\] The talk .*\.(\n|$)/)
    const raw = await read(given.id, 'raw')
    expect(raw.data.text.replace(/\s+/g, ' ')).toBe(said(given))
    expect(raw.data).not.toHaveProperty('formatted')
    const plain = await read(given.id, 'plain')
    expect(plain.data.text).toMatch(/^The talk .*\./)
    expect(normalizedText(plain.data.text)).toBe(normalizedText(said(given)))

    const uri = `transcript://${given.id}`
    expect(await resource(uri)).toContain('[0:00] The talk goes')
    expect(await resource(`${uri}/txt`)).toBe(`${plain.data.text}\n`)
    expect(await resource(`${uri}/md`)).toMatch(/ · formatted by qwen-flash\n\n\*\*\[0:00\]\*\* The talk /)
    expect(await resource(`${uri}/srt`)).toMatch(/^1\n00:00:00,000 --> .*\nThe talk goes/)
    expect(await resource(`${uri}/vtt`)).toMatch(/\nThe talk goes/)
    const json = JSON.parse(await resource(`${uri}/json`))
    expect(json.raw_segments).toEqual(given.segments)
    expect(json.formatted).toMatchObject({ style: 'faithful', models: ['qwen-flash'] })
    expect(normalizedText(said(json))).toBe(normalizedText(said(given)))
    expect(json.text).toBe(plain.data.text)
    // The stored recording is as it was.
    expect((await store.getTranscript(localOwner, given.id))?.segments).toEqual(given.segments)
  })

  it('a formatted transcript keeps the times of its sentences', async () => {
    const given = await talk()
    await format(given.id)
    const { data } = await read(given.id, 'plain', { from: 60, to: 120 })
    expect(normalizedText(data.text)).toBe(normalizedText(given.segments[1]!.text))
    const json = JSON.parse(await resource(`transcript://${given.id}/json`))
    for (const { start, end, text } of json.segments as Segment[]) {
      expect(end).toBeGreaterThan(start)
      expect(normalizedText(given.segments[Math.floor(start / 60)]!.text)).toContain(normalizedText(text))
    }
  })

  it('formatting a transcript is billed once', async () => {
    const given = await talk()
    await format(given.id)
    const { answer, asked } = await requestsOf(() => format(given.id))
    expect(asked).toBe(0)
    expect(answer.data).toMatchObject({
      status: 'completed',
      formatted: { usage: { input_tokens: 0, output_tokens: 0, cost_usd: 0 } },
    })
    expect(answer.data.text).toBe((await read(given.id)).data.text)
  })

  it('search matches the formatted text', async () => {
    const given = await stored(id =>
      transcript({
        id,
        segments: [segment(`the quetzal is a bird ${numberedSentences(passages++)}`, 0, 50)],
      }),
    )
    await format(given.id)
    const { data } = await system.call('search_transcripts', { query: 'quetzal' })
    expect(data.transcripts[0].matches[0].text).toMatch(/^The quetzal is a bird/)
  })

  it('formatting in another style replaces the earlier one', async () => {
    const given = await stored(id =>
      transcript({ id, segments: [segment(`um ${numberedSentences(passages++)}`, 0, 50)], language: 'en' }),
    )
    await format(given.id)
    const { data } = await format(given.id, { style: 'clean' })
    expect(data.formatted).toMatchObject({ style: 'clean', removed: { um: 1 } })
    expect((await read(given.id)).data.formatted).toMatchObject({ style: 'clean' })
    expect((await read(given.id, 'raw')).data.text).toMatch(/^um /)
  })

  it('format_text without a style keeps the current one and accepts a transcript URI', async () => {
    const given = await stored(id =>
      transcript({ id, segments: [segment(`um ${numberedSentences(passages++)}`, 0, 50)], language: 'en' }),
    )
    await format(given.id, { style: 'clean' })
    const { answer, asked } = await requestsOf(() => format(`transcript://${given.id}`))
    expect(asked).toBe(0)
    expect(answer.data.formatted).toMatchObject({ style: 'clean', usage: { input_tokens: 0, cost_usd: 0 } })
  })

  it('a transcript that is not formatted shows only the latest reason', async () => {
    const given = await stored(id =>
      transcript({ id, segments: fresh(2), warnings: ['The text was not formatted: It took too long.'] }),
    )
    undo.push(system.dashscope.textFault({ kind: 'refuse' }))
    const { data } = await format(given.id)
    expect(data.warnings).toEqual([expect.stringMatching(/^The text is unchanged\. /)])
  })

  it('a formatted transcript shows speaker names given later', async () => {
    const speakers = [
      { id: 'S1', seconds: 110, share: 0.5 },
      { id: 'S2', seconds: 110, share: 0.5 },
    ]
    const given = await stored(id => {
      const segments = fresh(4).map((one, i) => ({ ...one, speaker: i < 2 ? 'S1' : 'S2' }))
      return transcript({ id, segments, speakers })
    })
    await format(given.id)
    await system.call('update_transcript', { transcript_id: given.id, speakers: { S1: 'Alice' } })
    const { data } = await read(given.id)
    expect(data.text).toMatch(/^\[0:00\] Alice: The talk goes/)
    expect(data.text).toMatch(/^\[2:00\] S2: The talk goes/m)
    const alone = await read(given.id, 'plain', { speaker: 'Alice' })
    expect(normalizedText(alone.data.text.replace(/^Alice: /gm, ''))).toBe(
      normalizedText(said({ segments: given.segments.slice(0, 2) })),
    )
  })

  it('deleting a transcript deletes its formatted text', async () => {
    const given = await talk(2)
    await format(given.id)
    await system.call('delete_transcript', { transcript_id: given.id })
    const { isError, text } = await format(given.id)
    expect({ isError, text }).toEqual({
      isError: true,
      text: expect.stringMatching(/^TRANSCRIPT_NOT_FOUND: /),
    })
  })

  it('formatting a transcript without text says so', async () => {
    const given = await stored(id => transcript({ id, segments: [] }))
    const { answer, asked } = await requestsOf(() => format(given.id))
    expect(asked).toBe(0)
    expect(answer.data).toMatchObject({
      status: 'completed',
      text: '',
      warnings: [expect.stringMatching(/no text/)],
    })
  })

  it('formatting a short transcript leaves it unchanged', async () => {
    const given = await stored(id => transcript({ id, segments: [segment('hello there', 0, 2)] }))
    const { answer, asked } = await requestsOf(() => format(given.id))
    expect(asked).toBe(0)
    expect(answer.data).toMatchObject({ status: 'completed', text: '[0:00] hello there' })
  })

  it('format_text of a transcript answers running with the unformatted text, and the same call continues', async () => {
    const given = await talk(12)
    const end = system.dashscope.textFault({ kind: 'held' })
    undo.push(end)
    const early = await format(given.id, { wait_seconds: 0 })
    expect(early.data).toMatchObject({ status: 'running', next_step: expect.stringContaining(given.id) })
    expect(early.data.next_step).toMatch(/still being formatted: call format_text with transcript_id=/)
    const meanwhile = await read(given.id)
    expect(meanwhile.data).toMatchObject({ status: 'completed' })
    expect(meanwhile.data).not.toHaveProperty('formatted')
    end()
    const { data } = await format(given.id)
    expect(data).toMatchObject({ status: 'completed', formatted: { kept: 0 } })
    expect(data).not.toHaveProperty('next_step')
  })

  it('cancelling a transcript stops its formatting and leaves it unchanged', async () => {
    const given = await talk(2)
    await store.addJob(finishedJob(given.id))
    undo.push(system.dashscope.textFault({ kind: 'hang' }))
    const waiting = format(given.id)
    await vi.waitFor(() => expect(system.dashscope.textInFlight()).toBeGreaterThan(0), patient)
    const { data } = await system.call('cancel_transcription', { transcript_id: given.id })
    expect(data.status).toBe('completed')
    expect((await waiting).text).toMatch(/^CANCELLED: /)
    await vi.waitFor(() => expect(system.dashscope.textInFlight()).toBe(0), patient)
    expect(timeless((await read(given.id)).data.text)).toBe(normalizedText(said(given)))
  })

  it('prompts contain the formatted text', async () => {
    const given = await talk(1)
    await format(given.id)
    const { messages } = await system.client.getPrompt({
      name: 'summarize_meeting',
      arguments: { transcript_id: given.id },
    })
    expect(JSON.stringify(messages)).toContain('[0:00] The talk goes')
  })

  it('the result of a failed part says how to retry it', async () => {
    const given = await talk(20)
    const refused = `passage ${passages - 7} `
    const end = system.dashscope.textFault({ kind: 'refuse', when: ({ text }) => text.includes(refused) })
    undo.push(end)
    const first = await requestsOf(() => format(given.id))
    expect(first.answer.data.formatted).toMatchObject({ failed: 1 })
    expect(first.answer.data.next_step).toContain(
      `format_text with transcript_id=${given.id} retries only those`,
    )
    expect(first.answer.data.warnings).not.toEqual([])
    end()
    const again = await requestsOf(() => format(given.id))
    expect(again.answer.data.formatted).not.toHaveProperty('failed')
    expect(again.answer.data.warnings).toEqual([])
    expect(again.asked).toBeLessThan(first.asked)
  })
})
