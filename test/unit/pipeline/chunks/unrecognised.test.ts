// Speech without recognised words: the stretches that are reported.
import { describe, expect, it } from 'vitest'
import { findUnrecognised } from '../../../../src/pipeline/chunks/unrecognised.ts'

const spans = (...pairs: [number, number][]) => pairs.map(([start, end]) => ({ start, end }))

describe('findUnrecognised', () => {
  it.each([
    ['all of it has words (nothing)', spans([0, 20]), spans([0, 20]), []],
    ['the words reach nearly as far (nothing)', spans([0, 20]), spans([1, 9], [11, 18.6]), []],
    ['a short part has none', spans([0, 20]), spans([0, 8], [14, 20]), []],
    ['there are no words at all', spans([0, 20]), [], [{ start: 0, end: 20, speechSeconds: 20 }]],
    ['the end has none', spans([0, 30]), spans([0, 10]), [{ start: 11.5, end: 30, speechSeconds: 18.5 }]],
    [
      'the middle has none',
      spans([0, 40]),
      spans([0, 10], [30, 40]),
      [{ start: 11.5, end: 28.5, speechSeconds: 17 }],
    ],
    [
      'several parts close to each other have none',
      spans([0, 10], [12, 15], [17, 20], [40, 42]),
      spans([0, 9.5]),
      [{ start: 12, end: 20, speechSeconds: 6 }],
    ],
    ['there is no speech', [], [], []],
  ])('reports speech without text where %s', (_, speech, text, expected) => {
    expect(findUnrecognised(speech, text)).toEqual(expected)
  })
})
