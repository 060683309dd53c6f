// Money: what a result says it cost is what the provider billed, and a limit also holds for models without a price.
import { describe, expect, it } from 'vitest'
import type { App } from '../../../src/app.ts'
import { speechModels } from '../../../src/domain/models/speech-models.ts'
import { textModels } from '../../../src/domain/models/text-models.ts'
import { format, recognise, useBilling } from '../../support/e2e/billing.ts'

const { billed, dashscope, asked } = useBilling()

describe('the cost of an order equals the bill', () => {
  it('for chunks of a recording', async () => {
    const { result, dollars } = await billed({ OSS_BUCKET: '' }, recognise('transcribe_audio'))
    expect(dollars).toBeGreaterThan(0)
    expect(result.usage.costUsd).toBeCloseTo(dollars, 6)
  })

  it('for chunks that are asked for again in halves', async () => {
    for (const kind of ['length', 'loop'] as const) {
      const off = dashscope().fault({ kind, times: 1 })
      const { result, dollars } = await billed({ OSS_BUCKET: '' }, recognise('transcribe_audio'))
      off()
      expect(dollars).toBeGreaterThan(0.0006)
      expect(result.usage.costUsd).toBeCloseTo(dollars, 6)
    }
  })

  it.each(
    speechModels
      .filter(({ roles }) => !roles.includes('chunk'))
      .map(({ name, roles }) => [name, roles] as const),
  )('for files with %s', async (name, roles) => {
    const settings = {
      FILE_MODEL: roles.includes('words') ? name : 'qwen3-asr-flash-filetrans',
      SPEAKER_MODEL: roles.includes('speakers') ? name : 'fun-asr',
    }
    for (const tool of ['transcribe_audio', 'diarize_audio'] as const) {
      const { result, dollars, ...tokens } = await billed(settings, recognise(tool))
      expect(result.model).toContain(name)
      expect(dollars).toBeGreaterThan(0)
      expect(result.usage.costUsd).toBeCloseTo(dollars, 6)
      if (tokens.inputTokens > 0) expect(result.usage).toMatchObject(tokens)
      expect(result.warnings).toEqual([])
    }
  })

  it.each(textModels.filter(({ price }) => price).map(({ name }) => name))('for text with %s', async name => {
    const { result, dollars } = await billed({ FORMAT_MODELS: name }, format)
    const { models, usage } = result.text!
    expect(models).toEqual([name])
    expect(dollars).toBeGreaterThan(0)
    expect(usage.costUsd).toBeCloseTo(dollars, 6)
  })
})

describe('a limit with a list of models for chunks', () => {
  const transcribe = (settings: Record<string, string>) =>
    billed({ OSS_BUCKET: '', ...settings }, recognise('transcribe_audio'))

  it.each([
    ['of nothing', '0', '0.00001'],
    ['of less', '0.00001', '0.0002'],
  ])('holds for a successor that is dearer than a price %s', async (_, price, limit) => {
    const before = dashscope().bill().dollars
    const settings = {
      ASR_MODEL: 'retired-asr,qwen3-asr-flash',
      SPEECH_MODELS: `retired-asr usd_per_second=${price}`,
      SPEECH_MAX_COST_USD: limit,
    }
    await expect(transcribe(settings)).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
      hint: expect.stringContaining('SPEECH_MAX_COST_USD'),
    })
    expect(dashscope().bill().dollars).toBe(before)
    const { result, dollars } = await transcribe({ ...settings, SPEECH_MAX_COST_USD: '0.001' })
    expect(result.usage.costUsd).toBeCloseTo(dollars, 6)
  })

  it('refuses no order for the price of a model that is not asked', async () => {
    const { result } = await transcribe({
      ASR_MODEL: 'qwen3-asr-flash,dear-asr',
      SPEECH_MODELS: 'dear-asr usd_per_second=1',
      SPEECH_MAX_COST_USD: '0.001',
    })
    expect(result.model).toBe('qwen3-asr-flash')
  })

  it('names the successor whose price is unknown, and asks it once SPEECH_MODELS has the price', async () => {
    const settings = { ASR_MODEL: 'retired-asr,qwen-audio-3.1-asr-flash', SPEECH_MAX_COST_USD: '1' }
    const prices = 'retired-asr usd_per_second=0'
    await expect(transcribe({ ...settings, SPEECH_MODELS: prices })).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN',
      hint: expect.stringContaining('SPEECH_MODELS: qwen-audio-3.1-asr-flash'),
    })
    const known = `${prices}; qwen-audio-3.1-asr-flash usd_per_second=0.00004`
    const { result } = await transcribe({ ...settings, SPEECH_MODELS: known })
    expect(result.model).toBe('qwen-audio-3.1-asr-flash')
    expect(result.segments.map(({ estimated }) => estimated)).not.toContain(true)
  })
})

