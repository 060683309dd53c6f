// Unusual text: unpaired surrogates, combining characters, garbage, endless words.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatText } from '../../../../src/pipeline/formatting/format-text.ts'
import { type FakeTextModelOptions, fakeTextModel } from '../../../support/text/fake-text-model.ts'
import { generateText, testRun } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

/** Parts of malformed text. */
const fragments = fc.constantFrom(
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

async function formatted(text: string, options: FakeTextModelOptions = {}) {
  const model = fakeTextModel({ concurrency: 1_000, ...options })
  return { model, ...(await formatText(text, { style: 'faithful' }, { textModel: model }, testRun())) }
}

describe('unusual text', () => {
  const base = generateText('en', 300, 16)
  const odd: Record<string, string> = {
    'with pairs of surrogates and emoji': base.replace(/ (?=w)/g, ' 👩‍👩‍👧 𝕬 𠮷野家 '),
    'with combining marks': base.replace(/e/g, 'e\u0301').replace(/o/g, 'o\u0308\u0304'),
    'with Windows line ends': base.replace(/ (?=[tw])/g, '\r\n'),
    'with tabs': base.replace(/ /g, '\t'),
    'with a byte order mark': `\ufeff${base}`,
    'with NUL characters': base.replace(/ (?=a)/g, ' \0 ').replace(/st/g, 's\0t'),
    'with unpaired surrogates': base.replace(/ (?=[tw])/g, ' \ud83d \udc00'),
    'with no-break and zero-width spaces': base
      .replace(/ (?=t)/g, '\u00a0')
      .replace(/ (?=w)/g, '\u200b \u00ad'),
    'of one endless word': 'a'.repeat(6_000),
    'of one endless Thai run': 'กขคงจฉชซ'.repeat(500),
    'of punctuation alone': '...!?! --- '.repeat(50),
    'of emoji alone': '🙂🙃'.repeat(100),
    'of unpaired surrogates alone': '\ud83d'.repeat(500),
    'of whitespace alone': ' \n'.repeat(200),
    'of lines with a word each': base.replace(/ /g, '\n'),
  }
  for (const [name, text] of Object.entries(odd))
    it(`a text ${name} keeps every word`, async () => {
      const result = await formatted(text)
      expect(words(result.text)).toEqual(words(text))
      expect(result.failed).toBe(0)
      // Unpaired surrogates may be lost on the way to a model, letters may not.
      const mangled = await formatted(text, {
        answer: ({ text: part }) => part.replace(/\p{Cs}/gu, '\ufffd'),
      })
      expect(words(mangled.text)).toEqual(words(text))
    })

  it('formatting never throws on garbage', async () => {
    const bit = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), fragments)
    const garbage = fc.array(bit, { minLength: 60, maxLength: 300, size: 'max' }).map(all => all.join(''))
    await fc.assert(
      fc.asyncProperty(garbage, garbage, async (text, answer) => {
        const result = await formatted(text, { answer: () => answer })
        expect(words(result.text)).toEqual(words(text))
      }),
      { numRuns: 50, seed: 7 },
    )
  })

  it('no piece is cut within a surrogate pair', async () => {
    const text = '𠮷🙂𝕬'.repeat(700)
    const { model } = await formatted(text)
    expect(model.requests.length).toBeGreaterThan(1)
    for (const { user } of model.requests) expect(user).not.toMatch(/\p{Cs}/u)
  })
})
