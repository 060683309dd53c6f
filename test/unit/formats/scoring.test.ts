// RTTM and CTM: fields, order, names and spellings as the scoring tools read them.
import { describe, expect, it } from 'vitest'
import type { FormatName } from '../../../src/formats/index.ts'
import { rendered } from '../../support/rendered.ts'
import { type Spoken, spokenSegments, talk } from '../../support/speaker-transcript.ts'
import { type Facts, segment, transcript } from '../../support/transcripts.ts'

const linesOf = async (format: FormatName, facts: Facts) =>
  (await rendered(transcript(facts), format)).split('\n').slice(0, -1)

describe('rttm', () => {
  it('RTTM has a line for each speaker, then the turns with start and duration in ten fields', async () => {
    expect((await rendered(talk, 'rttm')).split('\n')).toEqual([
      'SPKR-INFO Budget_talk 1 <NA> <NA> <NA> unknown Alice <NA> <NA>',
      'SPKR-INFO Budget_talk 1 <NA> <NA> <NA> unknown S2 <NA> <NA>',
      'SPKR-INFO Budget_talk 1 <NA> <NA> <NA> unknown unknown <NA> <NA>',
      'SPEAKER Budget_talk 1 0.000 2.000 <NA> <NA> Alice <NA> <NA>',
      'SPEAKER Budget_talk 1 4.500 1.500 <NA> <NA> Alice <NA> <NA>',
      'SPEAKER Budget_talk 1 6.100 0.900 <NA> <NA> S2 <NA> <NA>',
      'SPEAKER Budget_talk 1 7.100 0.300 <NA> <NA> unknown <NA> <NA>',
      'SPEAKER Budget_talk 1 7.500 1.500 <NA> <NA> Alice <NA> <NA>',
      '',
    ])
  })

  it('the turns are in the order of time, and those of one speaker never overlap', async () => {
    const segments = spokenSegments(
      ['S1', 'One.', 0, 4],
      ['S1', 'Two.', 4, 6],
      ['S1', 'Three.', 5, 8],
      ['S2', 'Meanwhile.', 1, 3],
      ['S1', 'Later.', 9, 9],
    )
    const turns = (await linesOf('rttm', { segments })).filter(line => line.startsWith('SPEAKER'))
    expect(turns.map(line => line.split(' ').slice(3, 8).join(' '))).toEqual([
      '0.000 8.000 <NA> <NA> S1',
      '1.000 2.000 <NA> <NA> S2',
      '9.000 0.001 <NA> <NA> S1',
    ])
  })

  it('two speakers with the same name keep their ids', async () => {
    const speakers = ['S1', 'S2', 'S3'].map((id, i) => ({
      id,
      name: i < 2 ? 'Ann Lee' : 'Bo',
      seconds: 1,
      share: 0.3,
    }))
    const segments = spokenSegments(['S1', 'a', 0, 1], ['S2', 'b', 1, 2], ['S3', 'c', 2, 3])
    const infos = (await linesOf('rttm', { speakers, segments })).slice(0, 3)
    expect(infos.map(line => line.split(' ')[7])).toEqual(['S1', 'S2', 'Bo'])
  })

  it('a name that is the id of another speaker or the mark of unknown speech makes no two speakers one', async () => {
    const names = ['Ann', 'Ann', 'S1', 'unknown', 'Bo']
    const speakers = names.map((name, i) => ({ id: `S${i + 1}`, name, seconds: 1, share: 0.2 }))
    const spoken = [...speakers.map(({ id }) => id), null]
    const segments = spokenSegments(...spoken.map((id, i) => [id, 'a', i, i + 1] as Spoken))
    const infos = (await linesOf('rttm', { speakers, segments })).slice(0, 6)
    expect(infos.map(line => line.split(' ')[7])).toEqual(['S1', 'S2', 'S3', 'S4', 'Bo', 'unknown'])
  })

  it('speech of a transcript without speakers is that of one unknown speaker', async () => {
    const lines = await linesOf('rttm', { segments: [segment('One.', 0, 1), segment('Two.', 3, 4)] })
    expect(lines.map(line => line.split(' ')[7])).toEqual(['unknown', 'unknown', 'unknown'])
  })
})

describe('ctm', () => {
  it('CTM has a line for each word by time over all speakers; an estimated one has no confidence', async () => {
    const words = [
      { text: 'No,', start: 0.4, end: 0.6 },
      { text: 'stop!', start: 1.5, end: 2 },
    ]
    const segments = [
      { ...segment('Well done.', 0, 2), speaker: 'S1' },
      { ...segment('No, stop!', 0.4, 2), words, estimated: false, speaker: 'S2' },
    ]
    expect(await linesOf('ctm', { title: 'Our talk', segments })).toEqual([
      'Our_talk 1 0.000 1.000 well NA',
      'Our_talk 1 0.400 0.200 no',
      'Our_talk 1 1.000 1.000 done NA',
      'Our_talk 1 1.500 0.500 stop',
    ])
  })

  it.each([
    ['École, ÜBER “Straße”!', ['école', 'über', 'straße']],
    ['It’s 3.14 (um) and/or {b}', ["it's", '3.14', 'um', 'and-or', 'b']],
    [';; % @ - / well-known U.S.', ['well-known', 'u.s']],
    ['今日は。', ['今', '日', 'は']],
    ['สวัสดีครับ', ['สวัสดี', 'ครับ']],
  ])(
    'the words of %j are in lower case, without marks that sclite takes for its own',
    async (text, words) => {
      const lines = await linesOf('ctm', { segments: [segment(text, 0, 5)] })
      expect(lines.map(line => line.split(' ')[4])).toEqual(words)
    },
  )

  it('CTM has the recognised words, also where a formatted text leaves some out', async () => {
    const { formatted } = { formatted: { of: '', segments: [segment('Fine.', 0, 1)] } }
    const facts = { segments: [segment('um fine', 0, 1)], formatted } as unknown as Facts
    expect((await linesOf('ctm', facts)).map(line => line.split(' ')[4])).toEqual(['um', 'fine'])
  })

  it.each([
    [';; notes', '_notes'],
    ['  a\tb  ', 'a_b'],
    ['', 'recording'],
  ])('the title %j is a field that begins no comment', async (title, field) => {
    expect((await linesOf('ctm', { title, segments: [segment('a', 0, 1)] }))[0]).toBe(
      `${field} 1 0.000 1.000 a NA`,
    )
  })

  it('an empty transcript gives an empty file', async () => {
    expect(await rendered(transcript({ segments: [] }), 'ctm')).toBe('')
    expect(await rendered(transcript({ segments: [] }), 'rttm')).toBe('')
  })
})
