// Who said what: two hearings of one recording put together, whatever either of them lacks.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, noises } from '../../../../bench/diarize/compare.ts'
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../../../src/domain/ports.ts'
import { joinText } from '../../../../src/domain/text.ts'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { type Aligned, align } from '../../../../src/pipeline/diarization/align.ts'

const pace = 0.3

/** A sentence whose words take 0.3 s each, or 0.2 s a sign where words are not separated. */
function line(start: number, text: string, speaker?: number): RecognisedSentence {
  const isSpaced = /\s|[a-z]/i.test(text)
  const parts = isSpaced ? text.match(/\S+\s*/g)! : text.match(/[\p{L}\p{N}][^\p{L}\p{N}]*/gu)!
  const each = isSpaced ? pace : 0.2
  const words = parts.map((part, i) => ({ text: part, start: start + i * each, end: start + (i + 1) * each }))
  return { start, end: start + words.length * each, text, words, ...(speaker !== undefined && { speaker }) }
}

function hearing(...sentences: RecognisedSentence[]): FileRecognition {
  return { sentences, seconds: 0 }
}

/** The same speech as another model hears it: without speakers. */
function textOf(...sentences: RecognisedSentence[]): FileRecognition {
  return hearing(...sentences.map(({ speaker: _, ...sentence }) => sentence))
}

function shifted({ sentences }: FileRecognition, by: number): FileRecognition {
  const move = <T extends { start: number; end: number }>(span: T): T => ({
    ...span,
    start: span.start + by,
    end: span.end + by,
  })
  return hearing(
    ...sentences.map(sentence => ({ ...move(sentence), words: (sentence.words ?? []).map(move) })),
  )
}

function withoutWords({ sentences }: FileRecognition): FileRecognition {
  return hearing(...sentences.map(({ words: _, ...sentence }) => sentence))
}

/** `S1: …` for each segment. */
function lines({ segments }: Aligned): string[] {
  return segments.map(({ speaker, text }) => `${speaker}: ${text}`)
}

const question = line(1, 'When does the library open tomorrow morning?', 7)
const answer = line(3.4, 'At nine, as always on a Thursday.', 3)
const thanks = line(6, 'Thank you, then I will come by bus.', 7)
const talk = [question, answer, thanks]

const exchange = ['S1: When does the library open tomorrow morning?', 'S2: At nine, as always on a Thursday.']

