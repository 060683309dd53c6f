// Words of a result file: valid times, and no text lost.
import { describe, expect, it } from 'vitest'
import { type RawWord, sentences, word, words } from '../../../../support/servers/result-files.ts'

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
      'punctuation joins the word before it',
      [word('¿', 0, 500), word('a', 1000, 1500), word('?', 2000, 2500), word(' b', 3000, 3500)],
      [
        ['¿a? ', 1, 1.5],
        ['b', 3, 3.5],
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
  ])('the times of words are valid: %s', async (_, given, expected) => {
    const result = await words(given)
    expect(result!.map(({ text, start, end }) => [text, start, end])).toEqual(expected)
  })

  it('there are no words when none has a time, but their text is kept', async () => {
    expect(await sentences({ begin_time: 0, end_time: 1000, words: [word('a '), word('b')] })).toEqual([
      { start: 0, end: 1, text: 'a b' },
    ])
  })

  it('a word of another type does not remove any text', async () => {
    expect(await sentences({ begin_time: 0, end_time: 1000, text: 'a b', words: ['a', 7] })).toEqual([
      { start: 0, end: 1, text: 'a b' },
    ])
  })
})
