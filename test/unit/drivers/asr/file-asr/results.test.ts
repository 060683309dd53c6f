// Result files: sentences in seconds with their words and speakers, and the odd cases of both families.
import { describe, expect, it } from 'vitest'
import { readResultOf, sentences, word } from '../../../../support/servers/result-files.ts'
import { listResult, listTask, singleResult, singleTask } from '../../../../support/servers/task-server.ts'

describe('a result', () => {
  it('a result of fun-asr has sentences, words with their spaces, and a speaker', async () => {
    expect(await readResultOf(listResult)).toEqual({
      seconds: 9,
      costUsd: 0.000315,
      url: 'https://b/transcribed.mp3',
      sentences: [
        {
          start: 0.1,
          end: 3.82,
          text: 'Hello world, 这里。',
          speaker: 0,
          words: [
            { start: 0.1, end: 0.596, text: 'Hello ' },
            { start: 0.596, end: 0.844, text: 'world, ' },
            { start: 0.9, end: 1.2, text: '这' },
            { start: 1.2, end: 1.5, text: '里。' },
          ],
        },
      ],
    })
  })

  it('a result of qwen3-asr has a language and the address of the recording', async () => {
    expect(await readResultOf(singleResult, singleTask('http://127.0.0.1/r'))).toEqual({
      seconds: 3,
      costUsd: 0.000105,
      url: 'https://b/file.mp3',
      sentences: [
        {
          start: 0,
          end: 1.44,
          text: '欢迎。',
          language: 'zh',
          words: [
            { start: 0, end: 0.16, text: '欢' },
            { start: 1.12, end: 1.44, text: '迎。' },
          ],
        },
      ],
    })
  })

  it.each([
    ['duration', { duration: 9 }, 9],
    ['seconds', { seconds: 4 }, 4],
    ['nothing', {}, 0],
    ['something else', { duration: 'nine' }, 0],
  ])('a result is billed by the usage in %s', async (_, usage, seconds) => {
    expect((await readResultOf(listResult, listTask('http://127.0.0.1/r', usage))).seconds).toBe(seconds)
  })

  it('a result with several channels is in order of time', async () => {
    const channel = (channel_id: number, ...starts: number[]) => ({
      channel_id,
      sentences: starts.map(begin_time => ({
        begin_time,
        end_time: begin_time + 500,
        text: `${channel_id}`,
      })),
    })
    const { sentences } = await readResultOf({ transcripts: [channel(0, 0, 4000), channel(1, 2000, 6000)] })
    expect(sentences.map(({ start, text }) => [start, text])).toEqual([
      [0, '0'],
      [2, '1'],
      [4, '0'],
      [6, '1'],
    ])
  })

  it.each<[string, object, object[]]>([
    ['no transcript', { transcripts: [] }, []],
    ['no sentence and no text', { transcripts: [{ text: ' ', sentences: [] }] }, []],
    ['a sentence of blanks', { transcripts: [{ text: '', sentences: [{ text: ' ' }] }] }, []],
    [
      'a text alone: over what the content lasts',
      { transcripts: [{ text: 'All. ', content_duration_in_milliseconds: 3720 }] },
      [{ start: 0, end: 3.72, text: 'All.' }],
    ],
    [
      'a text alone: over what the file lasts',
      {
        properties: { original_duration_in_milliseconds: 5000 },
        transcripts: [{ text: 'All.', sentences: null }],
      },
      [{ start: 0, end: 5, text: 'All.' }],
    ],
    [
      'a text alone: over what was billed',
      { transcripts: [{ text: 'All.', sentences: 'none' }] },
      [{ start: 0, end: 9, text: 'All.' }],
    ],
  ])('a result is read with %s', async (_, result, expected) => {
    expect((await readResultOf(result)).sentences).toEqual(expected)
  })
})