describe('speakers', () => {
  it('are numbered by first appearance, with the time and share of each', () => {
    const { segments, speakers, alignment, warnings } = align(hearing(...talk), textOf(...talk), 10)
    expect(lines({ segments, speakers, warnings })).toEqual([
      ...exchange,
      'S1: Thank you, then I will come by bus.',
    ])
    expect(speakers).toEqual([
      { id: 'S1', voice: expect.any(String), seconds: 4.5, share: 0.682 },
      { id: 'S2', voice: expect.any(String), seconds: 2.1, share: 0.318 },
    ])
    expect(alignment).toEqual({ offset: 0, matched: 1, unassigned: 0, timeOnly: 0 })
    expect(warnings).toEqual([])
    expect(segments[1]).toMatchObject({ start: 3.4, end: 5.5, estimated: false })
    expect(segments[1]!.words![1]).toEqual({ text: 'nine,', start: 3.7, end: 4 })
    for (const { confidence } of segments) expect(confidence).toBeGreaterThan(0.9)
  })

  it.each([3.2, -0.8, 12])('are found with a clock that is %s s ahead, and the offset is told', offset => {
    const who = shifted(hearing(...[...talk, line(20, 'Mind the stairs behind the door.', 3)]), offset)
    const what = textOf(...talk, line(20, 'Mind the stairs behind the door.'))
    const found = align(who, what, 23)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(lines(found)[3]).toBe('S2: Mind the stairs behind the door.')
    expect(found.alignment!.offset).toBeCloseTo(offset, 1)
    expect(found.segments[0]!.start).toBe(1)
  })

  it('are not stretched where one model heard more at the end', () => {
    const more = line(60, 'And this nobody else has noticed at all.', 3)
    const found = align(hearing(...talk, more), textOf(...talk), 70)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment!.offset).toBe(0)
  })

  it('follow the words where times and words disagree', () => {
    const late = { ...answer, words: answer.words!.map((word, i) => (i < 2 ? { ...word, end: 5 } : word)) }
    const who = hearing({ ...question, end: 4.2 }, { ...late, start: 4.1 }, thanks)
    expect(lines(align(who, textOf(...talk), 10)).slice(0, 2)).toEqual(exchange)
  })

  it('change at the full stop where the words beside it were misheard', () => {
    const garbled = (sentence: RecognisedSentence, ...wrong: number[]) => ({
      ...sentence,
      words: sentence.words!.map((word, i) => (wrong.includes(i) ? { ...word, text: 'xyzzy ' } : word)),
    })
    const who = hearing(garbled(question, 5, 6), garbled(answer, 0, 1), thanks)
    expect(lines(align(who, textOf(...talk), 10)).slice(0, 2)).toEqual(exchange)
  })

  it('keep a word of assent inside the turn of another', () => {
    const before = line(1, 'So we took the ferry to the island', 0)
    const after = line(3.9, 'and walked up to the lighthouse before noon.', 0)
    const yes = line(3.45, 'Mm-hm.', 1)
    const found = align(hearing(before, yes, after), textOf(before, yes, after), 8)
    expect(lines(found)).toEqual([
      'S1: So we took the ferry to the island',
      'S2: Mm-hm.',
      'S1: and walked up to the lighthouse before noon.',
    ])
  })

  it('are told apart while both speak at once', () => {
    const one = line(1, 'Seventeen kiosks are waiting in the basement of Oakfield.', 0)
    const other = line(2.4, 'Nobody ordered printers.', 1)
    const mixed = [...one.words!, ...other.words!].sort((a, b) => a.start - b.start)
    const text = mixed.map(word => `${word.text.trim()} `)
    const what = hearing({
      start: 1,
      end: 4,
      text: text.join('').trim(),
      words: mixed.map((word, i) => ({ ...word, text: text[i]! })),
    })
    const said = new Map<string | null, string[]>()
    for (const { speaker, words } of align(hearing(one, other), what, 6).segments)
      said.set(speaker!, [...(said.get(speaker!) ?? []), ...words!.map(word => word.text)])
    expect(said.get('S1')!.join(' ')).toBe(one.text)
    expect(said.get('S2')!.join(' ')).toBe(other.text)
  })

  it('are told by time where one model knows none of the words, and that is said', () => {
    const mumbled = talk.map(sentence => line(sentence.start, 'ба бу бе бо ба бе ба бо', sentence.speaker))
    const found = align(hearing(...mumbled), textOf(...talk), 10)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment).toMatchObject({ matched: 0, timeOnly: 1 })
  })

  it('are found by when speech begins where the clock is ahead and no word is known', () => {
    const starts = Array.from({ length: 14 }, (_, i) => 1 + i * 3 + ((i * i) % 7) * 0.15)
    const said = starts.map((start, i) => line(start, 'This is another sentence of theirs.', i % 2))
    const mumbled = starts.map((start, i) => line(start, 'ба бу бе бо ба бе', i % 2))
    const found = align(shifted(hearing(...mumbled), 1.2), textOf(...said), 50)
    expect(found.alignment!.offset).toBeCloseTo(1.2, 1)
    expect(found.segments.map(({ speaker }) => speaker)).toEqual(starts.map((_, i) => `S${(i % 2) + 1}`))
  })

  it('have the same voices whatever of the words is known, and others in another hearing', () => {
    const who = hearing(line(0, 'Mm.', 3), ...talk)
    const voices = (...[first, second]: Parameters<typeof align>) =>
      Object.fromEntries(align(first, second, 10).speakers.map(({ id, voice }) => [id, voice]))
    const alone = voices(who, undefined, 10)
    const stored = JSON.parse(JSON.stringify(who)) as FileRecognition
    const together = voices(stored, textOf(...talk), 10)
    expect(together).toEqual({ S1: alone.S2, S2: alone.S1 })
    expect(alone.S1).not.toBe(alone.S2)
    for (const voice of Object.values(voices(hearing(...talk), undefined, 10)))
      expect(Object.values(alone)).not.toContain(voice)
  })

  it('are one everywhere where one person speaks', () => {
    const who = hearing({ ...question, speaker: 4 }, { ...thanks, speaker: 4 })
    const { segments, speakers } = align(who, textOf(...talk), 10)
    expect(segments.map(({ speaker }) => speaker)).toEqual(['S1', 'S1', 'S1'])
    expect(speakers).toMatchObject([{ id: 'S1', share: 1 }])
  })

  it('are taken as given from one model that tells both', () => {
    const both = hearing(...talk)
    const found = align(both, both, 10)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment).toEqual({ offset: 0, matched: 1, unassigned: 0, timeOnly: 0 })
  })
})

