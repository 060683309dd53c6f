// Estimated token counts of text in many scripts.
import { describe, expect, it } from 'vitest'
import { estimateModelTokens } from '../../../../src/domain/models/model-tokens.ts'

describe('estimateModelTokens', () => {
  it.each([
    ['', 0],
    ['abcd', 1],
    ['abcde', 2],
    ['привет', 3],
    ['你好', 2],
    ['カー', 2],
    ['안녕', 2],
    ['😀', 1],
    ['abcd你好', 3],
  ])('%j is estimated at %i tokens', (text, count) => {
    expect(estimateModelTokens(text)).toBe(count)
  })
})
