// Speakers in text, subtitles and search excerpts, with and without names.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../src/domain/transcript.ts'
import { excerpts } from '../../../src/formats/excerpts.ts'
import { outputFormats } from '../../../src/formats/index.ts'
import { type Cue, cues } from '../../../src/formats/subtitles/cues.ts'
import { outline, plainText, timedText } from '../../../src/formats/text.ts'
import { alice, type Spoken, second, spokenSegments, talk } from '../../support/speaker-transcript.ts'
import { segment, transcript } from '../../support/transcripts.ts'

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
    const long = transcript({
      speakers: [second],
      segments: spokenSegments(...sentences, ['S1', 'Back.', 60, 61]),
    })
    const lines = timedText(long).split('\n')
    expect(lines.map(line => /^\[\d:\d\d\] S1: /.test(line))).toEqual([true, true, true])
    expect(lines[2]).toBe('[1:00] S1: Back.')
  })

  it('a text has no speaker marks if no speakers were detected or requested', () => {
    const segments = spokenSegments([null, 'One.', 0, 2], [null, 'Two.', 2, 4])
    expect(timedText(transcript({ speakers: [], segments }))).toBe('[0:00] ?: One. Two.')
    expect(timedText(transcript({ segments: [segment('One.', 0, 2)] }))).toBe('[0:00] One.')
  })

  it('an outline has speakers', () => {
    expect(outline(talk)).toBe('[0:00] Alice: Shall we begin? The budget first.')
  })

  it('a markdown export lists speaker shares and explains the mark for unknown speakers', async () => {
    const odd = { ...talk, speakers: [{ ...alice, name: '*Al*' }, second] }
    expect((await outputFormats.md.render(odd)).split('\n\n').slice(2)).toEqual([
      'Speakers: \\*Al\\* 75 %, S2 25 %',
      '> "?:" marks speech whose speaker is unknown.',
      '**[0:00] \\*Al\\*:** Shall we begin? The budget first.',
      '**[0:06] S2:** It is fine.',
      '**[0:07] ?:** Mhm.',
      '**[0:07] \\*Al\\*:** Good.\n',
    ])
  })

  it('a json export has speaker ids and names', async () => {
    const json = JSON.parse(await outputFormats.json.render(talk))
    expect(json).toMatchObject({ speakers: talk.speakers, upload: 'bucket', alignment: { time_only: 0.03 } })
    expect(json.segments.map(({ speaker }: Segment) => speaker)).toEqual(['S1', 'S1', 'S2', null, 'S1'])
  })
})

describe('subtitles with speakers', () => {
  it('an SRT cue names its speaker where the speaker changes, and short answers share it', async () => {
    const blocks = (await outputFormats.srt.render(talk)).split('\n\n')
    expect(blocks.map(block => block.trim().split('\n').slice(2).join('|'))).toEqual([
      ...['Alice: Shall we begin?', 'The budget first.|S2: It is fine.', '?: Mhm.|Alice: Good.'],
    ])
  })

  it.each([
    ['Interviewer from Berlin A', 'Interviewer from Berlin B', ['S1: One.', 'S2: Two.', 'S1: Three.']],
    ['Interviewer from Berlin', 'Interviewer from Berlin', Array(3).fill('Interviewer from B…: ')],
    [
      'Interviewer from Berlin',
      'Bob',
      ['Interviewer from B…: One.', 'Bob: Two.', 'Interviewer from B…: Three.'],
    ],
  ])('SRT distinguishes the speakers %s and %s', async (one, other, beginnings) => {
    const both = transcript({
      speakers: [
        { ...alice, name: one },
        { ...second, name: other },
      ],
      segments: spokenSegments(['S1', 'One.', 0, 2], ['S2', 'Two.', 3, 5], ['S1', 'Three.', 6, 8]),
    })
    const shown = (await cues(both, { namesInText: true })).map(textOf)
    for (const [i, beginning] of beginnings.entries()) expect(shown[i]!.startsWith(beginning)).toBe(true)
    expect(await outputFormats.vtt.render(both)).toContain(`<v ${other}>Two.`)
  })

  it('a VTT cue has a voice tag, also for names with markup', async () => {
    expect(await outputFormats.vtt.render(talk)).toContain('\n<v Alice>Shall we begin?\n')
    const odd = { ...talk, speakers: [{ ...alice, name: 'A <b> & Co -->' }, second] }
    const text = await outputFormats.vtt.render(odd)
    expect(text).toContain('\n<v A ＜b＞ ＆ Co --＞>Shall we begin?\n')
    expect(text.match(/-->/g)).toHaveLength(3)
  })

  it('subtitles show an interjection during another speaker’s words', async () => {
    const both = transcript({
      speakers: [alice, second],
      segments: spokenSegments(
        ['S1', 'A long sentence that goes on and on. '.repeat(6), 0, 20],
        ['S2', 'Yes.', 9, 9.5],
      ),
    })
    const all = await cues(both)
    const [answer] = all.filter(({ lines }) => lines.some(({ speaker }) => speaker === 'S2'))
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

  it('subtitle lines with names fit, are in order, and contain each word once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 8 }), names, async (turns, name) => {
        turns.sort((a, b) => a.start - b.start)
        const segments = spokenSegments(
          ...turns.map(
            ({ speaker, words, start, seconds }): Spoken => [
              speaker,
              words.join(' '),
              start,
              start + seconds,
            ],
          ),
        )
        const all = await cues(transcript({ speakers: [{ ...alice, name }, second], segments }), {
          namesInText: true,
        })
        let free = 0
        for (const { lines, start, end } of all) {
          expect(lines.length).toBeLessThanOrEqual(2)
          for (const { text } of lines) expect(fullness(text)).toBeLessThanOrEqual(1)
          expect(start).toBeGreaterThanOrEqual(free)
          expect(end).toBeGreaterThan(start)
          free = end
        }
        for (const [id, label] of Object.entries({ S1: name, S2: 'S2', S3: 'S3', null: '?' })) {
          const shown = all.flatMap(({ lines }) => lines.filter(({ speaker }) => speaker === label))
          const spoken = segments.filter(({ speaker }) => String(speaker) === id).map(({ text }) => text)
          expect(bare(shown.map(({ text, prefix }) => text.slice(prefix.trimEnd().length)))).toBe(
            bare(spoken),
          )
        }
      }),
      { seed: 20261124, numRuns: 100 },
    )
  })
})

const bare = (texts: string[]) => texts.join('').replace(/\s+/g, '')
const textOf = ({ lines }: Cue) => lines.map(({ text }) => text).join(' ')
const fullness = (line: string) => {
  const wide = [...line].filter(sign => /[\u3000-\uffef]/.test(sign)).length
  return wide > 0 ? (wide + ([...line].length - wide) / 2) / 16 : [...line].length / 42
}

describe('search excerpts', () => {
  it('a search excerpt names its speaker, and a search for a name shows the speaker’s first words', async () => {
    expect(await excerpts(talk, 'fine')).toEqual([{ start: 6.1, text: 'It is fine.', speaker: 'S2' }])
    expect((await excerpts(talk, 'ALI')).map(({ start }) => start)).toEqual([0, 4.5, 7.5])
    expect((await excerpts(talk, 'alice fine')).map(({ start }) => start)).toEqual([0, 4.5, 6.1])
    expect(await excerpts(transcript({ segments: [segment('Fine.', 0, 1)] }), 'fine')).toEqual([
      { start: 0, text: 'Fine.' },
    ])
  })
})
