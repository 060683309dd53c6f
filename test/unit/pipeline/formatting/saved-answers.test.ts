// Cancelled and repeated formattings: saved answers are reused.
import { describe, expect, it } from 'vitest'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import {
  type FormatOptions,
  type FormatRun,
  formatText,
} from '../../../../src/pipeline/formatting/format-text.ts'
import { fakeTextModel, punctuate } from '../../../support/text/fake-text-model.ts'
import { generateText, memoryCheckpoints, testRun } from '../../../support/text/generated-speech.ts'

const long = generateText('en', 1_700, 31)
/** Has more pieces than the concurrency of the models in these tests. */
const manyPieces = generateText('zh', 5_500, 32)
const faithful = { style: 'faithful' } as const

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

describe('a cancelled formatting', () => {
  it('a cancelled formatting rejects at once with the reason and aborts its requests', async () => {
    const cancelling = new AbortController()
    const model = fakeTextModel({ concurrency: 3, answer: () => new Promise<string>(() => {}) })
    const result = format(manyPieces, model, { signal: cancelling.signal })
    await model.waitForRequests(3)
    const reason = new Error('Cancelled.')
    cancelling.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(model.aborted()).toBe(3)
    expect(model.requests).toHaveLength(3)
  })

  it('a formatting cancelled before its start sends no request', async () => {
    const model = fakeTextModel()
    const reason = new Error('Cancelled.')
    await expect(format(long, model, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(model.requests).toEqual([])
  })

  it('a formatting after a cancelled one reuses the answers so far', async () => {
    const { checkpoints } = memoryCheckpoints()
    const cancelling = new AbortController()
    const first = fakeTextModel({
      answer: ({ index, text }) => (index < 2 ? punctuate(text) : new Promise<string>(() => {})),
    })
    let done = 0
    const onText = () => {
      if (++done === 2) cancelling.abort(new Error('Cancelled.'))
    }
    await expect(format(long, first, { checkpoints, signal: cancelling.signal, onText })).rejects.toThrow(
      'Cancelled.',
    )
    const again = fakeTextModel()
    const { pieces } = await format(long, again, { checkpoints })
    expect(again.requests).toHaveLength(pieces - 2)
  })
})

describe('a repeated formatting', () => {
  it('a repeated formatting sends no request and has the same result', async () => {
    const { checkpoints } = memoryCheckpoints()
    const first = await format(long, fakeTextModel(), { checkpoints })
    const model = fakeTextModel()
    expect(await format(long, model, { checkpoints })).toEqual(first)
    expect(model.requests).toEqual([])
  })

  it('another style, language or model list is requested anew', async () => {
    const { checkpoints } = memoryCheckpoints()
    const { pieces } = await format(long, fakeTextModel(), { checkpoints })
    const countRequests = async (options: FormatOptions, models?: string[]) => {
      const model = fakeTextModel({ ...(models && { models }) })
      await format(long, model, { checkpoints, options })
      return model.requests.length
    }
    expect(await countRequests({ style: 'clean' })).toBe(pieces)
    expect(await countRequests({ style: 'faithful', language: 'en' })).toBe(pieces)
    expect(await countRequests({ style: 'faithful' }, ['reed'])).toBe(pieces)
    expect(await countRequests({ style: 'faithful' }, ['quill', 'reed'])).toBe(pieces)
    expect(await countRequests({ style: 'faithful' })).toBe(0)
  })

  it('unreadable saved answers are requested anew, and empty answers are not saved', async () => {
    const { checkpoints, values } = memoryCheckpoints()
    const { pieces } = await format(long, fakeTextModel(), { checkpoints })
    for (const key of values.keys()) values.set(key, { text: 7 })
    const model = fakeTextModel()
    await format(long, model, { checkpoints })
    expect(model.requests).toHaveLength(pieces)

    const empty = memoryCheckpoints()
    await format(long, fakeTextModel({ answer: () => ' \n' }), { checkpoints: empty.checkpoints })
    expect(empty.values.size).toBe(0)
  })
})
