// What is asked of the model, how often and how many at once; what is remembered, and what fails.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import {
  type FormatOptions,
  type FormatPorts,
  type FormatRun,
  formatText,
} from '../../../../src/pipeline/formatting/format-text.ts'
import { type Asked, gates, readable, usageOfOne, writer } from '../../../support/text/fake-writer.ts'
import { keeping, runOf, talk } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

const long = talk('en', 1_700, 31)
/** Of more pieces than a model of low concurrency takes at once. */
const endless = talk('zh', 5_500, 32)
const faithful = { style: 'faithful' } as const

const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Leave it out.' })
const unpaid = new SpeechError('ACCOUNT_IN_ARREARS', 'Unpaid.', { hint: 'Pay.', scope: 'account' })
const refusal = 'CONTENT_REFUSED: No. Leave it out.'

interface More extends Partial<FormatRun>, Omit<Partial<FormatPorts>, 'textModel'> {
  wish?: FormatOptions
  onText?: (text: () => string) => void
}

function format(
  text: string,
  textModel: TextModel,
  { wish = faithful, onText, maxCostUsd, ...run }: More = {},
) {
  const ports = { textModel, ...(maxCostUsd !== undefined && { maxCostUsd }) }
  return formatText(text, wish, ports, runOf(run), onText)
}

/** Lets everything happen that waits for nothing from outside. */
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('requests', () => {
  it('are one a piece, and all at once', async () => {
    const gate = gates()
    const model = writer({ answer: ({ n, text }) => gate.wait(n).then(() => readable(text)) })
    const result = format(long, model)
    await model.reaches(5)
    await settled()
    const count = model.asked.length
    expect(model.peak()).toBe(count)
    for (let n = 0; n < count; n++) gate.open(n)
    expect(await result).toMatchObject({ pieces: count, failed: 0 })
    expect(model.asked).toHaveLength(count)
  })

  it('are as many at once as the model takes, and there is always one under way for each that is over', async () => {
    const gate = gates()
    const model = writer({ concurrency: 3, answer: ({ n, text }) => gate.wait(n).then(() => readable(text)) })
    const result = format(endless, model)
    await model.reaches(3)
    await settled()
    expect(model.asked).toHaveLength(3)
    for (let n = 0; n < 3; n++) {
      gate.open(n)
      await model.reaches(n + 4)
    }
    await settled()
    expect(model.asked).toHaveLength(6)
    for (let n = 3; n < 20; n++) gate.open(n)
    const { pieces } = await result
    expect(pieces).toBe(model.asked.length)
    expect(model.peak()).toBe(3)
  })

  it('hold every word; where they meet in mid-sentence both have what is around', async () => {
    const model = writer()
    await format(long, model)
    let at = 0
    for (const { text, before } of model.asked) {
      const from = long.indexOf(text)
      expect(from).toBeLessThanOrEqual(at)
      if (from > 0) expect(long.slice(0, from).trim().endsWith(before)).toBe(true)
      at = from + text.length
    }
    expect(at).toBe(long.length)
    const sent = model.asked.reduce((sum, { text }) => sum + text.length, 0)
    expect(sent).toBeGreaterThan(long.length)
    expect(sent).toBeLessThan(1.3 * long.length)
  })

  it('are none for 100 characters, however many units those have', async () => {
    for (const sign of ['a', '好', '𠮷', 'ก']) {
      const model = writer()
      const short = `  ${sign.repeat(100)}\n`
      expect(await format(short, model)).toEqual({
        style: 'faithful',
        text: short,
        models: [],
        changed: 0,
        paragraphs: 0,
        kept: 0,
        pieces: 0,
        failed: 0,
        removed: {},
        usage: { inputTokens: 0, outputTokens: 0 },
        warnings: ['A text of at most 100 characters is not formatted.'],
      })
      expect(model.asked).toEqual([])
      await format(sign.repeat(101), model)
      expect(model.asked).toHaveLength(1)
    }
  })

  it('are none where no model is there, and the text is as it came', async () => {
    const model = writer({ models: [] })
    const { text, warnings, pieces } = await format(long, model)
    expect({ text, pieces }).toEqual({ text: long, pieces: 0 })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^The text is unchanged\. KEY_MISSING: .*DASHSCOPE_API_KEY/)
    expect(model.asked).toEqual([])
  })

  it('are none where they would cost more than allowed', async () => {
    const model = writer({ models: ['qwen-turbo', 'quill'] })
    await expect(format(long, model, { maxCostUsd: 0.0001 })).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    expect(model.asked).toEqual([])
    expect(await format(long, model, { maxCostUsd: 0.1 })).toMatchObject({ failed: 0 })
    const unpriced = writer({ models: ['quill'] })
    expect(await format(long, unpriced, { maxCostUsd: 0.0001 })).toMatchObject({ failed: 0 })
  })
})

