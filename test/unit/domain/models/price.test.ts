// Prices of models for the usage of a request, and estimates for the length of a recording.
import { describe, expect, it } from 'vitest'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import { usdForUsage, usdPerSecond } from '../../../../src/domain/models/price.ts'

const text = (name: string) => knownModels.find(name, 'text')
const words = (name: string) => knownModels.find(name, 'words')

describe('the price of tokens', () => {
  const usage = { inputTokens: 1_000, outputTokens: 500 }
  it.each([
    ['qwen-turbo', 0.00015],
    ['qwen-flash', 0.00025],
    ['qwen-flash-2025-07-28', 0.00025],
    ['gemini-2.5-flash', 0.00155],
    ['who-knows', undefined],
  ])('is known for %s', (model, expected) => {
    expect(usdForUsage(text(model), usage)).toBe(expected)
  })

  it('the price of tokens is unknown for long requests, and where no tokens were counted', () => {
    expect(usdForUsage(text('qwen-flash'), { inputTokens: 256_001, outputTokens: 1 })).toBeUndefined()
    expect(usdForUsage(text('qwen-flash'), { inputTokens: 0, outputTokens: 0 })).toBeUndefined()
  })
})

describe('the price of speech', () => {
  it('a price a second is multiplied with the seconds that the response reports', () => {
    expect(usdForUsage(words('fun-asr'), { seconds: 100 })).toBe(0.0035)
    expect(usdForUsage(words('fun-asr'), {})).toBeUndefined()
  })

  it('a price by tokens is estimated for a second of speech, and exact for an answer', () => {
    const model = words('qwen-audio-3.1-asr-flash-filetrans')
    expect(usdPerSecond(model)! * 3600).toBeCloseTo(0.0206, 4)
    expect(usdForUsage(model, { inputTokens: 90_000, outputTokens: 14_000 })).toBe(0.02008)
  })
})
