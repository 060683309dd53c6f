// Times of a recording as people read them.
import { describe, expect, it } from 'vitest'
import { formatTime } from '../../../src/domain/format-time.ts'

describe('formatTime', () => {
  it.each([
    [0, '0:00'],
    [59.999, '0:59'],
    [187, '3:07'],
    [3599, '59:59'],
    [3600, '1:00:00'],
    [3723.4, '1:02:03'],
    [90_000, '25:00:00'],
    [-0.001, '0:00'],
  ])('%f seconds are shown as %s', (seconds, text) => {
    expect(formatTime(seconds)).toBe(text)
  })
})
