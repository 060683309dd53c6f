// What a result file becomes: sentences in seconds, with their words and speakers, whatever was odd about it.
import { describe, expect, it } from 'vitest'
import type { FileRecognition, RecognisedSentence } from '../../../../../src/domain/ports.ts'
import { fileAsr } from '../../../../../src/drivers/asr/file-asr/file-asr.ts'
import { listResult, listTask, singleResult, singleTask } from '../../../../support/servers/task-server.ts'

const never = new AbortController().signal

/** The hearing that a recogniser gives when this is the result file of a task that is done. */
async function hear(
  result: unknown,
  task: object = listTask('http://127.0.0.1/r'),
): Promise<FileRecognition> {
  const recogniser = fileAsr({
    cloud: { baseUrl: 'http://127.0.0.1/api/v1', call: async () => task },
    http: { fetchText: async () => ({ status: 200, text: JSON.stringify(result) }) },
    model: 'fun-asr',
    role: 'speakers',
  })
  const status = await recogniser.status('t', never)
  if (status.state !== 'done') throw new Error(JSON.stringify(status))
  return status.recognition
}

interface RawWord {
  begin_time?: unknown
  end_time?: unknown
  text?: unknown
  punctuation?: unknown
  speaker_id?: unknown
}

const word = (text: string, begin_time?: number, end_time?: number, more: RawWord = {}): RawWord => ({
  text,
  begin_time,
  end_time,
  punctuation: '',
  ...more,
})

async function sentences(...all: object[]): Promise<RecognisedSentence[]> {
  return (await hear({ transcripts: [{ channel_id: 0, text: 'x', sentences: all }] })).sentences
}

async function words(given: RawWord[], sentence: object = {}): Promise<RecognisedSentence['words']> {
  const [only, ...others] = await sentences({ begin_time: 0, end_time: 10_000, words: given, ...sentence })
  expect(others).toEqual([])
  return only!.words
}

