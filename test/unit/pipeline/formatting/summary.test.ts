// Cut-off answers, progress, partial results and the summary of a formatting.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Progress } from '../../../../src/domain/job.ts'
import type { TextModel } from '../../../../src/domain/text-model.ts'
import {
  type FormatOptions,
  type FormatRun,
  formatText,
} from '../../../../src/pipeline/formatting/format-text.ts'
import {
  costPerRequest,
  createLatches,
  fakeTextModel,
  punctuate,
  type ReceivedRequest,
} from '../../../support/text/fake-text-model.ts'
import { generateText, memoryCheckpoints, testRun } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

const long = generateText('en', 1_700, 31)
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Leave it out.' })

interface FormatExtras extends Partial<FormatRun> {
  options?: FormatOptions
  onText?: (text: () => string) => void
}

function format(
  text: string,
  textModel: TextModel,
  { options = { style: 'faithful' }, onText, ...run }: FormatExtras = {},
) {
  return formatText(text, options, { textModel }, testRun(run), onText)
}

/** Lets all work run that waits for nothing external. */
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('an answer that was cut off', () => {
  /** Answers with only a share of the text. */
  const cutOff = (share: number) => (asked: ReceivedRequest) => {
    const text = punctuate(asked.text)
    return { text: text.slice(0, Math.floor(share * text.length)), whole: false }
  }
  const text = generateText('en', 300, 36)

  it('an answer cut off near its end is accepted, and the rest stays unformatted', async () => {
    const model = fakeTextModel({ answer: cutOff(0.96) })
    const result = await format(text, model)
    expect(model.requests).toHaveLength(1)
    expect(words(result.text)).toEqual(words(text))
    expect(result.text.slice(0, 1_000)).toBe(punctuate(text).slice(0, 1_000))
    expect(result.text.slice(-20)).toBe(text.slice(-20))
    expect(result).toMatchObject({ kept: 1, failed: 0 })
  })

  it('an answer cut off early is requested in halves, and all three count as usage', async () => {
    const model = fakeTextModel({
      answer: asked => (asked.index === 0 ? cutOff(0.5)(asked) : punctuate(asked.text)),
    })
    const { checkpoints } = memoryCheckpoints()
    const result = await format(text, model, { checkpoints })
    expect(model.requests).toHaveLength(3)
    expect(result).toMatchObject({ text: punctuate(text), kept: 0, failed: 0, warnings: [] })
    expect(result.usage).toEqual({ inputTokens: 300, outputTokens: 30, costUsd: 3 * costPerRequest })

    const again = fakeTextModel()
    expect(await format(text, again, { checkpoints })).toEqual(result)
    expect(again.requests).toEqual([])
  })

  it('a piece is halved only once', async () => {
    const model = fakeTextModel({ answer: cutOff(0.5) })
    const result = await format(text, model)
    expect(model.requests).toHaveLength(3)
    expect(words(result.text)).toEqual(words(text))
  })

  it('a cut-off answer is used if one half fails, and the next run requests only that half', async () => {
    const answer = (asked: ReceivedRequest) => {
      if (asked.index > 1) throw refused
      return asked.index === 1 ? punctuate(asked.text) : cutOff(0.5)(asked)
    }
    const { checkpoints } = memoryCheckpoints()
    const result = await format(text, fakeTextModel({ answer }), { checkpoints })
    expect(words(result.text)).toEqual(words(text))
    expect(result.text.slice(0, 500)).toBe(punctuate(text).slice(0, 500))
    expect(result).toMatchObject({ kept: 1, failed: 1, usage: { inputTokens: 200, outputTokens: 20 } })
    expect(result.warnings).toEqual([
      '1 of 1 parts of the text are unchanged. CONTENT_REFUSED: No. Leave it out.',
    ])

    const again = fakeTextModel()
    expect(await format(text, again, { checkpoints })).toMatchObject({ text: punctuate(text), failed: 0 })
    expect(again.requests).toHaveLength(1)
  })

  it('a halved piece joins its neighbours', async () => {
    const model = fakeTextModel({
      answer: asked => (asked.index === 2 ? cutOff(0.3)(asked) : punctuate(asked.text)),
    })
    const result = await format(long, model)
    // One piece was asked for three times and counts as its halves.
    expect(model.requests).toHaveLength(result.pieces + 1)
    expect(result.text).toBe(punctuate(long))
  })
})

