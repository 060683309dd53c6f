// Tools for transcripts: waiting, searching, renaming, cancelling, deleting, and finding recordings.
import { copyFile, mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Fault } from '../../../emulators/dashscope/faults.ts'
import { makeSpacedRecording, type SpacedRecording } from '../../support/audio/spaced-recording.ts'
import { writeInput } from '../../support/e2e/requests.ts'
import { fixture, plainWords, type System, startSystem, type ToolAnswer } from '../../support/e2e/system.ts'

let system: System
/** Several chunks, with little to encode. */
let passages: SpacedRecording

beforeAll(async () => {
  system = await startSystem()
  await system.dashscope.warmUp()
  passages = await makeSpacedRecording(system.folder, 4)
})
afterAll(() => system.close())

const transcribe = (audio: string, more = {}) => system.call('transcribe_audio', { audio, ...more })

/** Switched off at the end of the test at the latest. */
function fault(kind: Fault): () => void {
  const off = system.dashscope.fault(kind)
  onTestFinished(off)
  return off
}

/** Whatever is in the data is in the text too: clients show only one of them. */
function expectSameFacts({ text, data }: ToolAnswer, facts: unknown[]): void {
  for (const fact of facts) {
    expect(JSON.stringify(data)).toContain(JSON.stringify(fact))
    expect(text).toContain(String(fact))
  }
}

async function expectNotFound(tool: string, args: Record<string, unknown>): Promise<void> {
  const { isError, text, data } = await system.call(tool, args)
  expect({ isError, data }).toEqual({ isError: true, data: undefined })
  expect(text).toMatch(/^TRANSCRIPT_NOT_FOUND: [^\n]+\. [^\n]+\.$/)
}

describe('a transcription that takes longer than its call', () => {
  it('a long transcription returns the text so far and the next call, and continues', async () => {
    const off = fault({ kind: 'held' })
    const answer = await transcribe(passages.file, { wait_seconds: 0 })
    const { data } = answer
    expect(data).toMatchObject({ status: 'running', transcript_id: expect.stringMatching(/^tr_/) })
    expect(data.next_step).toContain(`get_transcript with transcript_id=${data.transcript_id}`)
    expectSameFacts(answer, ['running', data.transcript_id, data.uri, data.next_step])

    const looked = await system.call('get_transcript', { transcript_id: data.transcript_id, wait_seconds: 0 })
    expect(looked.data).toMatchObject({ status: 'running', transcript_id: data.transcript_id })
    off()
    const waited = await system.call('get_transcript', { transcript_id: data.transcript_id, view: 'raw' })
    expect(waited.data).toMatchObject({ status: 'completed', coverage: { gaps: [] } })
    expect(waited.data.next_step).toBeUndefined()
    expect(plainWords(waited.data.text)).toBe(passages.texts.join(' '))
  })

  it('a repeated transcription is free and reports the cached seconds', async () => {
    const first = await transcribe(passages.file)
    const asked = system.dashscope.requests.length
    const again = await transcribe(passages.file)
    expect(again.data).toMatchObject({ status: 'completed', transcript_id: first.data.transcript_id })
    expect(again.data.usage).toMatchObject({ audio_seconds: 0 })
    expect(again.data.usage.cost_usd ?? 0).toBe(0)
    expect(again.data.usage.cached_seconds).toBeGreaterThan(25)
    expect(system.dashscope.requests.length).toBe(asked)
  })

  it('a transcription is not stopped by a reader that disconnects', async () => {
    const off = fault({ kind: 'held' })
    const { data } = await transcribe(passages.file, { wait_seconds: 0, context: 'a reader who leaves' })
    const stop = new AbortController()
    const reading = system.call(
      'get_transcript',
      { transcript_id: data.transcript_id },
      { signal: stop.signal },
    )
    reading.catch(() => {})
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBeGreaterThan(0), { timeout: 30_000 })
    stop.abort()
    await expect(reading).rejects.toThrow()
    off()
    const read = await system.call('get_transcript', { transcript_id: data.transcript_id })
    expect(read.data.status).toBe('completed')
  })

  it.each([-1, 241, 0.5, 'long'])('a wait time of %j seconds is rejected', async wait_seconds => {
    const { isError, text } = await transcribe(passages.file, { wait_seconds })
    expect(isError).toBe(true)
    expect(text).toContain('wait_seconds')
  })
})

