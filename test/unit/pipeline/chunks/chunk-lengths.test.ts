// How long chunks should be, by where they begin and how long the recording is.
import { describe, expect, it } from 'vitest'
import { chunkLength } from '../../../../src/pipeline/chunks/chunk-lengths.ts'

/** Lengths of all chunks where each ends exactly where it should. */
function lengthsOf(total: number, { isKnown = true, max = 150 } = {}): number[] {
  const lengths: number[] = []
  for (let start = 0; start < total; start += lengths.at(-1)!)
    lengths.push(chunkLength(start, isKnown ? total : undefined, max))
  return lengths
}

describe('the length of chunks', () => {
  it.each([1, 60, 150])('a recording of %i s is one chunk', total => {
    expect(lengthsOf(total)).toEqual([150])
  })

  it.each([240, 600, 1_000])('a recording of %i s is heard by eight requests at once', total => {
    expect(lengthsOf(total)).toEqual(new Array(8).fill(total / 8))
  })

  it('no equal part is shorter than half a minute', () => {
    expect(lengthsOf(200)).toEqual(new Array(7).fill(30))
  })

  it('the first and the last chunks of an hour are short, and the others as long as they may be', () => {
    const lengths = lengthsOf(3_600)
    expect(lengths.slice(0, 4)).toEqual([45, 45, 90, 150])
    expect(lengths.at(-1)).toBe(45)
    expect(lengths.slice(4, -6).every(length => length === 150)).toBe(true)
    expect(lengths.length).toBeLessThan(32)
  })

  it('without a known length only the first chunks are short', () => {
    expect(lengthsOf(900, { isKnown: false })).toEqual([45, 45, 90, 150, 150, 150, 150, 150])
  })

  it('no chunk is longer than its model takes', () => {
    for (const total of [100, 600, 3_600]) expect(Math.max(...lengthsOf(total, { max: 20 }))).toBe(20)
  })

  it.each([100, 700, 3_600])(
    'behind the end that a header of %i s tells, chunks are as long as without a header',
    header => {
      expect(chunkLength(5_000, header, 150)).toBe(150)
    },
  )
})