describe('a running formatting', () => {
  it('progress rises with the written characters and ends at the whole text', async () => {
    const seen: Progress[] = []
    const model = fakeTextModel({
      answer: async ({ index, text, onText }) => {
        onText(index % 2 ? 300 : 1_000)
        // A model that starts over has written less than before.
        onText(10)
        if (index === 2) throw refused
        return `${punctuate(text)} And that is all that there was to say about it.`
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

  it('the whole text with the pieces formatted so far is available at any time', async () => {
    const latches = createLatches()
    const model = fakeTextModel({
      answer: ({ index, text }) => latches.wait(index).then(() => punctuate(text)),
    })
    const seen: string[] = []
    let onNext = () => {}
    const onText = (text: () => string) => {
      seen.push(text())
      onNext()
    }
    const result = format(long, model, { onText })
    await model.waitForRequests(5)
    await settled()
    for (const { index } of model.requests.toReversed()) {
      const next = new Promise<void>(resolve => {
        onNext = resolve
      })
      latches.open(index)
      await next
    }
    expect(seen).toHaveLength(model.requests.length)
    const stops = seen.map(text => text.split('.').length)
    for (const [i, text] of seen.entries()) {
      expect(words(text)).toEqual(words(long))
      expect(stops[i]).toBeGreaterThan(stops[i - 1] ?? 1)
    }
    expect(seen.at(-1)).toBe((await result).text)
  })
})

describe('the summary', () => {
  it('the summary sums the usage and lists the most used model first', async () => {
    const model = fakeTextModel({
      models: ['quill', 'reed'],
      answer: ({ index, text }) => ({ text: punctuate(text), model: index === 0 ? 'quill' : 'reed' }),
    })
    const { models, usage, pieces } = await format(long, model)
    expect(models).toEqual(['reed', 'quill'])
    const [inputTokens, outputTokens] = [pieces * 100, pieces * 10]
    expect(usage).toEqual({
      inputTokens,
      outputTokens,
      costUsd: Math.round(pieces * costPerRequest * 1e6) / 1e6,
    })
  })

  it('the summary has no cost if the cost of an answer is unknown', async () => {
    const { checkpoints } = memoryCheckpoints()
    const unpriced: TextModel = {
      ...fakeTextModel(),
      async generate(request, options) {
        const { costUsd: _, ...answer } = await fakeTextModel().generate(request, options)
        return answer
      },
    }
    const first = await format(long, unpriced, { checkpoints })
    expect(first.usage).not.toHaveProperty('costUsd')
    expect(await format(long, unpriced, { checkpoints })).toEqual(first)
  })

  it('the summary has the share of words that changed in appearance', async () => {
    const spoken = `well then ${generateText('en', 38, 37).toLowerCase()}`
    const capital = fakeTextModel({ answer: ({ text }) => `W${text.slice(1)}` })
    expect(await format(spoken, capital)).toMatchObject({
      changed: 0.025,
      paragraphs: 1,
      kept: 0,
      removed: {},
    })
    const nothing = fakeTextModel({ answer: ({ text }) => text })
    expect(await format(spoken, nothing)).toMatchObject({ changed: 0, paragraphs: 1, kept: 0 })
    const breaks = fakeTextModel({ answer: ({ text }) => text.replace(' ', '\n\n') })
    expect(await format(spoken, breaks)).toMatchObject({ changed: 0, paragraphs: 2, kept: 0 })
  })

  it('the summary counts the paragraphs that keep the original text', async () => {
    const lines = [1, 2, 3, 4].map(i => generateText('en', 40, 50 + i))
    const answer = ({ text }: ReceivedRequest) =>
      text
        .split('\n')
        .map((line, i) => (i === 2 ? 'Somebody said something else.' : `${line}.`))
        .join('\n\n')
    const result = await format(lines.join('\n'), fakeTextModel({ answer }))
    expect(result).toMatchObject({ paragraphs: 4, kept: 1 })
    expect(result.text).toBe(lines.map((line, i) => (i === 2 ? line : `${line}.`)).join('\n\n'))
  })

  it('a filler in the overlap of two pieces is counted once', async () => {
    const text = long.replace(/(\S+ ){5}/g, found => `${found}um `)
    const model = fakeTextModel({ answer: ({ text: part }) => punctuate(part.replace(/\bum /g, '')) })
    const options = { style: 'clean', language: 'en' } as const
    const { removed, text: cleaned } = await format(text, model, { options })
    const sent = model.requests.reduce((sum, asked) => sum + asked.text.split(' um ').length - 1, 0)
    const count = text.split(' um ').length - 1
    expect(sent).toBeGreaterThan(count)
    expect(removed).toEqual({ um: count })
    expect(words(cleaned)).toEqual(words(long))
  })

  it('the faithful style removes no fillers', async () => {
    const text = long.replace(/(\S+ ){5}/g, found => `${found}um `)
    const model = fakeTextModel({ answer: ({ text: part }) => punctuate(part.replace(/\bum /g, '')) })
    const { removed, text: written } = await format(text, model)
    expect(removed).toEqual({})
    expect(words(written)).toEqual(words(text))
  })
})
