// How long chunks should be, by where they begin and how long the recording is.
import { describe, expect, it } from 'vitest'
import { chunkLength } from '../../../../src/pipeline/chunks/chunk-lengths.ts'

interface Cutting {
  isKnown?: boolean
  max?: number
  /** Seconds that a cut is late, by turns. */
  late?: number[]
}

/** Lengths of all chunks where each ends exactly where it should, unless it is late. */
function lengthsOf(total: number, { isKnown = true, max = 170, late = [0] }: Cutting = {}): number[] {
  const lengths: number[] = []
  for (let start = 0; start < total; start += lengths.at(-1)!) {
    const rest = total - start
    const aim = chunkLength({ start, chunksBefore: lengths.length }, isKnown ? total : undefined, max)
    const length = aim + 0.001 < rest ? aim + late[lengths.length % late.length]! : rest
    lengths.push(Math.min(length, max, rest))
  }
  return lengths
}

const rounded = (lengths: number[]) => lengths.map(Math.round)

describe('the length of chunks', () => {
  it.each([1, 60, 150])('a recording of %i s is one chunk', total => {
    expect(lengthsOf(total)).toEqual([total])
  })

  it.each([
    [240, [30, 30, 30, 30, 30, 30, 30, 30]],
    [600, [90, 81, 80, 77, 73, 70, 66, 63]],
    [1_200, [160, 157, 154, 151, 149, 146, 143, 140]],
  ])('a recording of %i s is heard by eight requests at once, the last ones shorter', (total, lengths) => {
    expect(rounded(lengthsOf(total))).toEqual(lengths)
  })

  it.each([
    [160, 5],
    [200, 6],
    [230, 7],
  ])('no part is shorter than half a minute: %i s have %i', (total, count) => {
    const lengths = lengthsOf(total)
    expect(lengths).toHaveLength(count)
    expect(Math.min(...lengths)).toBeGreaterThan(29.99)
  })

  it.each([[[5, -5]], [[-6]], [[6]], [[12, -12, 3]]])(
    'a cut makes good for the one before, so that no ninth request waits: %o s',
    late => {
      for (const total of [420, 600, 900, 1_200]) {
        const lengths = lengthsOf(total, { late })
        expect(lengths).toHaveLength(8)
        expect(Math.max(...lengths)).toBeLessThan((total / 8) * 1.2 + 25)
      }
    },
  )

  it('speech behind a long silence is not cut into tiny parts', () => {
    for (const total of [200, 300, 600, 1_200])
      for (const chunksBefore of [0, 1, 3])
        for (const rest of [5, 25, 31, 38, 44])
          expect(chunkLength({ start: total - rest, chunksBefore }, total, 170)).toBeGreaterThan(rest)
  })

  it('no longer recording ends with a tiny chunk', () => {
    for (let total = 1_279; total < 7_200; total += 7)
      expect(lengthsOf(total).at(-1), `${total} s`).toBeGreaterThan(20)
  })

  it('the first and the last chunks of an hour are short, and the others as long as they may be', () => {
    const lengths = lengthsOf(3_600)
    expect(lengths.slice(0, 4)).toEqual([45, 45, 90, 150])
    expect(lengths.at(-1)).toBeLessThanOrEqual(45)
    expect(lengths.slice(3, -6).every(length => length === 150)).toBe(true)
    expect(lengths.length).toBeLessThan(32)
  })

  it('without a known length only the first chunks are short', () => {
    expect(lengthsOf(900, { isKnown: false })).toEqual([45, 45, 90, 150, 150, 150, 150, 120])
  })

  it('no chunk is longer than its model takes', () => {
    for (const total of [31, 59, 100, 600, 3_600])
      for (const length of lengthsOf(total, { max: 30 })) expect(length).toBeLessThanOrEqual(30)
    for (const total of [100, 600, 3_600]) expect(Math.max(...lengthsOf(total, { max: 20 }))).toBe(20)
  })

  it.each([100, 700, 3_600])(
    'behind the end that a header of %i s tells, chunks are as long as without a header',
    header => {
      expect(chunkLength({ start: 5_000, chunksBefore: 8 }, header, 170)).toBe(150)
    },
  )
})
