// The clean style: the model may omit listed fillers, and nothing else.
import { describe, expect, it } from 'vitest'
import { type JudgeOptions, judge } from '../../../../src/pipeline/faithfulness/judge.ts'

type Row = [what: string, language: string | undefined, said: string, answered: string]

function cleaned(said: string, answered: string, options: Partial<JudgeOptions> = {}) {
  const { passages, removed, removals } = judge(said, answered, { style: 'clean', ...options })
  return {
    text: passages.map(({ text }) => text).join(' '),
    removed,
    removals,
    isAccepted: passages.every(({ kept }) => !kept),
  }
}

const count = (removed: Record<string, number>) =>
  Object.values(removed).reduce((sum, times) => sum + times, 0)

const removedFillers: [...Row, times: number][] = [
  ['at the beginning', 'en', 'um so that is it', 'So that is it.', 1],
  ['in the middle', 'en', 'so that uh is it', 'So that is it.', 1],
  ['at the end', 'en', 'so that is it erm', 'So that is it.', 1],
  ['in a row', 'en', 'so um uh um that is it', 'So that is it.', 3],
  ['drawn out', 'en', 'so ummm that uhhh is it', 'So that is it.', 2],
  ['between marks', 'en', 'So, um, that is, uh, it.', 'So that is it.', 2],
  ['in capitals', 'en', 'Um. So that is it. Hmm, yes.', 'So that is it. Yes.', 2],
  ['all but one', 'en', 'um so uh that is it', 'Um, so that is it.', 1],
  ['Russian', 'ru', 'э ну я эм не знаю ммм совсем', 'Ну, я не знаю совсем.', 3],
  ['Chinese', 'zh', '嗯我觉得呃这个很好', '我觉得这个很好。', 2],
  ['Japanese', 'ja', 'えーと明日はえっと雨でうーんたぶん', '明日は雨で、たぶん。', 3],
  ['Thai', 'th', 'เอ่อ วันนี้อากาศดี อืม มาก', 'วันนี้อากาศดีมาก', 2],
  ['Arabic', 'ar', 'اممم أنا لا أعرف', 'أنا لا أعرف.', 1],
  ['German', 'de', 'also äh ich komme ähm morgen', 'Also, ich komme morgen.', 2],
  ['French', 'fr', 'euh je ne sais pas', 'Je ne sais pas.', 1],
  ['Korean', 'ko', '으음 저는 잘 모르겠어요', '저는 잘 모르겠어요.', 1],
  [
    'English of an unnamed language',
    undefined,
    'um that is what we have and it works',
    'That is what we have, and it works.',
    1,
  ],
  ['Russian of an unnamed language', undefined, 'эм это было вы знаете', 'Это было, вы знаете.', 1],
]

const meaningfulWords: Row[] = [
  ['German "er"', 'de', 'das sagt er mir', 'Das sagt mir.'],
  ['German "er" of an unnamed language', undefined, 'das sagt er mir', 'Das sagt mir.'],
  ['German "um"', 'de', 'er kommt um zwei', 'Er kommt zwei.'],
  ['Portuguese "um"', 'pt', 'eu tenho um carro', 'Eu tenho carro.'],
  ['Portuguese "um" of an unnamed language', undefined, 'eu tenho um carro', 'Eu tenho carro.'],
  ['額 in a sum', 'zh', '这个金额很大', '这个金很大。'],
  ['那个', 'zh', '我要那个东西', '我要东西。'],
  ['那个 at the beginning', 'zh', '那个人很好', '人很好。'],
  ['就是', 'zh', '这就是我家', '这我家。'],
  ['あの', 'ja', '私はあの人が好きです', '私は人が好きです。'],
  ['まあ', 'ja', '味はまあいいです', '味はいいです。'],
  ['يعني', 'ar', 'هذا يعني أنك لا تعرف', 'هذا أنك لا تعرف.'],
  ['ну', 'ru', 'ну я не знаю', 'Я не знаю.'],
  ['это', 'ru', 'я это знаю', 'Я знаю.'],
  ['like', 'en', 'i like it so much', 'I it so much.'],
  ['you know', 'en', 'that you know is true', 'That is true.'],
  ['well', 'en', 'you did well today', 'You did today.'],
  ['so', 'en', 'it is so late', 'It is late.'],
  ['millimetres', 'en', 'it is 5 mm long', 'It is 5 long.'],
  ['an abbreviation', 'en', 'she works in the ER now', 'She works in the now.'],
  ['a part of a word', 'en', 'the umbrella is hers', 'The brella is hers.'],
  ['an "um" that another language has', 'de', 'es geht um alles', 'Es geht alles.'],
]