describe('a piece that fails', () => {
  const fails = (...which: number[]) => ({
    answer: ({ n, text }: Asked) => {
      if (which.includes(n)) throw refused
      return readable(text)
    },
  })

  it('keeps its words, and one warning tells of all that failed alike', async () => {
    const model = writer(fails(1, 3))
    const result = await format(long, model)
    expect(words(result.text)).toEqual(words(long))
    const { length } = model.asked
    expect(result).toMatchObject({ failed: 2, pieces: length })
    expect(result.warnings).toEqual([`2 of ${length} parts of the text are unchanged. ${refusal}`])
    expect(result.changed).toBeGreaterThan(0)
    expect(result.usage.inputTokens).toBe((length - 2) * usageOfOne.inputTokens)
    expect(result.text).toContain(model.asked[1]!.text.slice(400, 900))
  })

  it('is nothing to keep where all have failed', async () => {
    const model = writer({
      answer: () => {
        throw refused
      },
    })
    const text = `${long.replaceAll(' and ', '  and\r\n')}\n`
    const result = await format(text, model)
    expect(result.text).toBe(text)
    expect(result.warnings).toEqual([`The text is unchanged. ${refusal}`])
    expect(result).toMatchObject({ models: [], changed: 0, paragraphs: 0, kept: 0, failed: result.pieces })
    expect(result.usage).toEqual({ inputTokens: 0, outputTokens: 0 })
  })

  it('is asked for again by the next run, alone', async () => {
    const { checkpoints } = keeping()
    await format(long, writer(fails(0, 2)), { checkpoints })
    const model = writer()
    const result = await format(long, model, { checkpoints })
    expect(model.asked).toHaveLength(2)
    expect(result).toMatchObject({ text: readable(long), failed: 0, warnings: [] })
  })

  it('of which the account is the reason ends all asking', async () => {
    const gate = gates()
    const model = writer({
      concurrency: 2,
      answer: async ({ n, text }) => {
        await gate.wait(n)
        if (n === 1) throw unpaid
        return readable(text)
      },
    })
    const result = format(endless, model)
    await model.reaches(2)
    gate.open(1)
    await settled()
    gate.open(0)
    const { pieces, failed, warnings } = await result
    expect(model.asked).toHaveLength(2)
    expect(pieces).toBeGreaterThan(3)
    expect(failed).toBe(pieces - 1)
    expect(warnings).toEqual([
      `${failed} of ${pieces} parts of the text are unchanged. ACCOUNT_IN_ARREARS: Unpaid. Pay.`,
    ])
  })

  it('of which the account is the reason takes nothing away that is remembered', async () => {
    const { checkpoints } = keeping()
    const first = writer({
      concurrency: 2,
      answer: ({ n, text: part }) => {
        if (n === 0) throw refused
        return readable(part)
      },
    })
    await format(endless, first, { checkpoints })
    const broke = writer({
      concurrency: 2,
      answer: () => {
        throw unpaid
      },
    })
    const { failed } = await format(endless, broke, { checkpoints })
    expect([broke.asked.length, failed]).toEqual([1, 1])
  })

  it('by a mistake of ours ends everything', async () => {
    const mistake = new TypeError('A mistake.')
    const gate = gates()
    const model = writer({
      answer: async ({ n, text }) => {
        if (n === 1) throw mistake
        await gate.wait(n)
        return readable(text)
      },
    })
    await expect(format(long, model)).rejects.toBe(mistake)
    expect(model.stopped()).toBe(model.asked.length - 1)
  })
})

describe('whoever goes', () => {
  it('is let go at once, with the reason, and what is under way is called off', async () => {
    const leaving = new AbortController()
    const model = writer({ concurrency: 3, answer: () => new Promise<string>(() => {}) })
    const result = format(endless, model, { signal: leaving.signal })
    await model.reaches(3)
    const reason = new Error('Gone.')
    leaving.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(model.stopped()).toBe(3)
    expect(model.asked).toHaveLength(3)
  })

  it('before it has begun asks for nothing', async () => {
    const model = writer()
    const reason = new Error('Gone.')
    await expect(format(long, model, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(model.asked).toEqual([])
  })

  it('has what was answered by then when it comes again', async () => {
    const { checkpoints } = keeping()
    const leaving = new AbortController()
    const first = writer({
      answer: ({ n, text }) => (n < 2 ? readable(text) : new Promise<string>(() => {})),
    })
    let done = 0
    const onText = () => {
      if (++done === 2) leaving.abort(new Error('Gone.'))
    }
    await expect(format(long, first, { checkpoints, signal: leaving.signal, onText })).rejects.toThrow(
      'Gone.',
    )
    const again = writer()
    const { pieces } = await format(long, again, { checkpoints })
    expect(again.asked).toHaveLength(pieces - 2)
  })
})

describe('the same again', () => {
  it('asks for nothing, and says the same', async () => {
    const { checkpoints } = keeping()
    const first = await format(long, writer(), { checkpoints })
    const model = writer()
    expect(await format(long, model, { checkpoints })).toEqual(first)
    expect(model.asked).toEqual([])
  })

  it('in another style, language or by other models is asked for anew', async () => {
    const { checkpoints } = keeping()
    const { pieces } = await format(long, writer(), { checkpoints })
    const asked = async (wish: FormatOptions, models?: string[]) => {
      const model = writer({ ...(models && { models }) })
      await format(long, model, { checkpoints, wish })
      return model.asked.length
    }
    expect(await asked({ style: 'clean' })).toBe(pieces)
    expect(await asked({ style: 'faithful', language: 'en' })).toBe(pieces)
    expect(await asked({ style: 'faithful' }, ['reed'])).toBe(pieces)
    expect(await asked({ style: 'faithful' }, ['quill', 'reed'])).toBe(pieces)
    expect(await asked({ style: 'faithful' })).toBe(0)
  })

  it('is asked for anew where what was kept cannot be read, or was nothing', async () => {
    const { checkpoints, values } = keeping()
    const { pieces } = await format(long, writer(), { checkpoints })
    for (const key of values.keys()) values.set(key, { text: 7 })
    const model = writer()
    await format(long, model, { checkpoints })
    expect(model.asked).toHaveLength(pieces)

    const empty = keeping()
    await format(long, writer({ answer: () => ' \n' }), { checkpoints: empty.checkpoints })
    expect(empty.values.size).toBe(0)
  })
})
