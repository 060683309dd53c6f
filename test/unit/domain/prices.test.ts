// Prices of text models for the tokens of a request.
import { describe, expect, it } from 'vitest'
import { usdForTokens, usdPerMillionTokens } from '../../../src/domain/prices.ts'

describe('the price of tokens', () => {
  const usage = { inputTokens: 1_000, outputTokens: 500 }
  it.each([
    ['qwen-turbo', 0.00015],
    ['qwen-flash', 0.00025],
    ['qwen-flash-2025-07-28', 0.00025],
    ['gemini-2.5-flash', 0.00155],
    ['gemini-3.5-flash-lite', undefined],
  ])('is known for %s', (model, expected) => {
    expect(usdForTokens(model, usage)).toBe(expected)
  })

  it('the price of tokens is unknown for long requests, and where no tokens were counted', () => {
    expect(usdForTokens('qwen-flash', { inputTokens: 256_001, outputTokens: 1 })).toBeUndefined()
    expect(usdForTokens('qwen-flash', { inputTokens: 0, outputTokens: 0 })).toBeUndefined()
    expect(usdPerMillionTokens('qwen-flash')).toEqual({ input: 0.05, output: 0.4 })
  })
})
