// Excerpts of a transcript for a search: their selection and length.
import { describe, expect, it } from 'vitest'
import { excerpts } from '../../../src/formats/excerpts.ts'
import { segment, transcript } from '../../support/transcripts.ts'

describe('excerpts', () => {
  const talk = transcript({
    segments: [
      segment('We begin with the budget.', 0, 4),
      segment('The budget is fine, the budget is good.', 5, 9),
      segment('Budgets are dull.', 10, 12),
      segment('Then comes the café: Zoë says "don’t ask-not today".', 13, 17),
      segment('我和王老师去了杭州。', 20, 23),
      segment(`${'word '.repeat(60)}needle ${'word '.repeat(60)}`, 30, 60),
    ],
  })
  const starts = async (query: string) => (await excerpts(talk, query)).map(({ start }) => start)

  it.each([
    ['budget', [0, 5, 10]],
    ['budget needle', [0, 5, 30]],
    ['CAFE', [13]],
    ['zoe', [13]],
    ['"ask not"', [13]],
    ['„ask not“', [13]],
    ['don’t', [13]],
    ['"not ask"', []],
    ['"the budget"', [0, 5]],
    ['udget', []],
    ['王老师', [20]],
    ['老师王', []],
    ['杭', [20]],
    ['"', []],
  ])('the query %s finds the expected excerpts', async (query, expected) => {
    expect(await starts(query)).toEqual(expected)
  })

  it('excerpts are short and consist of whole words', async () => {
    const { text } = (await excerpts(talk, 'needle'))[0]!
    expect(text).toMatch(/^…(?:word )+needle (?:word )+word…$/)
    expect(text.length).toBeLessThan(250)
    expect((await excerpts(talk, 'dull'))[0]!.text).toBe('Budgets are dull.')
  })

  it('excerpts never cut a character in two', async () => {
    const emoji = transcript({ segments: [segment(`${'😀'.repeat(101)} needle ${'😀'.repeat(301)}`, 0, 9)] })
    const { text } = (await excerpts(emoji, 'needle'))[0]!
    expect(() => encodeURIComponent(text)).not.toThrow()
  })
})
