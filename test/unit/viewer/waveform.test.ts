// The picture of the sound: its columns and their heights.
import { describe, expect, it } from 'vitest'
import type { ViewerRow } from '../../../src/viewer/page/contract.ts'
import { columnsOf, shareOf } from '../../../src/viewer/page/sound/columns.ts'
import { viewerDataOf } from '../../support/viewer-data.ts'

const row = (start: number, end: number, more: Partial<ViewerRow> = {}): ViewerRow => {
  return { start, end, text: 'x', words: [], ...more }
}
const columns = (rows: ViewerRow[], duration: number, count: number) =>
  columnsOf(viewerDataOf({ rows, duration }), count).map(column =>
    column?.ofGap === undefined ? column?.speaker : 'gap',
  )

describe('columns', () => {
  it('a column has the colour of who speaks longest in it', () => {
    const rows = [row(0, 4, { speaker: 0 }), row(4, 5.5, { speaker: 1 }), row(7, 8, { speaker: -1 })]
    expect(columns(rows, 8, 4)).toEqual([0, 0, 1, -1])
    expect(columns([row(0, 0.4, { speaker: 0 }), row(0.4, 1, { speaker: 1 })], 1, 1)).toEqual([1])
  })

  it('a gap is shown before all else, however short it is', () => {
    const rows = [row(0, 100, { speaker: 0 }), row(50, 50.1, { isGap: true })]
    expect(columns(rows, 100, 10).filter(name => name === 'gap')).toHaveLength(3)
  })

  it('where nobody speaks, there is no colour', () => {
    expect(columns([row(5, 6, { speaker: 0 })], 10, 10).filter(name => name !== undefined)).toEqual([0])
  })

  it('an uncertain speaker is marked', () => {
    const data = viewerDataOf({ rows: [row(0, 1, { speaker: 0, isDoubtful: true })], duration: 1 })
    expect(columnsOf(data, 1)[0]).toMatchObject({ speaker: 0, isDoubtful: true })
  })
})

describe('heights', () => {
  it('the highest peak fills the picture, and quiet sound is lifted', () => {
    const peaks = [0, 10, 100, 50]
    expect(shareOf(peaks, 0.5, 0.75, 100)).toBe(1)
    expect(shareOf(peaks, 0, 0.25, 100)).toBe(0)
    expect(shareOf(peaks, 0.25, 0.5, 100)).toBeGreaterThan(0.1)
  })

  it('a column that lies within one peak, or over several, has the highest of them', () => {
    expect(shareOf([0, 100], 0.6, 0.65, 100)).toBe(1)
    expect(shareOf([0, 100, 0, 0], 0, 1, 100)).toBe(1)
  })

  it('without peaks all columns are equal', () => {
    expect(shareOf([], 0, 1, 1)).toBe(shareOf([], 0.5, 0.6, 1))
  })
})