describe('what is not known', () => {
  const unlabelled = ({ speaker: _, ...sentence }: RecognisedSentence) => sentence

  it('has no speaker where the provider gave no label, and a warning says so', () => {
    const found = align(hearing(question, unlabelled(answer), thanks), textOf(...talk), 10)
    expect(lines(found)[1]).toBe('null: At nine, as always on a Thursday.')
    expect(found.segments[1]).not.toHaveProperty('confidence')
    expect(found.speakers.map(({ id }) => id)).toEqual(['S1'])
    expect(found.alignment!.unassigned).toBeCloseTo(7 / 22, 2)
    expect(found.warnings).toEqual([
      'About 32 % of the words have no speaker: the provider did not label them.',
    ])
  })

  it('is filled in inside a sentence whose other words are one speaker’s', () => {
    const whole = line(1, 'We will paint the whole bridge green this summer.', 0)
    const split = (from: number, to: number) => ({
      ...whole,
      start: whole.words![from]!.start,
      end: whole.words![to - 1]!.end,
      words: whole.words!.slice(from, to),
      text: whole
        .words!.slice(from, to)
        .map(word => word.text)
        .join('')
        .trim(),
    })
    const who = hearing(split(0, 6), unlabelled(split(6, 9)), line(5, 'Who pays for that paint?', 1))
    const found = align(who, textOf(whole, line(5, 'Who pays for that paint?')), 8)
    expect(lines(found)).toEqual([`S1: ${whole.text}`, 'S2: Who pays for that paint?'])
  })

  it('is left alone inside a sentence that two are known to speak in', () => {
    const who = hearing(
      line(1, 'We will paint', 0),
      unlabelled(line(1.9, 'the whole')),
      line(2.5, 'bridge green now.', 1),
    )
    const found = align(who, textOf(line(1, 'We will paint the whole bridge green now.')), 6)
    expect(lines(found)).toEqual(['S1: We will paint', 'null: the whole', 'S2: bridge green now.'])
  })

  it('is nobody’s where nobody was heard to speak', () => {
    const far = line(30, 'This was said in the corridor outside, far away from the table.')
    const found = align(hearing(...talk), textOf(...talk, far), 40)
    expect(lines(found)[3]).toBe(`null: ${far.text}`)
    expect(found.warnings[0]).toContain('no speaker was detected there')
  })

  it.each([
    ['no label at all', hearing(...talk.map(unlabelled)), 'did not tell speakers apart'],
    ['no speech', hearing(), 'recognised no speech'],
    ['no answer', undefined, 'failed'],
  ])('is all of it with %s', (_, who, why) => {
    const { segments, speakers, warnings } = align(who, textOf(...talk), 10)
    expect(segments.map(({ text }) => text)).toEqual(talk.map(({ text }) => text))
    expect(segments.every(({ speaker }) => speaker === null)).toBe(true)
    expect(speakers).toEqual([])
    expect(warnings).toEqual([expect.stringContaining(why)])
  })

  it('is all of it where the two hearings are not of the same speech', () => {
    const other = hearing(line(200, 'Quite different things were said here.', 0), line(300, 'Indeed so.', 1))
    const { segments, speakers, alignment, warnings } = align(other, textOf(...talk), 400)
    expect(segments.every(({ speaker }) => speaker === null)).toBe(true)
    expect(speakers).toEqual([])
    expect(alignment).toMatchObject({ unassigned: 1 })
    expect(warnings).toEqual([expect.stringContaining('match neither in words nor in time')])
  })

  it.each([
    ['failed', undefined],
    ['recognised nothing', hearing()],
  ])('leaves the text of the other model where the model for the text %s', (why, what) => {
    const found = align(hearing(...talk), what, 10)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(found.warnings).toEqual([expect.stringContaining(why)])
  })

  it.each([
    ['both failed', undefined, undefined],
    ['nothing was said', hearing(), hearing()],
  ])('is nothing where %s', (_, who, what) => {
    expect(align(who, what, 10)).toEqual({ segments: [], speakers: [], warnings: [] })
  })
})

