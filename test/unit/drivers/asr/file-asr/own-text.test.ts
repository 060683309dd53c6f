// The text of a sentence is its own; its words, which may lack spaces or be in pieces, only tell the times.
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../../../emulators/seeded-random.ts'
import { sentences, word } from '../../../../support/servers/result-files.ts'

/** `|` ends a word as sent, which lasts half a second; `~` is an end within a word of the text. */
const asSent = (marked: string) => marked.split(/[|~]/).map((text, i) => word(text, i * 500, i * 500 + 500))

const at = { begin_time: 0, end_time: 60_000 }

describe('words of a sentence', () => {
  // The text, the words as they were sent, and the words as they are read.
  it.each<[string, string, string, string[]]>([
    [
      'have lost their spaces',
      'We met in 90 days. You and I.',
      'We |met |in|90 |days.|You|and |I.',
      ['We ', 'met ', 'in ', '90 ', 'days. ', 'You ', 'and ', 'I.'],
    ],
    ['are in pieces', 'Glenn paid 90.', 'Gl~enn |paid |9~0|.', ['Glenn ', 'paid ', '90.']],
    ['have spaces in front', 'One two three.', 'One| two| three.', ['One ', 'two ', 'three.']],
    ['have a space that is a word', 'One two.', 'One| |two|.', ['One ', 'two.']],
    ['have no spaces at all', 'I know, you know.', 'I|know,|you|know.', ['I ', 'know, ', 'you ', 'know.']],
    ['are in other case and without marks', '“Yes,” he said.', 'yes |he |SAID', ['“Yes,” ', 'he ', 'said.']],
    ['have an apostrophe in pieces', "It's mine.", "It|'s |mine.", ["It's ", 'mine.']],
    [
      'are characters of Chinese',
      '我们在90天后见。',
      '我|们|在|9~0|天|后|见|。',
      ['我', '们', '在', '90', '天', '后', '见。'],
    ],
    ['are pieces of a name among Chinese', '用iPhone打。', '用|i~Phone|打。', ['用', 'iPhone', '打。']],
    ['are composed otherwise', 'Café là.', 'Cafe\u0301 |la\u0300.', ['Café ', 'là.']],
    [
      'stand for a number',
      'It was 1,500 then.',
      'It |was |fifteen |hundred |then.',
      ['It ', 'was ', '1,500 ', 'then.'],
    ],
    [
      'lack a few letters',
      'The colours are red.',
      'The |color |are |red.',
      ['The ', 'colours ', 'are ', 'red.'],
    ],
    ['repeat one', 'I think so, too.', 'I |I |think |so, |too.', ['I ', 'think ', 'so, ', 'too.']],
    ['are Korean in pieces', '안녕하세요 여러분', '안녕~하세요|여러분', ['안녕하세요 ', '여러분']],
    ['open with marks', '¿Qué? (No sé.)', '¿|Qué|?| (|No |sé|.)', ['¿Qué? ', '(No ', 'sé.)']],
  ])('%s', async (_, text, marked, expected) => {
    const [sentence, ...others] = await sentences({ ...at, text, words: asSent(marked) })
    expect(others).toEqual([])
    expect(sentence!.text).toBe(text)
    expect(sentence!.words!.map(word => word.text)).toEqual(expected)
  })

  it('begin and end with their pieces', async () => {
    const [sentence] = await sentences({ ...at, text: 'Glenn and I.', words: asSent('Gl~enn|and |I.') })
    expect(sentence!.words).toEqual([
      { start: 0, end: 1, text: 'Glenn ' },
      { start: 1, end: 1.5, text: 'and ' },
      { start: 1.5, end: 2, text: 'I.' },
    ])
  })

  it('of two speakers stay apart, with the text of the sentence', async () => {
    const words = asSent('Yes|no |never.').map((word, i) => ({ ...word, speaker_id: i === 0 ? 0 : 1 }))
    expect(await sentences({ ...at, text: 'Yes. No, never.', words })).toMatchObject([
      { speaker: 0, text: 'Yes.' },
      { speaker: 1, text: 'No, never.', words: [{ text: 'No, ' }, { text: 'never.' }] },
    ])
  })

  it('that have little to do with the text are left out', async () => {
    const words = asSent('something |else |was |said')
    expect(await sentences({ ...at, text: 'The quick brown fox jumps.', words })).toEqual([
      { start: 0, end: 60, text: 'The quick brown fox jumps.' },
    ])
  })

  it('never change the text of the sentence, and each of them is one of its words', async () => {
    const texts = [
      'We met in 90 days. You and I, Glenn, went to the restaurant; it was 1,500 km away!',
      'Ça va? — “Très bien”, dit-elle (vraiment). L’été, c’est l’été.',
      'Мы встретились в 2026 году. Ты и я, Глеб.',
      '我们在九十天后见面了。你和我，格伦。',
    ]
    for (let seed = 0; seed < 400; seed++) {
      const random = (...what: (string | number)[]) => seededRandom(seed, ...what)
      const text = texts[seed % texts.length]!
      const own = text.match(/\S+\s*|\s+/g)!
      const words = own.flatMap((part, i) => {
        const glued = random('glued', i) < 0.3 ? part.trimEnd() : part
        const cut = random('cut', i) < 0.3 ? 1 + Math.floor(random('at', i) * (glued.length - 1)) : 0
        const pieces = cut > 0 ? [glued.slice(0, cut), glued.slice(cut)] : [glued]
        return random('lost', i) < 0.05 ? [] : pieces
      })
      const sent = words.map((text, i) => word(text, i * 100, i * 100 + 100))
      const [sentence, ...others] = await sentences({ ...at, text, words: sent })
      expect(others).toEqual([])
      expect(sentence!.text).toBe(text)
      const read = sentence!.words ?? []
      if (read.length > 0) expect(read.map(word => word.text).join('')).toBe(text)
      if (seed % texts.length < 3)
        for (const { text } of read.slice(0, -1)) expect(text, `seed ${seed}`).toMatch(/\s$|—|\p{P}$/u)
    }
  })
})
