// What a formatting tells of itself: answers that were cut off, how far it is, what it took and what has changed.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Progress } from '../../../../src/domain/job.ts'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import {
  type FormatOptions,
  type FormatRun,
  formatText,
} from '../../../../src/pipeline/formatting/format-text.ts'
import { type Asked, costOfOne, gates, readable, writer } from '../../../support/text/fake-writer.ts'
import { keeping, runOf, talk } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

const long = talk('en', 1_700, 31)
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Leave it out.' })

interface More extends Partial<FormatRun> {
  wish?: FormatOptions
  onText?: (text: () => string) => void
}

function format(
  text: string,
  textModel: TextModel,
  { wish = { style: 'faithful' }, onText, ...run }: More = {},
) {
  return formatText(text, wish, { textModel }, runOf(run), onText)
}

/** Lets everything happen that waits for nothing from outside. */
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('an answer that was cut off', () => {
  /** As much of it as fits. */
  const cutOff = (share: number) => (asked: Asked) => {
    const text = readable(asked.text)
    return { text: text.slice(0, Math.floor(share * text.length)), whole: false }
  }
  const text = talk('en', 300, 36)

  it('near its end is taken, and the rest stands as it was', async () => {
    const model = writer({ answer: cutOff(0.96) })
    const result = await format(text, model)
    expect(model.asked).toHaveLength(1)
    expect(words(result.text)).toEqual(words(text))
    expect(result.text.slice(0, 1_000)).toBe(readable(text).slice(0, 1_000))
    expect(result.text.slice(-20)).toBe(text.slice(-20))
    expect(result).toMatchObject({ kept: 1, failed: 0 })
  })

  it('early is asked for in halves, and all three are paid for', async () => {
    const model = writer({ answer: asked => (asked.n === 0 ? cutOff(0.5)(asked) : readable(asked.text)) })
    const { checkpoints } = keeping()
    const result = await format(text, model, { checkpoints })
    expect(model.asked).toHaveLength(3)
    expect(result).toMatchObject({ text: readable(text), kept: 0, failed: 0, warnings: [] })
    expect(result.usage).toEqual({ inputTokens: 300, outputTokens: 30, costUsd: 3 * costOfOne })

    const again = writer()
    expect(await format(text, again, { checkpoints })).toEqual(result)
    expect(again.asked).toEqual([])
  })

  it('is asked for in halves once, not until it fits', async () => {
    const model = writer({ answer: cutOff(0.5) })
    const result = await format(text, model)
    expect(model.asked).toHaveLength(3)
    expect(words(result.text)).toEqual(words(text))
  })

  it('stands where one of its halves gets no answer; the other is asked for no more', async () => {
    const answer = (asked: Asked) => {
      if (asked.n > 1) throw refused
      return asked.n === 1 ? readable(asked.text) : cutOff(0.5)(asked)
    }
    const { checkpoints } = keeping()
    const result = await format(text, writer({ answer }), { checkpoints })
    expect(words(result.text)).toEqual(words(text))
    expect(result.text.slice(0, 500)).toBe(readable(text).slice(0, 500))
    expect(result).toMatchObject({ kept: 1, failed: 1, usage: { inputTokens: 200, outputTokens: 20 } })
    expect(result.warnings).toEqual([
      '1 of 1 parts of the text are unchanged. CONTENT_REFUSED: No. Leave it out.',
    ])

    const again = writer()
    expect(await format(text, again, { checkpoints })).toMatchObject({ text: readable(text), failed: 0 })
    expect(again.asked).toHaveLength(1)
  })

  it('between others fits in with them', async () => {
    const model = writer({ answer: asked => (asked.n === 2 ? cutOff(0.3)(asked) : readable(asked.text)) })
    const result = await format(long, model)
    // One piece was asked for three times and counts as its halves.
    expect(model.asked).toHaveLength(result.pieces + 1)
    expect(result.text).toBe(readable(long))
  })
})

