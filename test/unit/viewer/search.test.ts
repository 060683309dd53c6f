// Search in the rows of the page.
import { describe, expect, it } from 'vitest'
import { createSearch, hitFrom, maxHits } from '../../../src/viewer/page/search.ts'

const rowsOf = (...texts: string[]) => texts.map((text, i) => ({ start: i, end: i + 1, text, words: [] }))
const found = (query: string, ...texts: string[]) =>
  createSearch(rowsOf(...texts))(query).map(({ row, from, to }) => texts[row]!.slice(from, to))

describe('search in the page', () => {
  it('case, accents and the width of letters do not matter, and the original letters are marked', () => {
    expect(found('ecole', 'Die École, e\u0301cole', 'ECOLE')).toEqual(['École', 'e\u0301cole', 'ECOLE'])
    expect(found('ｂｕｄｇｅｔ', 'The Budget')).toEqual(['Budget'])
    expect(found('STRASSE', 'Straße', 'strasse')).toEqual(['strasse'])
  })

  it('letters beyond the basic plane do not shift the marks', () => {
    expect(found('budget', '🎉🎉 é budget')).toEqual(['budget'])
    expect(found('预算', '我们的预算很多')).toEqual(['预算'])
  })

  it('an empty query has no hits, and signs are no pattern', () => {
    expect(found('  ', 'a b')).toEqual([])
    expect(found('.*', 'a.*b', 'abc')).toEqual(['.*'])
  })

  it('reasons of gaps are no speech', () => {
    const rows = [{ start: 0, end: 1, text: 'refused', isGap: true as const, words: [] }]
    expect(createSearch(rows)('refused')).toEqual([])
  })

  it('hits are limited, and the search begins at the row in view', () => {
    const hits = createSearch(rowsOf('a'.repeat(20_000)))('a')
    expect(hits.length).toBe(maxHits)
    const some = createSearch(rowsOf('x', 'y', 'x', 'y'))('y')
    expect([hitFrom(some, 0), hitFrom(some, 2), hitFrom(some, 4)]).toEqual([0, 1, 0])
  })
})