describe('a result', () => {
  it('of fun-asr has sentences, words with their blanks, and a speaker', async () => {
    expect(await hear(listResult)).toEqual({
      seconds: 9,
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

  it('of qwen3-asr has a language, and says itself what was heard', async () => {
    expect(await hear(singleResult, singleTask('http://127.0.0.1/r'))).toEqual({
      seconds: 3,
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
  ])('is billed for what the usage calls %s', async (_, usage, seconds) => {
    expect((await hear(listResult, listTask('http://127.0.0.1/r', usage))).seconds).toBe(seconds)
  })

  it('with several channels is in the order of time', async () => {
    const channel = (channel_id: number, ...starts: number[]) => ({
      channel_id,
      sentences: starts.map(begin_time => ({
        begin_time,
        end_time: begin_time + 500,
        text: `${channel_id}`,
      })),
    })
    const { sentences } = await hear({ transcripts: [channel(0, 0, 4000), channel(1, 2000, 6000)] })
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
  ])('with %s', async (_, result, expected) => {
    expect((await hear(result)).sentences).toEqual(expected)
  })
})

describe('a sentence', () => {
  const at = { begin_time: 1000, end_time: 2000 }

  it('without words has none', async () => {
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

  it('without a speaker has none, which is not the first one', async () => {
    for (const speaker_id of [undefined, null, -1, 0.5, 'S1'])
      expect(await sentences({ ...at, text: 'One.', speaker_id })).toEqual([
        { start: 1, end: 2, text: 'One.' },
      ])
    expect(await sentences({ ...at, text: 'One.', speaker_id: 0 })).toMatchObject([{ speaker: 0 }])
  })

  it('keeps the stars of the provider’s list of words', async () => {
    const given = [word('Well, ', 1000, 1200), word('****', 1200, 1500), word('.', 1500, 1500)]
    expect(await sentences({ ...at, text: 'Well, ****.', words: given })).toMatchObject([
      { text: 'Well, ****.', words: [{ text: 'Well, ' }, { text: '****.' }] },
    ])
  })

  it('speaks Filipino under our code, and no language that is none', async () => {
    const heard = await sentences(
      { ...at, text: 'Oo.', language: 'tl' },
      { ...at, text: 'x', language: 'Unknown!' },
    )
    expect(heard.map(({ language }) => language)).toEqual(['fil', undefined])
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
  ])('%s', async (_, times, [start, end]) => {
    const heard = await sentences(
      { begin_time: 0, end_time: 500, text: 'First.' },
      { ...times, text: 'Kept.' },
    )
    expect(heard[1]).toEqual({ start, end, text: 'Kept.' })
  })

  it('is as long as its words', async () => {
    const given = [word('One ', 900, 1200), word('two', 1800, 2300)]
    expect(await sentences({ ...at, text: 'One two', words: given })).toMatchObject([
      { start: 0.9, end: 2.3 },
    ])
  })

  it('comes of its words where it has no text or times of its own', async () => {
    expect(await sentences({ words: [word('One ', 900, 1200), word('two', 1800, 2300)] })).toMatchObject([
      { start: 0.9, end: 2.3, text: 'One two' },
    ])
  })

  it('does without words that have lost some of it', async () => {
    const given = [word('One ', 1000, 1200), word('three.', 1700, 2000)]
    expect(await sentences({ ...at, text: 'One two three.', speaker_id: 1, words: given })).toEqual([
      { start: 1, end: 2, text: 'One two three.', speaker: 1 },
    ])
  })

  it('is what its words say where they say more', async () => {
    const given = [word('twenty ', 1000, 1200), word('twenty', 1700, 2000)]
    expect(await sentences({ ...at, text: '2020', words: given })).toMatchObject([{ text: 'twenty twenty' }])
  })

  it('is parted where the speaker of its words changes', async () => {
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

describe('a word', () => {
  it.each<[string, RawWord[], [string, number, number][]]>([
    [
      'that lasts nothing, or less, is a moment',
      [word('a ', 1000, 1000), word('b ', 2000, 1500), word('c', 3000, 3500)],
      [
        ['a ', 1, 1.001],
        ['b ', 2, 2.001],
        ['c', 3, 3.5],
      ],
    ],
    [
      'ends where the next one begins',
      [word('a ', 1000, 2500), word('b', 2000, 3000)],
      [
        ['a ', 1, 2],
        ['b', 2, 3],
      ],
    ],
    [
      'out of order goes with the one before it',
      [word('a ', 1000, 1500), word('b ', 2000, 2500), word('c ', 500, 700), word('d', 3000, 3500)],
      [
        ['a ', 1, 1.5],
        ['b c ', 2, 2.5],
        ['d', 3, 3.5],
      ],
    ],
    [
      'without a time goes with the one before it, or after it where it is the first',
      [word('a '), word('b ', 2000, 2500), word('c ', undefined, 2700), word('d', 3000, 3500)],
      [
        ['a b c ', 2, 2.5],
        ['d', 3, 3.5],
      ],
    ],
    [
      'far outside of its sentence goes with the one before it',
      [word('a ', 1000, 1500), word('b ', 99_000, 99_500), word('c', 3000, 3500)],
      [
        ['a b ', 1, 1.5],
        ['c', 3, 3.5],
      ],
    ],
    [
      'that is a mark goes with the one before it',
      [word('¿', 0, 500), word('a', 1000, 1500), word('?', 2000, 2500), word(' b', 3000, 3500)],
      [
        ['¿a?', 1, 1.5],
        [' b', 3, 3.5],
      ],
    ],
    [
      'is a word in Hindi and a character in Chinese',
      [word('नमस्ते ', 0, 500), word('你', 1000, 1500), word('好', 1500, 2000, { punctuation: '。' })],
      [
        ['नमस्ते ', 0, 0.5],
        ['你', 1, 1.5],
        ['好。', 1.5, 2],
      ],
    ],
  ])('%s', async (_, given, expected) => {
    const heard = await words(given)
    expect(heard!.map(({ text, start, end }) => [text, start, end])).toEqual(expected)
  })

  it('is not there where none has a time; the text is', async () => {
    expect(await sentences({ begin_time: 0, end_time: 1000, words: [word('a '), word('b')] })).toEqual([
      { start: 0, end: 1, text: 'a b' },
    ])
  })

  it('of another kind takes none of the text with it', async () => {
    expect(await sentences({ begin_time: 0, end_time: 1000, text: 'a b', words: ['a', 7] })).toEqual([
      { start: 0, end: 1, text: 'a b' },
    ])
  })
})
