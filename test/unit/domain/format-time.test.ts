// Times of a recording as people read them.
import { describe, expect, it } from 'vitest'
import { formatTime, parseTime } from '../../../src/domain/format-time.ts'

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

describe('parseTime', () => {
  it.each([
    ['83.5', 83.5],
    ['1:23.5', 83.5],
    [' 0:07 ', 7],
    ['1:02:03', 3723],
    ['90:00', 5400],
    ['0', 0],
  ])('%s is %f seconds', (text, seconds) => {
    expect(parseTime(text)).toBe(seconds)
  })

  it.each(['', '-1', '1:', ':3', 'NaN', 'Infinity', '1e9', '0x10', '1:2:3:4', '9'.repeat(400), '1.5:20'])(
    '"%s" is no time',
    text => {
      expect(parseTime(text)).toBeNaN()
    },
  )
})