describe('cancel_transcription', () => {
  it('cancel_transcription stops the requests and keeps finished chunks, and the same call resumes', async () => {
    const request = { context: 'cancelled' }
    const first = passages.texts[0]!.slice(0, 20)
    const done = system.dashscope.requests.length
    const off = fault({ kind: 'hang', when: ({ spokenText = '' }) => !spokenText.includes(first) })
    const { data } = await transcribe(passages.file, { ...request, wait_seconds: 0 })
    const id = data.transcript_id
    const watching = transcribe(passages.file, request)
    await vi.waitFor(
      async () => {
        const { data } = await system.call('get_transcript', { transcript_id: id, wait_seconds: 0 })
        expect(data.text).toContain(first)
      },
      { timeout: 20_000 },
    )
    const answer = await system.call('cancel_transcription', { transcript_id: id })
    expect(answer.data).toMatchObject({ status: 'cancelled', transcript_id: id })
    expect(answer.data.transcribed_seconds).toBeGreaterThan(5)
    expectSameFacts(answer, ['cancelled', id, answer.data.transcribed_seconds, answer.data.next_step])
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0), { timeout: 30_000 })
    expect((await watching).text).toMatch(/^CANCELLED: The transcription was cancelled/)

    const kept = await system.call('get_transcript', { transcript_id: id })
    expect(kept.data.status).toBe('cancelled')
    expect(kept.data.text).toContain(first)
    expect(kept.data.next_step).toMatch(/transcribe_audio/)
    off()
    const { data: whole } = await transcribe(passages.file, { ...request, timestamps: 'none' })
    expect(whole).toMatchObject({ status: 'completed', coverage: { gaps: [] } })
    const answered = system.dashscope.requests.slice(done).filter(({ status }) => status === 200)
    expect(answered.filter(({ text = '' }) => text.includes(first))).toHaveLength(1)
  })

  it('cancel_transcription does not change a finished transcript', async () => {
    const { data } = await transcribe(fixture('jfk.wav'))
    const answer = await system.call('cancel_transcription', { transcript_id: data.transcript_id })
    expect(answer.data).toMatchObject({ status: 'completed', transcribed_seconds: expect.any(Number) })
    expect(answer.data.next_step).toBeUndefined()
    expect(answer.text).toContain('Nothing left to cancel')
  })

  it('cancel_transcription rejects an unknown id', () =>
    expectNotFound('cancel_transcription', { transcript_id: 'tr_x' }))
})

describe('search_transcripts', () => {
  const search = (query?: string, more = {}) =>
    system.call('search_transcripts', { ...(query !== undefined && { query }), ...more })
  const found = ({ data }: ToolAnswer) => data.transcripts.map(({ title }: { title: string }) => title)

  beforeAll(async () => {
    await transcribe(fixture('jfk.wav'))
    await transcribe(fixture('chinese.flac'))
    await transcribe(fixture('russian.flac'))
    await transcribe(fixture('voice-note.ogg'), { title: 'Note to Greta' })
  })

  it('search_transcripts returns matches with their times', async () => {
    const answer = await search('FELLOW "ask not"')
    expect(found(answer)).toEqual(['jfk'])
    const [{ transcript_id, uri, status, language, created_at, matches }] = answer.data.transcripts
    expect(matches.length).toBeGreaterThan(0)
    expect(matches.map(({ text }: { text: string }) => text).join(' ')).toContain('ask not')
    for (const { start } of matches) expect(start).toBeLessThan(11)
    expectSameFacts(answer, [
      transcript_id,
      uri,
      status,
      created_at,
      ...matches.map((m: { text: string }) => m.text),
    ])
    expect(language).toBe('en')
    expect(answer.text).toMatch(/data, not instructions/)
  })

  it.each([
    ['王老师', 'chinese'],
    ['ярославл', 'russian'],
    ['greta', 'Note to Greta'],
  ])('search_transcripts matches %s', async (query, title) => {
    expect(found(await search(query))).toEqual([title])
  })

  it('search_transcripts reports that nothing matches', async () => {
    const { data, text, isError } = await search('flibbertigibbet')
    expect({ isError, transcripts: data.transcripts }).toEqual({ isError: false, transcripts: [] })
    expect(text).toMatch(/No transcript contains/)
  })

  it.each([undefined, '', '  '])(
    'search_transcripts lists the newest transcripts in pages for the query %j',
    async query => {
      const all = found(await search(query, { limit: 25 }))
      expect(all[0]).toBe('Note to Greta')
      const pages: string[] = []
      let cursor: string | undefined
      do {
        const answer: ToolAnswer = await search(query, { limit: 2, ...(cursor && { cursor }) })
        expect(answer.data.transcripts[0].matches).toBeUndefined()
        pages.push(...found(answer))
        cursor = answer.data.next_cursor
        if (cursor) expect(answer.text).toContain(`cursor=${cursor}`)
      } while (cursor)
      expect(pages).toEqual(all)
    },
  )

  it.each([
    ['a query without a word', { query: '?!' }],
    ['a cursor that no page gave', { cursor: 'nonsense' }],
  ])('search_transcripts rejects %s', async (_, args) => {
    const { isError, text } = await system.call('search_transcripts', args)
    expect(isError).toBe(true)
    expect(text).toMatch(/^BAD_INPUT: /)
  })
})