describe('a sentence', () => {
  const at = { begin_time: 1000, end_time: 2000 }

  it('a sentence without words has no words', async () => {
    expect(
      await sentences(
        { ...at, text: 'One. ', words: [] },
        { begin_time: 3000, end_time: 4000, text: 'Two.' },
      ),
    ).toEqual([
      { start: 1, end: 2, text: 'One.' },
      { start: 3, end: 4, text: 'Two.' },
    ])
  })

  it('a sentence without a speaker has no speaker, not the first one', async () => {
    for (const speaker_id of [undefined, null, -1, 0.5, 'S1'])
      expect(await sentences({ ...at, text: 'One.', speaker_id })).toEqual([
        { start: 1, end: 2, text: 'One.' },
      ])
    expect(await sentences({ ...at, text: 'One.', speaker_id: 0 })).toMatchObject([{ speaker: 0 }])
  })

  it('a sentence and its words have no control characters', async () => {
    const given = [word('Well\x1b, ', 1000, 1200), word('no\x9b.', 1200, 1500)]
    const [sentence] = await sentences({ ...at, text: 'Well\x1b, no\x9b.', words: given })
    expect(JSON.stringify(sentence)).not.toMatch(/\\u|\x9b/)
    expect(sentence).toMatchObject({ text: 'Well , no .', words: [{}, {}] })
  })

  it('a sentence keeps the asterisks of censored words', async () => {
    const given = [word('Well, ', 1000, 1200), word('****', 1200, 1500), word('.', 1500, 1500)]
    expect(await sentences({ ...at, text: 'Well, ****.', words: given })).toMatchObject([
      { text: 'Well, ****.', words: [{ text: 'Well, ' }, { text: '****.' }] },
    ])
  })

  it('a sentence has the code fil for Filipino, and no invalid language', async () => {
    const result = await sentences(
      { ...at, text: 'Oo.', language: 'tl' },
      { ...at, text: 'x', language: 'Unknown!' },
    )
    expect(result.map(({ language }) => language)).toEqual(['fil', undefined])
  })

  it.each<[string, object, [number, number]]>([
    ['that lasts nothing is a moment', { begin_time: 1000, end_time: 1000 }, [1, 1.001]],
    ['that ends before it begins is a moment', { begin_time: 2000, end_time: 1000 }, [2, 2.001]],
    ['that begins before the file begins with it', { begin_time: -40, end_time: 1000 }, [0, 1]],
    ['without an end is a moment', { begin_time: 1000 }, [1, 1.001]],
    ['without times comes after the one before', {}, [0.5, 0.501]],
    [
      'with times of another kind comes after the one before',
      { begin_time: '1', end_time: [] },
      [0.5, 0.501],
    ],
  ])('the times of a sentence are valid: %s', async (_, times, [start, end]) => {
    const result = await sentences(
      { begin_time: 0, end_time: 500, text: 'First.' },
      { ...times, text: 'Kept.' },
    )
    expect(result[1]).toEqual({ start, end, text: 'Kept.' })
  })

  it('a sentence is as long as its words', async () => {
    const given = [word('One ', 900, 1200), word('two', 1800, 2300)]
    expect(await sentences({ ...at, text: 'One two', words: given })).toMatchObject([
      { start: 0.9, end: 2.3 },
    ])
  })

  it('a sentence without text or times takes them from its words', async () => {
    expect(await sentences({ words: [word('One ', 900, 1200), word('two', 1800, 2300)] })).toMatchObject([
      { start: 0.9, end: 2.3, text: 'One two' },
    ])
  })

  it('a sentence drops words that lack some of its text', async () => {
    const given = [word('One ', 1000, 1200), word('three.', 1700, 2000)]
    expect(await sentences({ ...at, text: 'One two three.', speaker_id: 1, words: given })).toEqual([
      { start: 1, end: 2, text: 'One two three.', speaker: 1 },
    ])
  })

  it('a sentence keeps its own text, however its words spell it', async () => {
    const given = [word('in ', 1000, 1100), word('twenty ', 1100, 1200), word('twenty', 1700, 2000)]
    expect(await sentences({ ...at, text: 'In 2020.', words: given })).toMatchObject([
      {
        text: 'In 2020.',
        words: [
          { start: 1, text: 'In ' },
          { start: 1.1, end: 2, text: '2020.' },
        ],
      },
    ])
  })

  it('a sentence that was cut takes the text of its words', async () => {
    const given = ['Hello ', 'world ', 'and ', 'everybody ', 'else.'].map((text, i) =>
      word(text, 1000 + i * 200, 1200 + i * 200),
    )
    for (const text of ['Hello world', 'Hel', '…'])
      expect(await sentences({ ...at, text, words: given })).toMatchObject([
        { text: 'Hello world and everybody else.' },
      ])
  })

  it('words without any space make a sentence without glued words', async () => {
    const given = [word('Hello', 1000, 1200), word('world', 1300, 1500, { punctuation: '.' })]
    expect(await sentences({ ...at, words: given })).toMatchObject([{ text: 'Hello world.' }])
    const chinese = [word('欢', 1000, 1200), word('迎', 1300, 1500, { punctuation: '。' })]
    expect(await sentences({ ...at, words: chinese })).toMatchObject([{ text: '欢迎。' }])
  })

  it('a sentence is split where the speaker of its words changes', async () => {
    const by = (speaker_id: unknown) => ({ speaker_id })
    const given = [
      word('Yes. ', 1000, 1200, by(0)),
      word('No', 1300, 1500, by(1)),
      word(', ', 1500, 1500, by(0)),
      word('never. ', 1500, 1700, by(1)),
      word('Oh.', 1800, 2000, by(null)),
    ]
    expect(await sentences({ ...at, text: 'Yes. No, never. Oh.', language: 'en', words: given })).toEqual([
      {
        start: 1,
        end: 1.2,
        text: 'Yes.',
        speaker: 0,
        language: 'en',
        words: [{ start: 1, end: 1.2, text: 'Yes. ' }],
      },
      {
        start: 1.3,
        end: 1.7,
        text: 'No, never.',
        speaker: 1,
        language: 'en',
        words: [
          { start: 1.3, end: 1.5, text: 'No, ' },
          { start: 1.5, end: 1.7, text: 'never. ' },
        ],
      },
      {
        start: 1.8,
        end: 2,
        text: 'Oh.',
        language: 'en',
        words: [{ start: 1.8, end: 2, text: 'Oh.' }],
      },
    ])
  })
})