describe('a model without a price', () => {
  const limit = { SPEECH_MAX_COST_USD: '1' }
  const dated = 'qwen3-asr-flash-filetrans-2026-02-10-beta'
  const unpriced: [string, Record<string, string>, (app: App) => Promise<unknown>][] = [
    ['chunks', { ASR_MODEL: 'my-asr', OSS_BUCKET: '' }, recognise('transcribe_audio')],
    ['files', { FILE_MODEL: dated }, recognise('diarize_audio')],
    ['text', { FORMAT_MODELS: 'qwen3.8-flash' }, format],
  ]

  it.each(unpriced)(
    'is refused for %s where a limit is set, before anything is sent',
    async (_, settings, work) => {
      const before = asked()
      await expect(billed({ ...limit, ...settings }, work)).rejects.toMatchObject({
        code: 'PRICE_UNKNOWN',
        message: expect.stringContaining(Object.values(settings)[0]!),
        hint: expect.stringContaining('SPEECH_MODELS'),
      })
      expect(asked()).toEqual(before)
    },
  )

  it('is refused no more once SPEECH_MODELS has its price, and costs that', async () => {
    const settings = {
      FORMAT_MODELS: 'qwen3.8-flash',
      SPEECH_MODELS: 'qwen3.8-flash usd_per_million_input=1 usd_per_million_output=2',
    }
    const { result, inputTokens, outputTokens } = await billed({ ...limit, ...settings }, format)
    expect(result.text!.usage.costUsd).toBeCloseTo((inputTokens + 2 * outputTokens) / 1e6, 6)
    expect(result.text!.warnings).toEqual([])
  })

  it('works without a limit, and the result says that its price is unknown', async () => {
    const { result } = await billed({ FORMAT_MODELS: 'qwen3.8-flash' }, format)
    expect(result.text!.usage.costUsd).toBeUndefined()
    expect(result.text!.warnings).toEqual([
      expect.stringMatching(/price of qwen3.8-flash is not known.*SPEECH_MODELS/),
    ])
    const ofChunks = { ASR_MODEL: 'qwen3-asr-flash-us,qwen3-asr-flash', OSS_BUCKET: '' }
    const { result: known } = await billed(ofChunks, recognise('transcribe_audio'))
    expect(known.warnings).toEqual([expect.stringMatching(/^qwen3-asr-flash answered in place/)])
  })

  it('is not asked under a limit in place of another model', async () => {
    const before = dashscope().textRequests.length
    dashscope().set({ goneModels: ['qwen-flash'] })
    const settings = { ...limit, FORMAT_MODELS: 'qwen-flash,qwen3.8-flash,gemini-3.5-flash-lite' }
    const { result } = await billed(settings, format)
    expect(result.text!.models).toEqual(['gemini-3.5-flash-lite'])
    expect(
      dashscope()
        .textRequests.slice(before)
        .map(({ model }) => model),
    ).not.toContain('qwen3.8-flash')
  })
})
