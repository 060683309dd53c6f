// Speakers in text, exports, pages, search and prompts, with and without names.
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localOwner } from '../../../src/domain/job.ts'
import type { Segment, Transcript } from '../../../src/domain/transcript.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { cues } from '../../../src/formats/cues.ts'
import { excerpts } from '../../../src/formats/excerpts.ts'
import { outputFormats } from '../../../src/formats/index.ts'
import { outline, plainText, timedText } from '../../../src/formats/text.ts'
import { fixture, type System, startSystem, type TempFolder, tempFolder } from '../../support/e2e/system.ts'
import { segment, transcript } from '../../support/transcripts.ts'

type Spoken = [speaker: string | null, text: string, start: number, end: number]

const said = (...spoken: Spoken[]): Segment[] =>
  spoken.map(([speaker, text, start, end]) => ({ ...segment(text, start, end), speaker, estimated: false }))

const alice = { id: 'S1', name: 'Alice', seconds: 7.5, share: 0.75 }
const second = { id: 'S2', seconds: 2.5, share: 0.25 }

const talk = transcript({
  id: 'tr_talk',
  title: 'Budget talk',
  speakers: [alice, second],
  upload: 'bucket',
  alignment: { offset: 0.31, matched: 0.92, unassigned: 0.02, timeOnly: 0.03 },
  segments: said(
    ['S1', 'Shall we begin?', 0, 2],
    ['S1', 'The budget first.', 4.5, 6],
    ['S2', 'It is fine.', 6.1, 7],
    [null, 'Mhm.', 7.1, 7.4],
    ['S1', 'Good.', 7.5, 9],
  ),
})

describe('a text with speakers', () => {
  it('a timed text has one line per turn, with names if known', () => {
    expect(timedText(talk).split('\n')).toEqual([
      '[0:00] Alice: Shall we begin? The budget first.',
      '[0:06] S2: It is fine.',
      '[0:07] ?: Mhm.',
      '[0:07] Alice: Good.',
    ])
  })

  it('a plain text has one block per turn, and a gap has no speaker', () => {
    const gaps = [{ start: 6.5, end: 7.05, reason: 'X: y' }]
    const holed = { ...talk, coverage: { ...talk.coverage, gaps } }
    expect(plainText(holed).split('\n\n')).toEqual([
      'Alice: Shall we begin? The budget first.',
      'S2: It is fine.',
      '[no text from 0:06 to 0:07: X: y]',
      '?: Mhm.',
      'Alice: Good.',
    ])
  })

  it('a long turn is split into paragraphs, as is one with a long silence', () => {
    const sentences = Array.from({ length: 14 }, (_, i): Spoken => ['S1', `No ${i}.`, i * 3, i * 3 + 2])
    const long = transcript({ speakers: [second], segments: said(...sentences, ['S1', 'Back.', 60, 61]) })
    const lines = timedText(long).split('\n')
    expect(lines.map(line => /^\[\d:\d\d\] S1: /.test(line))).toEqual([true, true, true])
    expect(lines[2]).toBe('[1:00] S1: Back.')
  })

  it('a text has no speaker marks if no speakers were detected or requested', () => {
    const segments = said([null, 'One.', 0, 2], [null, 'Two.', 2, 4])
    expect(timedText(transcript({ speakers: [], segments }))).toBe('[0:00] ?: One. Two.')
    expect(timedText(transcript({ segments: [segment('One.', 0, 2)] }))).toBe('[0:00] One.')
  })

  it('an outline has speakers', () => {
    expect(outline(talk)).toBe('[0:00] Alice: Shall we begin? The budget first.')
  })

  it('a markdown export lists speaker shares and explains the mark for unknown speakers', () => {
    const odd = { ...talk, speakers: [{ ...alice, name: '*Al*' }, second] }
    expect(outputFormats.md.render(odd).split('\n\n').slice(2)).toEqual([
      'Speakers: \\*Al\\* 75 %, S2 25 %',
      '> "?:" marks speech whose speaker is unknown.',
      '**[0:00] \\*Al\\*:** Shall we begin? The budget first.',
      '**[0:06] S2:** It is fine.',
      '**[0:07] ?:** Mhm.',
      '**[0:07] \\*Al\\*:** Good.\n',
    ])
  })

  it('a json export has speaker ids and names', () => {
    const json = JSON.parse(outputFormats.json.render(talk))
    expect(json).toMatchObject({ speakers: talk.speakers, upload: 'bucket', alignment: { time_only: 0.03 } })
    expect(json.segments.map(({ speaker }: Segment) => speaker)).toEqual(['S1', 'S1', 'S2', null, 'S1'])
  })
})

