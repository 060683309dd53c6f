// The DashScope emulator: formatting of text by rule.
import { describe, expect, it } from 'vitest'
import { type DashscopeOptions, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { closedAfterEach } from '../../../support/closed-after-each.ts'
import { askQwen, textOf } from '../../../support/emulators/text-client.ts'
import { normalizedText, unpunctuatedTexts } from '../../../support/emulators/texts.ts'

const start = closedAfterEach((options: Partial<DashscopeOptions> = {}) =>
  startDashscope({ ffmpeg: 'none', ...options }),
)

describe('formatted text', () => {
  const write = async (text: string, system = '') => textOf(await askQwen(await start(), text, { system }))

  const punctuation = { Chinese: /。/, Japanese: /。/, mixed: /。/, Thai: /\p{L} \p{L}/u } as Record<
    string,
    RegExp
  >
  for (const [script, text] of Object.entries(unpunctuatedTexts)) {
    it(`formatting keeps the words and adds the same punctuation each time: ${script}`, async () => {
      const written = await write(text)
      expect(normalizedText(written)).toBe(normalizedText(text))
      expect(written.match(new RegExp(punctuation[script] ?? /\./, 'gu'))!.length).toBeGreaterThan(1)
      expect(await write(text)).toBe(written)
      expect(normalizedText(await write(written))).toBe(normalizedText(text))
    })
  }

  it('sentences begin with a capital letter and have at most two dozen words', async () => {
    const sentences = (await write(unpunctuatedTexts.English)).split(/(?<=[.?])\s+/)
    expect(sentences.length).toBeGreaterThan(4)
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^\p{Lu}.*[.?]$/u)
      expect(sentence.split(' ').length).toBeLessThan(25)
    }
  })

  it('sentence boundaries do not depend on where the text begins', async () => {
    const ends = (text: string) => new Set(text.match(/\S+[.?]/g))
    const whole = ends(await write(unpunctuatedTexts.English))
    const words = unpunctuatedTexts.English.split(' ')
    for (const from of [3, 8, 15, 22]) {
      const later = [...ends(await write(words.slice(from).join(' ')))].slice(1)
      expect(later.length).toBeGreaterThan(1)
      for (const end of later) expect(whole).toContain(end)
    }
  })

  it('existing punctuation is kept', async () => {
    const text = 'Is that so? Yes! "It is", she said; 3.5 percent, e.g. of 1,000.'
    expect((await write(text)).replace(/\s+/g, ' ')).toBe(text.replace('e.g. of', 'e.g. Of'))
    expect(await write('你好吗？我很好！')).toBe('你好吗？我很好！')
  })

  it('a sentence that begins with a question word ends with a question mark', async () => {
    expect(await write('where is it')).toBe('Where is it?')
    expect(await write('هل هذا صحيح')).toBe('هل هذا صحيح؟')
    expect(await write('你好吗')).toBe('你好吗？')
  })

  it('each line becomes a paragraph, and long lines are split into several', async () => {
    expect(await write('good morning\nhow are you\r\n\r\nfine')).toBe(
      'Good morning.\n\nHow are you?\n\nFine.',
    )
    const paragraphs = (await write(`${unpunctuatedTexts.English} ${unpunctuatedTexts.English}`)).split(
      '\n\n',
    )
    expect(paragraphs.length).toBeGreaterThan(1)
  })

  it('fillers are removed only if the instructions ask for it', async () => {
    const text = 'um so we uh went home, um. and эм that was 嗯 all uh'
    expect(await write(text, 'Add punctuation.')).toMatch(/^Um so we uh went home, um\./)
    expect(await write(text, 'Add punctuation. Keep the fillers.')).toMatch(/^Um so/)
    expect(await write(text, 'Add punctuation. Do not leave out fillers.')).toMatch(/^Um so/)
    const clean = 'So we went home. And that was all.'
    expect(await write(text, 'Add punctuation and leave the fillers out.')).toBe(clean)
    expect(await write(text, 'Leave out um, uh, эм and the like.')).toBe(clean)
    expect(await write('um caso que não', 'No words but fillers go: leave the fillers out.')).toContain(
      'Um caso',
    )
  })
})