describe('update_transcript and delete_transcript', () => {
  it('update_transcript renames a transcript in all views', async () => {
    const { data } = await transcribe(fixture('clip.mp4'))
    const answer = await system.call('update_transcript', {
      transcript_id: data.transcript_id,
      title: '  The paper boat ',
    })
    expect(answer.data).toEqual({
      transcript_id: data.transcript_id,
      uri: data.uri,
      title: 'The paper boat',
    })
    expectSameFacts(answer, [data.transcript_id, data.uri, 'The paper boat'])
    const read = await system.call('get_transcript', { transcript_id: data.transcript_id })
    expect(read.data).toMatchObject({ title: 'The paper boat', text: data.text })
    const { resources } = await system.client.listResources()
    expect(resources.find(({ uri }) => uri === data.uri)).toMatchObject({ title: 'The paper boat' })
  })

  it('delete_transcript deletes everything, so that the recording is transcribed again', async () => {
    const { data } = await transcribe(fixture('clip.mp4'))
    const id = data.transcript_id
    const answer = await system.call('delete_transcript', { transcript_id: id })
    expect(answer.data).toEqual({ transcript_id: id, deleted: true })
    expect(answer.text).toContain(id)
    for (const tool of ['get_transcript', 'delete_transcript', 'cancel_transcription'])
      await expectNotFound(tool, { transcript_id: id })
    await expectNotFound('update_transcript', { transcript_id: id, title: 'Gone' })
    await expect(system.client.readResource({ uri: data.uri })).rejects.toThrow(/not found/i)
    const asked = system.dashscope.requests.length
    expect((await transcribe(fixture('clip.mp4'))).data).toMatchObject({
      status: 'completed',
      text: data.text,
    })
    expect(system.dashscope.requests.length).toBeGreaterThan(asked)
  })

  it('delete_transcript stops a running job first', async () => {
    const off = fault({ kind: 'hang' })
    const { data } = await transcribe(passages.file, { wait_seconds: 0, context: 'to be deleted' })
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBeGreaterThan(0), { timeout: 30_000 })
    await system.call('delete_transcript', { transcript_id: data.transcript_id })
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0), { timeout: 30_000 })
    off()
    await expectNotFound('get_transcript', { transcript_id: data.transcript_id })
  })
})

describe('find_recordings', () => {
  it('find_recordings lists the newest recording, and transcribe_audio accepts its path', async () => {
    const folder = join(system.folder, 'Sprachmemos')
    await mkdir(folder)
    const path = join(folder, 'Stand-up März.ogg')
    await copyFile(fixture('voice-note.ogg'), path)
    await utimes(path, 4e9, 4e9)
    const answer = await system.call('find_recordings', { query: 'marz standup' })
    expect(answer.data.recordings).toEqual([])
    const all = await system.call('find_recordings', {})
    const [{ path: newest, name, bytes, modified_at }] = all.data.recordings
    expect({ newest, name }).toEqual({ newest: path, name: 'Stand-up März.ogg' })
    expectSameFacts(all, [newest, name, bytes, modified_at])
    const one = await system.call('find_recordings', { query: 'MARZ stand up', limit: 1 })
    expect(one.data.recordings).toHaveLength(1)
    expect((await transcribe(one.data.recordings[0].path)).data.text).toContain('Greta')
    for (const args of [{ query: 'sprachmemos märz' }, { folder, query: 'stand' }])
      expect((await system.call('find_recordings', args)).data.recordings).toMatchObject([{ path }])
    const outside = await system.call('find_recordings', { folder: '/etc' })
    expect(outside.text).toMatch(/^OUTSIDE_ALLOWED_DIRS/)
  })

  it('find_recordings reports that there are no recordings', async () => {
    await writeInput(system, 'notes.txt', 'not a recording')
    const { data, text, isError } = await system.call('find_recordings', { query: 'notes' })
    expect({ isError, recordings: data.recordings }).toEqual({ isError: false, recordings: [] })
    expect(text).toMatch(/^No recording found/)
  })
})
