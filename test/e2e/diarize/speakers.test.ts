// Speakers in the tools through an MCP client: results, the speaker filter, search, prompts and new names.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localOwner } from '../../../src/domain/job.ts'
import type { Transcript } from '../../../src/domain/transcript.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { fixture, type System, startSystem, type TempFolder, tempFolder } from '../../support/e2e/system.ts'
import { alice, type Spoken, second, spokenSegments, talk } from '../../support/speaker-transcript.ts'
import { transcript } from '../../support/transcripts.ts'

describe('through a client', () => {
  let system: System
  let data: TempFolder
  const speakerless: Transcript = transcript({ id: 'tr_plain', title: 'Plain' })

  beforeAll(async () => {
    data = await tempFolder()
    const store = sqliteStore({ folder: join(data.path, 'data') })
    for (const one of [talk, speakerless]) await store.putTranscript(localOwner, one)
    await store.close()
    system = await startSystem({
      dashscope: { oss: true, taskLatency: { base: 600, perSecond: 0 } },
      env: { SPEECH_DATA_DIR: join(data.path, 'data') },
    })
  })
  afterAll(async () => {
    await system.close()
    await data.remove()
  })

  const read = (more = {}) => system.call('get_transcript', { transcript_id: talk.id, ...more })

  it('speakers are returned as data and as text with the pipeline’s facts', async () => {
    const { data, text } = await read()
    expect(data).toMatchObject({
      speakers: talk.speakers,
      upload: 'bucket',
      alignment: { offset: 0.31, matched: 0.92, unassigned: 0.02, time_only: 0.03 },
      times: 'measured',
      warnings: ['"?:" marks speech whose speaker is unknown.'],
    })
    for (const fact of ['S1 (Alice) 7.5 s = 75 %', 'S2 2.5 s = 25 %', 'upload: bucket', 'times: measured'])
      expect(text).toContain(fact)
    for (const figure of ['0.31', '0.92', '0.02', '0.03', data.warnings[0], data.text])
      expect(text).toContain(figure)
  })

  it('speakers are absent from transcribe_audio', async () => {
    const { data } = await read({ transcript_id: speakerless.id })
    for (const key of ['speakers', 'upload', 'alignment']) expect(data).not.toHaveProperty(key)
    expect(data).toMatchObject({ times: 'estimated', warnings: [] })
  })

  it.each([
    ['S2', ['[0:06] S2: It is fine.']],
    [' alice ', ['[0:00] Alice: Shall we begin? The budget first.', '[0:07] Alice: Good.']],
  ])('one speaker can be read alone: %s', async (speaker, lines) => {
    const { data } = await read({ speaker })
    expect(data.text.split('\n')).toEqual(lines)
    expect(data.speakers).toHaveLength(2)
  })

  it('speakers with the same name are read together', async () => {
    const split = { ...talk, id: 'tr_split', speakers: [alice, { ...second, name: 'ALICE' }] }
    const store = sqliteStore({ folder: join(data.path, 'data') })
    await store.putTranscript(localOwner, split)
    await store.close()
    const { data: both } = await read({ transcript_id: split.id, speaker: 'Ａlice' })
    expect(both.text.split('\n')).toEqual([
      '[0:00] Alice: Shall we begin? The budget first.',
      '[0:06] ALICE: It is fine.',
      '[0:07] Alice: Good.',
    ])
  })

  it('speakers are absent, not empty, while a job is running', async () => {
    const audio = fixture('meeting.m4a')
    const begun = await system.call('diarize_audio', { audio, wait_seconds: 0 })
    expect(begun.data).toMatchObject({
      status: 'running',
      next_step: expect.stringContaining('diarize_audio'),
    })
    expect(begun.data).not.toHaveProperty('speakers')
    expect(begun.text).not.toContain('speakers:')
    await system.call('delete_transcript', { transcript_id: begun.data.transcript_id })
    const silent = { ...speakerless, id: 'tr_silent', speakers: [], segments: [] }
    const store = sqliteStore({ folder: join(data.path, 'data') })
    await store.putTranscript(localOwner, silent)
    await store.close()
    const over = await read({ transcript_id: silent.id })
    expect(over.data.speakers).toEqual([])
    expect(over.text).toContain('speakers: none identified')
  })

  it('one speaker can be read within a time range and a view', async () => {
    const { data } = await read({ speaker: 'Alice', from: 7, view: 'srt' })
    expect(data.text).toBe('1\n00:00:07,500 --> 00:00:09,000\nAlice: Good.\n')
  })

  it('the speaker filter applies to all pages', async () => {
    const words = Array.from(
      { length: 200 },
      (_, i): Spoken => [i % 2 ? 'S1' : 'S2', `Turn ${i} goes on for a while.`, i * 3, i * 3 + 2],
    )
    const long = transcript({
      id: 'tr_long',
      speakers: [{ ...alice, name: 'Anna "A" B' }, second],
      segments: spokenSegments(...words),
    })
    const store = sqliteStore({ folder: join(data.path, 'data') })
    await store.putTranscript(localOwner, long)
    await store.close()
    const { data: page } = await read({ transcript_id: long.id, speaker: 'S1', limit: 200 })
    expect(page.next_step).toContain('speaker="S1"')
    const { data: next } = await read({
      transcript_id: long.id,
      speaker: 'S1',
      limit: 200,
      offset: page.next_offset,
    })
    expect(next.text).not.toContain('S2:')
    const named = await read({ transcript_id: long.id, speaker: 'anna "a" b', limit: 200 })
    expect(named.data.next_step).toContain('speaker="anna \\"a\\" b"')
  })

  it.each([
    ['an unknown speaker', talk.id, /Its speakers: S1 \(Alice\), S2\.$/],
    ['a speaker of a transcript without speakers', speakerless.id, /diarize_audio/],
  ])('reading %s is rejected', async (_, transcript_id, hint) => {
    const { isError, text } = await read({ transcript_id, speaker: 'Bob' })
    expect(isError).toBe(true)
    expect(text).toMatch(/^BAD_INPUT: /)
    expect(text).toMatch(hint)
  })

  it('speaker names appear everywhere', async () => {
    const other = { ...talk, id: 'tr_named', title: 'Named' }
    const store = sqliteStore({ folder: join(data.path, 'data') })
    await store.putTranscript(localOwner, other)
    await store.close()
    const answer = await system.call('update_transcript', {
      transcript_id: other.id,
      speakers: { s2: ' Zoë Zhang ', alice: 'Alicia' },
    })
    expect(answer.data).toEqual({
      transcript_id: other.id,
      uri: 'transcript://tr_named',
      title: 'Named',
      speakers: [
        { id: 'S1', name: 'Alicia' },
        { id: 'S2', name: 'Zoë Zhang' },
      ],
    })
    for (const fact of [other.id, 'transcript://tr_named', 'Named', 'S1: Alicia', 'S2: Zoë Zhang'])
      expect(answer.text).toContain(fact)
    const { data: named } = await read({ transcript_id: other.id, speaker: 'zoë zhang' })
    expect(named.text).toBe('[0:06] Zoë Zhang: It is fine.')
    for (const format of ['', '/txt', '/md', '/srt', '/vtt', '/json']) {
      const { contents } = await system.client.readResource({ uri: `transcript://tr_named${format}` })
      expect((contents[0] as { text: string }).text, format).toMatch(
        /Zoë Zhang[\s\S]*Alicia|Alicia[\s\S]*Zoë/,
      )
    }
    const { data: hits, text } = await system.call('search_transcripts', { query: 'zoe zhang' })
    expect(hits.transcripts).toMatchObject([
      { transcript_id: other.id, matches: [{ start: 6.1, text: 'It is fine.', speaker: 'Zoë Zhang' }] },
    ])
    expect(text).toContain('[0:06] (from=6) Zoë Zhang: It is fine.')
  })

  it.each([
    ['an empty request', {}, /Nothing to change/],
    ['an empty list of names', { speakers: {} }, /Nothing to change/],
    ['a name for an unknown speaker', { speakers: { S9: 'Bob' } }, /S1 \(Alice\), S2/],
  ])('speaker names are not changed by %s', async (_, change, reason) => {
    const { isError, text } = await system.call('update_transcript', { transcript_id: talk.id, ...change })
    expect(isError).toBe(true)
    expect(text).toMatch(/^BAD_INPUT: /)
    expect(text).toMatch(reason)
  })
})
