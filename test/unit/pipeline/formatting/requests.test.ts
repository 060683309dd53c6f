// Requests to the text model: their number and concurrency, and failures.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import {
  type FormatOptions,
  type FormatRun,
  formatText,
} from '../../../../src/pipeline/formatting/format-text.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'
import {
  createLatches,
  fakeTextModel,
  punctuate,
  type ReceivedRequest,
  usagePerRequest,
} from '../../../support/text/fake-text-model.ts'
import { generateText, memoryCheckpoints, testRun } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

const long = generateText('en', 1_700, 31)
/** Has more pieces than the concurrency of the models in these tests. */
const manyPieces = generateText('zh', 5_500, 32)
const faithful = { style: 'faithful' } as const

const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Leave it out.' })
const unpaid = new SpeechError('ACCOUNT_IN_ARREARS', 'Unpaid.', { hint: 'Pay.', scope: 'account' })
const refusal = 'CONTENT_REFUSED: No. Leave it out.'

interface FormatExtras extends Partial<FormatRun> {
  options?: FormatOptions
  onText?: (text: () => string) => void
}

function format(
  text: string,
  textModel: TextModel,
  { options = faithful, onText, ...run }: FormatExtras = {},
) {
  return formatText(text, options, { textModel }, testRun(run), onText)
}

/** Lets all work run that waits for nothing external. */
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('requests', () => {
  it('each piece is one request, and all are sent at once', async () => {
    const latches = createLatches()
    const model = fakeTextModel({
      answer: ({ index, text }) => latches.wait(index).then(() => punctuate(text)),
    })
    const result = format(long, model)
    await model.waitForRequests(5)
    await settled()
    const count = model.requests.length
    expect(model.peak()).toBe(count)
    for (let n = 0; n < count; n++) latches.open(n)
    expect(await result).toMatchObject({ pieces: count, failed: 0 })
    expect(model.requests).toHaveLength(count)
  })

  it('requests run up to the concurrency of the model, and each finished one is followed by the next', async () => {
    const latches = createLatches()
    const model = fakeTextModel({
      concurrency: 3,
      answer: ({ index, text }) => latches.wait(index).then(() => punctuate(text)),
    })
    const result = format(manyPieces, model)
    await model.waitForRequests(3)
    await settled()
    expect(model.requests).toHaveLength(3)
    for (let n = 0; n < 3; n++) {
      latches.open(n)
      await model.waitForRequests(n + 4)
    }
    await settled()
    expect(model.requests).toHaveLength(6)
    for (let n = 3; n < 20; n++) latches.open(n)
    const { pieces } = await result
    expect(pieces).toBe(model.requests.length)
    expect(model.peak()).toBe(3)
  })

  it('requests cover every word and overlap where they meet in mid-sentence', async () => {
    const model = fakeTextModel()
    await format(long, model)
    let at = 0
    for (const { text, before } of model.requests) {
      const from = long.indexOf(text)
      expect(from).toBeLessThanOrEqual(at)
      if (from > 0) expect(long.slice(0, from).trim().endsWith(before)).toBe(true)
      at = from + text.length
    }
    expect(at).toBe(long.length)
    const sent = model.requests.reduce((sum, { text }) => sum + text.length, 0)
    expect(sent).toBeGreaterThan(long.length)
    expect(sent).toBeLessThan(1.3 * long.length)
  })

  it('a text of 100 characters is not sent, however many UTF-16 units it has', async () => {
    for (const sign of ['a', '好', '𠮷', 'ก']) {
      const model = fakeTextModel()
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
      expect(model.requests).toEqual([])
      await format(sign.repeat(101), model)
      expect(model.requests).toHaveLength(1)
    }
  })

  it('without a model nothing is sent and the text is unchanged', async () => {
    const model = fakeTextModel({ models: [] })
    const { text, warnings, pieces } = await format(long, model)
    expect({ text, pieces }).toEqual({ text: long, pieces: 0 })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^The text is unchanged\. KEY_MISSING: .*DASHSCOPE_API_KEY/)
    expect(model.requests).toEqual([])
  })

  it('nothing is sent if the cost would exceed the limit', async () => {
    const price = { usdPerMillionInput: 0.05, usdPerMillionOutput: 0.2 }
    const model = { ...fakeTextModel({ models: ['qwen-turbo', 'quill'] }), price }
    await expect(format(long, model, { budget: testBudget(0.0001) })).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
    })
    expect(model.requests).toEqual([])
    expect(await format(long, model, { budget: testBudget(0.1) })).toMatchObject({ failed: 0 })
    const unpriced = fakeTextModel({ models: ['quill'] })
    await expect(format(long, unpriced, { budget: testBudget(1) })).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN',
    })
  })
})