describe('while it works', () => {
  it('progress rises with what is written, and ends at the whole', async () => {
    const seen: Progress[] = []
    const model = writer({
      answer: async ({ n, text, onText }) => {
        onText(n % 2 ? 300 : 1_000)
        // A model that begins anew has written less than before.
        onText(10)
        if (n === 2) throw refused
        return `${readable(text)} And that is all that there was to say about it.`
      },
    })
    const { pieces } = await format(long, model, { progress: update => void seen.push(update) })
    for (const [i, { done, total }] of seen.entries()) {
      expect(total).toBe(long.length)
      expect(done).toBeGreaterThanOrEqual(seen[i - 1]?.done ?? 0)
      expect(done).toBeLessThanOrEqual(long.length)
    }
    expect(seen[0]).toMatchObject({ done: 0, message: `Formatting, 0 of ${pieces} parts` })
    expect(seen.some(({ done, message }) => done > 0 && message.startsWith('Formatting, 0 of'))).toBe(true)
    expect(seen.at(-1)).toMatchObject({
      done: long.length,
      message: `Formatting, ${pieces} of ${pieces} parts`,
    })
  })

  it('the whole text can be had at any time, with what is formatted so far', async () => {
    const gate = gates()
    const model = writer({ answer: ({ n, text }) => gate.wait(n).then(() => readable(text)) })
    const seen: string[] = []
    let told = () => {}
    const onText = (text: () => string) => {
      seen.push(text())
      told()
    }
    const result = format(long, model, { onText })
    await model.reaches(5)
    await settled()
    for (const { n } of model.asked.toReversed()) {
      const next = new Promise<void>(resolve => {
        told = resolve
      })
      gate.open(n)
      await next
    }
    expect(seen).toHaveLength(model.asked.length)
    const stops = seen.map(text => text.split('.').length)
    for (const [i, text] of seen.entries()) {
      expect(words(text)).toEqual(words(long))
      expect(stops[i]).toBeGreaterThan(stops[i - 1] ?? 1)
    }
    expect(seen.at(-1)).toBe((await result).text)
  })
})

describe('the account', () => {
  it('sums what it took, and names who wrote, the busiest first', async () => {
    const model = writer({
      models: ['quill', 'reed'],
      answer: ({ n, text }) => ({ text: readable(text), model: n === 0 ? 'quill' : 'reed' }),
    })
    const { models, usage, pieces } = await format(long, model)
    expect(models).toEqual(['reed', 'quill'])
    const [inputTokens, outputTokens] = [pieces * 100, pieces * 10]
    expect(usage).toEqual({ inputTokens, outputTokens, costUsd: Math.round(pieces * costOfOne * 1e6) / 1e6 })
  })

  it('gives no cost where that of an answer is not known', async () => {
    const { checkpoints } = keeping()
    const unpriced: TextModel = {
      ...writer(),
      async generate(request, listener) {
        const { costUsd: _, ...answer } = await writer().generate(request, listener)
        return answer
      },
    }
    const first = await format(long, unpriced, { checkpoints })
    expect(first.usage).not.toHaveProperty('costUsd')
    expect(await format(long, unpriced, { checkpoints })).toEqual(first)
  })

  it('says how many of the words look otherwise', async () => {
    const said = `well then ${talk('en', 38, 37).toLowerCase()}`
    const capital = writer({ answer: ({ text }) => `W${text.slice(1)}` })
    expect(await format(said, capital)).toMatchObject({ changed: 0.025, paragraphs: 1, kept: 0, removed: {} })
    const nothing = writer({ answer: ({ text }) => text })
    expect(await format(said, nothing)).toMatchObject({ changed: 0, paragraphs: 1, kept: 0 })
    const breaks = writer({ answer: ({ text }) => text.replace(' ', '\n\n') })
    expect(await format(said, breaks)).toMatchObject({ changed: 0, paragraphs: 2, kept: 0 })
  })

  it('counts the paragraphs that stand as they were', async () => {
    const lines = [1, 2, 3, 4].map(i => talk('en', 40, 50 + i))
    const answer = ({ text }: Asked) =>
      text
        .split('\n')
        .map((line, i) => (i === 2 ? 'Somebody said something else.' : `${line}.`))
        .join('\n\n')
    const result = await format(lines.join('\n'), writer({ answer }))
    expect(result).toMatchObject({ paragraphs: 4, kept: 1 })
    expect(result.text).toBe(lines.map((line, i) => (i === 2 ? line : `${line}.`)).join('\n\n'))
  })

  it('counts a filler once, though two pieces have it', async () => {
    const text = long.replace(/(\S+ ){5}/g, found => `${found}um `)
    const model = writer({ answer: ({ text: part }) => readable(part.replace(/\bum /g, '')) })
    const wish = { style: 'clean', language: 'en' } as const
    const { removed, text: cleaned } = await format(text, model, { wish })
    const sent = model.asked.reduce((sum, asked) => sum + asked.text.split(' um ').length - 1, 0)
    const count = text.split(' um ').length - 1
    expect(sent).toBeGreaterThan(count)
    expect(removed).toEqual({ um: count })
    expect(words(cleaned)).toEqual(words(long))
  })

  it('has no fillers where none may go', async () => {
    const text = long.replace(/(\S+ ){5}/g, found => `${found}um `)
    const model = writer({ answer: ({ text: part }) => readable(part.replace(/\bum /g, '')) })
    const { removed, text: written } = await format(text, model)
    expect(removed).toEqual({})
    expect(words(written)).toEqual(words(text))
  })
})
