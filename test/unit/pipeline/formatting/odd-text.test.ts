// Text that is hardly any: signs in halves and in many parts, garbage, endless words.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatText } from '../../../../src/pipeline/formatting/format-text.ts'
import { type WriterWish, writer } from '../../../support/text/fake-writer.ts'
import { runOf, talk } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

/** What text is made of in bad moments. */
const bits = fc.constantFrom(
  ...[
    '\ud800',
    '\udc00',
    '\0',
    '\r\n',
    '\t',
    '\ufeff',
    '<',
    '</text>',
    '```',
    '<think>',
    '。',
    'the ',
    'um ',
    '3.5',
    '\u0301',
  ],
)

async function formatted(text: string, wish: WriterWish = {}) {
  const model = writer({ concurrency: 1_000, ...wish })
  return { model, ...(await formatText(text, { style: 'faithful' }, { textModel: model }, runOf())) }
}

describe('odd text', () => {
  const base = talk('en', 300, 16)
  const odd: Record<string, string> = {
    'with pairs of surrogates and emoji': base.replace(/ (?=w)/g, ' 👩‍👩‍👧 𝕬 𠮷野家 '),
    'with combining marks': base.replace(/e/g, 'e\u0301').replace(/o/g, 'o\u0308\u0304'),
    'with Windows line ends': base.replace(/ (?=[tw])/g, '\r\n'),
    'with tabs': base.replace(/ /g, '\t'),
    'with a mark of its byte order': `\ufeff${base}`,
    'with zeros': base.replace(/ (?=a)/g, ' \0 ').replace(/st/g, 's\0t'),
    'with halves of pairs': base.replace(/ (?=[tw])/g, ' \ud83d \udc00'),
    'with hard blanks and none': base.replace(/ (?=t)/g, '\u00a0').replace(/ (?=w)/g, '\u200b \u00ad'),
    'of one endless word': 'a'.repeat(6_000),
    'of one endless Thai run': 'กขคงจฉชซ'.repeat(500),
    'of marks alone': '...!?! --- '.repeat(50),
    'of emoji alone': '🙂🙃'.repeat(100),
    'of halves alone': '\ud83d'.repeat(500),
    'of blanks alone': ' \n'.repeat(200),
    'of lines with a word each': base.replace(/ /g, '\n'),
  }
  for (const [name, text] of Object.entries(odd))
    it(`${name} keeps every word`, async () => {
      const result = await formatted(text)
      expect(words(result.text)).toEqual(words(text))
      expect(result.failed).toBe(0)
      // Halves of pairs may be lost on their way to a model, letters may not.
      const mangled = await formatted(text, {
        answer: ({ text: part }) => part.replace(/\p{Cs}/gu, '\ufffd'),
      })
      expect(words(mangled.text)).toEqual(words(text))
    })

  it('never makes it throw', async () => {
    const bit = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), bits)
    const garbage = fc.array(bit, { minLength: 60, maxLength: 300, size: 'max' }).map(all => all.join(''))
    await fc.assert(
      fc.asyncProperty(garbage, garbage, async (text, answer) => {
        const result = await formatted(text, { answer: () => answer })
        expect(words(result.text)).toEqual(words(text))
      }),
      { numRuns: 50, seed: 7 },
    )
  })

  it('takes over no half of a pair', async () => {
    const text = '𠮷🙂𝕬'.repeat(700)
    const { model } = await formatted(text)
    expect(model.asked.length).toBeGreaterThan(1)
    for (const { user } of model.asked) expect(user).not.toMatch(/\p{Cs}/u)
  })
})