describe('the text', () => {
  it('has no blanks in scripts that have none', () => {
    const [ask, tell] = [line(1, '今天下午开会吗？', 1), line(3, '不，明天上午九点。', 0)]
    const found = align(hearing(ask, tell), textOf(ask, tell), 6)
    expect(lines(found)).toEqual(['S1: 今天下午开会吗？', 'S2: 不，明天上午九点。'])
    expect(found.segments[1]!.words!.map(({ text }) => text).join('')).toBe('不，明天上午九点。')
  })

  it('keeps the marks that only the sentence has', () => {
    const bare = {
      ...answer,
      words: answer.words!.map(word => ({ ...word, text: word.text.replace(/[,.]/, '') })),
    }
    expect(lines(align(hearing(...talk), textOf(question, bare), 10))).toEqual(exchange)
  })

  it('is parted at sentences, so that it can be read', () => {
    const long = line(1, 'First we measure the hall. Then we paint, says Dr. Petrov. Is that clear?', 0)
    expect(lines(align(hearing(long), textOf(long), 10))).toEqual([
      'S1: First we measure the hall.',
      'S1: Then we paint, says Dr. Petrov.',
      'S1: Is that clear?',
    ])
  })

  it('is parted also where a sentence has no end', () => {
    const endless = line(1, Array.from({ length: 400 }, (_, i) => `word${i}`).join(' '), 0)
    const { segments } = align(hearing(endless), textOf(endless), 130)
    for (const { start, end } of segments) expect(end - start).toBeLessThanOrEqual(30)
    expect(segments.map(({ text }) => text).join(' ')).toBe(endless.text)
  })

  it('has the times of its sentences where the words have none', () => {
    const found = align(withoutWords(hearing(...talk)), withoutWords(textOf(...talk)), 10)
    expect(lines(found).slice(0, 2)).toEqual(exchange)
    expect(found.segments[0]).toMatchObject({ start: 1, end: question.end, estimated: false })
    expect(found.segments[0]).not.toHaveProperty('words')
  })

  it('keeps the language of each sentence', () => {
    const what = textOf({ ...question, language: 'en' }, { ...line(3.4, '九点。'), language: 'zh' })
    const { segments } = align(hearing(...talk), what, 10)
    expect(segments.map(({ language }) => language)).toEqual(['en', 'zh'])
  })

  it('survives times that make no sense', () => {
    const broken = talk.map(sentence => ({
      ...sentence,
      words: sentence.words!.map((word, i) =>
        i % 2 ? { ...word, end: word.start - 1 } : { ...word, start: 1e6 },
      ),
    }))
    const { segments } = align(hearing(...talk), textOf(...broken), 10)
    expect(segments.map(({ text }) => text).reduce(joinText)).toBe(talk.map(({ text }) => text).join(' '))
    expectSound(segments, 10)
  })

  it('comes out whole and in order, whatever the two models heard', () => {
    fc.assert(
      fc.property(anyHearing(true, 0), anyHearing(false, 1), fc.boolean(), (who, what, isSame) => {
        const { segments, speakers } = align(isSame ? what : who, what, 60)
        expect(segments.flatMap(({ words = [] }) => words.map(word => word.text))).toEqual(
          sorted(what).flatMap(({ words = [] }) => words.map(word => word.text.trim())),
        )
        expect(
          segments
            .map(({ text }) => text)
            .reduce(joinText, '')
            .replace(/\s+/g, ''),
        ).toBe(
          sorted(what)
            .map(({ text }) => text)
            .join('')
            .replace(/\s+/g, ''),
        )
        const order = [...new Set(segments.flatMap(({ speaker }) => speaker ?? []))]
        expect(order).toEqual(order.map((_, i) => `S${i + 1}`))
        expect(speakers.map(({ id }) => id)).toEqual(order)
        expectSound(segments, 60)
      }),
      { seed: 20261124, numRuns: 200 },
    )
  })

  it('of many hours is aligned without a table of all words with all words', () => {
    const vocabulary = Array.from({ length: 300 }, (_, i) => `w${((i * 7919) % 300).toString(36)}`)
    const many = Array.from({ length: 2500 }, (_, i) =>
      line(
        i * 4,
        `${Array.from({ length: 8 }, (_, k) => vocabulary[(i * i + k * 31) % 300]).join(' ')}.`,
        i % 3,
      ),
    )
    const { segments } = align(shifted(hearing(...many), 0.4), textOf(...many), 10_000)
    const wrong = segments.filter(({ speaker }, i) => speaker !== `S${(i % 3) + 1}`)
    expect(segments.length).toBe(2500)
    expect(wrong.length).toBeLessThan(5)
  })
})

