// Ranges of bytes that a browser asks for.
import { expect, it } from 'vitest'
import { rangeOf } from '../../../../src/server/viewer/range.ts'

it.each([
  ['bytes=0-', { first: 0, last: 99 }],
  ['bytes=10-19', { first: 10, last: 19 }],
  ['bytes=90-500', { first: 90, last: 99 }],
  ['bytes=-10', { first: 90, last: 99 }],
  ['bytes=-500', { first: 0, last: 99 }],
  ['bytes=100-', 'outside'],
  ['bytes=-0', 'outside'],
  ['bytes=5-2', 'none'],
  ['bytes=0-1,5-6', 'none'],
  ['bytes=-', 'none'],
  ['items=0-1', 'none'],
  [undefined, 'none'],
])('the range %s of 100 bytes is %j', (header, expected) => {
  expect(rangeOf(header, 100)).toEqual(expected)
})