describe('a clean text', () => {
  it.each(removedFillers)(
    'fillers omitted by the model are removed: %s (%s)',
    (_, language, said, answered, times) => {
      const outcome = cleaned(said, answered, language === undefined ? {} : { language })
      expect(outcome).toMatchObject({ text: answered, isAccepted: true })
      expect(count(outcome.removed)).toBe(times)
      expect(outcome.removals).toHaveLength(times)
    },
  )

  it.each(meaningfulWords)('a meaningful word stays: %s (%s)', (_, language, said, answered) => {
    const { text, removed } = cleaned(said, answered, language === undefined ? {} : { language })
    const squeezed = (line: string) => line.toLowerCase().replace(/[\s\p{P}]/gu, '')
    expect(squeezed(text)).toBe(squeezed(said))
    expect(removed).toEqual({})
  })

  it('fillers of unspaced scripts are found, whether the model keeps or omits them', () => {
    const said = 'ผมอายุยี่สิบปีไม่ได้เตรียมรองเท้าไปด้วยอืมกลางทางฝนตกทางลื่นมาก'
    const without = 'ผมอายุยี่สิบปี ไม่ได้เตรียมรองเท้าไปด้วย กลางทางฝนตก ทางลื่นมาก'
    const spaced = without.replace('กลาง', 'อืม กลาง')
    expect(cleaned(said, spaced, { language: 'th' })).toMatchObject({ text: spaced, removed: {} })
    expect(cleaned(said, without, { language: 'th' })).toMatchObject({ text: without, isAccepted: true })
  })

  it('removed fillers are counted by name', () => {
    const { removed } = cleaned('um so um that uh is it', 'So that is it.', { language: 'en' })
    expect(removed).toEqual({ um: 2, uh: 1 })
  })

  it('removals have the offsets of the fillers', () => {
    const said = 'so um that uh is it'
    const { removals } = cleaned(said, 'So that is it.', { language: 'en' })
    expect(removals.map(({ at, length }) => said.slice(at, at + length))).toEqual(['um', 'uh'])
  })

  it('a filler that was never said is rejected', () => {
    const { text, isAccepted } = cleaned('so that is it', 'Um, so that is it.', { language: 'en' })
    expect(text).toBe('so that is it')
    expect(isAccepted).toBe(false)
  })

  it('a filler spelled longer or shorter is rejected', () => {
    for (const [said, answered] of [
      ['so hmm that is it', 'So hm, that is it.'],
      ['so um that is it', 'So ummm, that is it.'],
    ] as const)
      expect(cleaned(said, answered, { language: 'en' }).text).toBe(said)
  })

  it('fillers stay in a paragraph with changed words', () => {
    const { text, removed } = cleaned('so um that is all', 'So this is everything.', { language: 'en' })
    expect(text).toBe('so um that is all')
    expect(removed).toEqual({})
  })

  it.each(['', 'Um.', 'Okay.'])('a text of fillers alone counts only the removed ones (%j)', answered => {
    const { text, removed } = cleaned('um uh um', answered, { language: 'en' })
    expect(count(removed) + (text.match(/\p{L}+/gu)?.length ?? 0)).toBe(3)
  })

  it('a turn of a single filler stays', () => {
    const { text } = cleaned('is it true\nmm\ni see', 'Is it true?\n\nI see.', { language: 'en' })
    expect(text).toMatch(/mm/i)
  })

  it('a filler in the context does not count as removed', () => {
    const { text, removed } = cleaned('and so it went', 'And so it went.', {
      language: 'en',
      before: 'well um',
    })
    expect(text).toBe('And so it went.')
    expect(removed).toEqual({})
  })

  it('the faithful style keeps all fillers', () => {
    const { text, removed } = cleaned('um so that is it', 'So that is it.', {
      style: 'faithful',
      language: 'en',
    })
    expect(text).toBe('um So that is it.')
    expect(removed).toEqual({})
  })
})
