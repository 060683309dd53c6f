// Rows of a long list that are in view.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHeights, estimateHeight, rowsInView } from '../../../src/viewer/page/virtual-list.ts'

const sum = (heights: number[]) => heights.reduce((all, height) => all + height, 0)

describe('heights of rows', () => {
  it('the row at a distance is the one whose heights before it sum up to no more', () => {
    const lists = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(lists, fc.nat(), fc.integer({ min: 1, max: 900 }), (list, at, height) => {
        const heights = createHeights(list)
        const index = at % list.length
        expect(heights.set(index, height)).toBe(height - list[index]!)
        const now = list.with(index, height)
        expect(heights.total).toBe(sum(now))
        for (const i of [0, index, list.length - 1]) {
          const top = sum(now.slice(0, i))
          expect(heights.top(i)).toBe(top)
          expect(heights.at(top)).toBe(i)
          expect(heights.at(top + now[i]! - 0.5)).toBe(i)
        }
      }),
    )
  })

  it('distances outside of the list lead to its ends', () => {
    const heights = createHeights([10, 10, 10])
    expect([heights.at(-5), heights.at(0), heights.at(1e9)]).toEqual([0, 0, 2])
    expect(createHeights([]).total).toBe(0)
  })

  it('the rows in view are few, however long the list is', () => {
    const heights = createHeights(Array(100_000).fill(50))
    const { first, last } = rowsInView(heights, 100_000, { top: 2_000_000, height: 600, more: 400 })
    expect([first, last]).toEqual([39_992, 40_020])
    expect(rowsInView(createHeights([]), 0, { top: 0, height: 600, more: 400 }).last).toBe(-1)
  })

  it('a text of scripts with wide letters takes more lines', () => {
    const room = { line: 24, rest: 30 }
    expect(estimateHeight('字'.repeat(100), 400, room)).toBeGreaterThan(
      estimateHeight('a'.repeat(100), 400, room),
    )
    expect(estimateHeight('', 400, room)).toBe(54)
  })
})