describe('a piece that fails', () => {
  const fails = (...which: number[]) => ({
    answer: ({ index, text }: ReceivedRequest) => {
      if (which.includes(index)) throw refused
      return punctuate(text)
    },
  })

  it('a failed piece keeps its words, and one warning covers all pieces with the same error', async () => {
    const model = fakeTextModel(fails(1, 3))
    const result = await format(long, model)
    expect(words(result.text)).toEqual(words(long))
    const { length } = model.requests
    expect(result).toMatchObject({ failed: 2, pieces: length })
    expect(result.warnings).toEqual([`2 of ${length} parts of the text are unchanged. ${refusal}`])
    expect(result.changed).toBeGreaterThan(0)
    expect(result.usage.inputTokens).toBe((length - 2) * usagePerRequest.inputTokens)
    expect(result.text).toContain(model.requests[1]!.text.slice(400, 900))
  })

  it('a text of which all pieces failed is returned unchanged', async () => {
    const model = fakeTextModel({
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

  it('the next run requests only the pieces that failed', async () => {
    const { checkpoints } = memoryCheckpoints()
    await format(long, fakeTextModel(fails(0, 2)), { checkpoints })
    const model = fakeTextModel()
    const result = await format(long, model, { checkpoints })
    expect(model.requests).toHaveLength(2)
    expect(result).toMatchObject({ text: punctuate(long), failed: 0, warnings: [] })
  })

  it('an account error stops all further requests', async () => {
    const latches = createLatches()
    const model = fakeTextModel({
      concurrency: 2,
      answer: async ({ index, text }) => {
        await latches.wait(index)
        if (index === 1) throw unpaid
        return punctuate(text)
      },
    })
    const result = format(manyPieces, model)
    await model.waitForRequests(2)
    latches.open(1)
    await settled()
    latches.open(0)
    const { pieces, failed, warnings } = await result
    expect(model.requests).toHaveLength(2)
    expect(pieces).toBeGreaterThan(3)
    expect(failed).toBe(pieces - 1)
    expect(warnings).toEqual([
      `${failed} of ${pieces} parts of the text are unchanged. ACCOUNT_IN_ARREARS: Unpaid. Pay.`,
    ])
  })

  it('an account error leaves pieces with a saved answer formatted', async () => {
    const { checkpoints } = memoryCheckpoints()
    const first = fakeTextModel({
      concurrency: 2,
      answer: ({ index, text: part }) => {
        if (index === 0) throw refused
        return punctuate(part)
      },
    })
    await format(manyPieces, first, { checkpoints })
    const unpaidModel = fakeTextModel({
      concurrency: 2,
      answer: () => {
        throw unpaid
      },
    })
    const { failed } = await format(manyPieces, unpaidModel, { checkpoints })
    expect([unpaidModel.requests.length, failed]).toEqual([1, 1])
  })

  it('an unexpected error aborts the whole formatting', async () => {
    const mistake = new TypeError('A mistake.')
    const latches = createLatches()
    const model = fakeTextModel({
      answer: async ({ index, text }) => {
        if (index === 1) throw mistake
        await latches.wait(index)
        return punctuate(text)
      },
    })
    await expect(format(long, model)).rejects.toBe(mistake)
    expect(model.aborted()).toBe(model.requests.length - 1)
  })
})