describe('subtitles with speakers', () => {
  it('an SRT cue starts with its speaker', () => {
    const blocks = outputFormats.srt.render(talk).split('\n\n')
    expect(blocks.map(block => block.trim().split('\n').slice(2).join('|'))).toEqual([
      ...['Alice: Shall we begin?', 'Alice: The budget first.', 'S2: It is fine.', '?: Mhm.', 'Alice: Good.'],
    ])
  })

  it.each([
    ['Interviewer from Berlin A', 'Interviewer from Berlin B', ['S1: One.', 'S2: Two.', 'S1: Three.']],
    ['Interviewer from Berlin', 'Interviewer from Berlin', Array(3).fill('Interviewer from…: ')],
    ['Interviewer from Berlin', 'Bob', ['Interviewer from…: One.', 'Bob: Two.', 'Interviewer from…: Three.']],
  ])('SRT distinguishes the speakers %s and %s', (one, other, beginnings) => {
    const both = transcript({
      speakers: [
        { ...alice, name: one },
        { ...second, name: other },
      ],
      segments: said(['S1', 'One.', 0, 2], ['S2', 'Two.', 3, 5], ['S1', 'Three.', 6, 8]),
    })
    const shown = cues(both, { namesInText: true }).map(({ lines }) => lines.join(' '))
    for (const [i, beginning] of beginnings.entries()) expect(shown[i]!.startsWith(beginning)).toBe(true)
    expect(outputFormats.vtt.render(both)).toContain(`<v ${other}>Two.`)
  })

  it('a VTT cue has a voice tag, also for names with markup', () => {
    expect(outputFormats.vtt.render(talk)).toContain('\n<v Alice>Shall we begin?\n')
    const odd = { ...talk, speakers: [{ ...alice, name: 'A <b> & Co -->' }, second] }
    const text = outputFormats.vtt.render(odd)
    expect(text).toContain('\n<v A &lt;b&gt; &amp; Co --&gt;>Shall we begin?\n')
    expect(text.match(/-->/g)).toHaveLength(5)
  })

  it('subtitles show an interjection during another speaker’s words', () => {
    const both = transcript({
      speakers: [alice, second],
      segments: said(
        ['S1', 'A long sentence that goes on and on. '.repeat(6), 0, 20],
        ['S2', 'Yes.', 9, 9.5],
      ),
    })
    const all = cues(both)
    const [answer] = all.filter(({ speaker }) => speaker === 'S2')
    expect(answer!.start).toBeGreaterThanOrEqual(9)
    expect(answer!.start).toBeLessThan(10.5)
    for (const { start, end } of all) expect(end - start).toBeGreaterThanOrEqual(0.499)
  })

  const turn = fc.record({
    speaker: fc.constantFrom('S1', 'S2', 'S3', null),
    words: fc.array(fc.constantFrom('yes', 'interdepartmental', '好的', 'x'.repeat(60), 'so.'), {
      minLength: 1,
      maxLength: 40,
    }),
    start: fc.double({ min: 0, max: 100, noNaN: true }),
    seconds: fc.double({ min: 0, max: 40, noNaN: true }),
  })
  const names = fc.constantFrom(
    'Al',
    'Bartholomew Featherstonehaugh-Cholmondeley',
    '欧阳诸葛司马上官夏侯东方',
  )

  it('subtitle lines with names fit, are in order, and contain each word once', () => {
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 8 }), names, (turns, name) => {
        turns.sort((a, b) => a.start - b.start)
        const segments = said(
          ...turns.map(
            ({ speaker, words, start, seconds }): Spoken => [
              speaker,
              words.join(' '),
              start,
              start + seconds,
            ],
          ),
        )
        const all = cues(transcript({ speakers: [{ ...alice, name }, second], segments }), {
          namesInText: true,
        })
        let free = 0
        for (const { lines, start, end } of all) {
          expect(lines.length).toBeLessThanOrEqual(2)
          for (const line of lines) expect(columns(line)).toBeLessThanOrEqual(42.001)
          expect(start).toBeGreaterThanOrEqual(free)
          expect(end).toBeGreaterThan(start)
          free = end
        }
        for (const [id, label] of Object.entries({ S1: name, S2: 'S2', S3: 'S3', null: '?' })) {
          const shown = all.filter(({ speaker }) => speaker === label).map(({ lines }) => lines.join(' '))
          const spoken = segments.filter(({ speaker }) => String(speaker) === id).map(({ text }) => text)
          expect(bare(shown.map(text => text.slice(text.indexOf(': ') + 2)))).toBe(bare(spoken))
        }
      }),
      { seed: 20261124, numRuns: 300 },
    )
  })
})

const bare = (texts: string[]) => texts.join('').replace(/\s+/g, '')
const columns = (line: string) =>
  [...line].reduce((sum, sign) => sum + (/[\u2000-\uffff]/.test(sign) ? 42 / 18 : 1), 0)

describe('search excerpts', () => {
  it('a search excerpt names its speaker, and a search for a name shows the speaker’s first words', () => {
    expect(excerpts(talk, 'fine')).toEqual([{ start: 6.1, text: 'It is fine.', speaker: 'S2' }])
    expect(excerpts(talk, 'ALI').map(({ start }) => start)).toEqual([0, 4.5, 7.5])
    expect(excerpts(talk, 'alice fine').map(({ start }) => start)).toEqual([0, 4.5, 6.1])
    expect(excerpts(transcript({ segments: [segment('Fine.', 0, 1)] }), 'fine')).toEqual([
      { start: 0, text: 'Fine.' },
    ])
  })
})

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
      segments: said(...words),
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
    ['someone who is not there', talk.id, /There are S1 \(Alice\), S2\.$/],
    ['anyone in a transcript without speakers', speakerless.id, /diarize_audio\.$/],
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
  ])('speaker names are not changed by %s', async (_, wish, reason) => {
    const { isError, text } = await system.call('update_transcript', { transcript_id: talk.id, ...wish })
    expect(isError).toBe(true)
    expect(text).toMatch(/^BAD_INPUT: /)
    expect(text).toMatch(reason)
  })
})