describe('conversations with noise', () => {
  const promised = ['none', 'jitter 200 ms', 'offset 800 ms', '200 ms, 800 ms, turns', '300 ms, 2 s, turns']
  it.each(noises.filter(({ name }) => promised.includes(name)))('come out as promised: $name', noise => {
    expect(compare(noise, 12).missed).toEqual([])
  })
})

function expectSound(segments: Segment[], duration: number): void {
  for (const { start, end, confidence = 0, words = [] } of segments) {
    expect(start).toBeGreaterThanOrEqual(0)
    expect(end).toBeGreaterThanOrEqual(start)
    expect(end).toBeLessThanOrEqual(duration)
    expect(confidence).toBeGreaterThanOrEqual(0)
    expect(confidence).toBeLessThanOrEqual(1)
    for (const [i, word] of words.entries()) {
      expect(word.end).toBeGreaterThanOrEqual(word.start)
      if (i > 0) expect(word.start).toBeGreaterThanOrEqual(words[i - 1]!.start)
    }
  }
}

function sorted({ sentences }: FileRecognition): RecognisedSentence[] {
  return sentences.toSorted((a, b) => a.start - b.start)
}

/** Sentences anywhere in a minute, over each other too, some with damaged times; few words, so that many coincide. */
function anyHearing(hasSpeakers: boolean, minLength: number): fc.Arbitrary<FileRecognition> {
  const word = fc.record({
    text: fc.constantFrom('yes ', 'no, ', 'Hello ', 'bridge. ', '好', '。', '会议', 'は、', '… ', "don't "),
    length: fc.constantFrom(0.3, 0.1, 0, -0.2),
  })
  const sentence = fc
    .record({
      start: fc.integer({ min: 0, max: 59 }),
      words: fc.array(word, { minLength: 1, maxLength: 12 }),
      speaker: fc.constantFrom(undefined, 0, 1, 5),
    })
    .map(({ start, words, speaker }): RecognisedSentence => {
      const timed = words.map(
        ({ text, length }, i): RecognisedWord => ({
          text,
          start: start + i * 0.3,
          end: start + i * 0.3 + length,
        }),
      )
      const text = timed
        .map(word => word.text)
        .join('')
        .trim()
      const end = start + timed.length * 0.3
      return { start, end, text, words: timed, ...(hasSpeakers && speaker !== undefined && { speaker }) }
    })
  return fc.array(sentence, { minLength, maxLength: 8 }).map(sentences => ({ sentences, seconds: 0 }))
}
