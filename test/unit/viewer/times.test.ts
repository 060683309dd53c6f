// The words at a time, the sound that is needed, and the stretch that a person has chosen.
import { describe, expect, it } from 'vitest'
import { linkTo, quoteOf, stretchBetween, timeInLink } from '../../../src/viewer/page/stretch.ts'
import {
  clock,
  nextFrom,
  pieceAt,
  rowAt,
  spokenTime,
  wordAt,
  wordAtOffset,
} from '../../../src/viewer/page/times.ts'
import { viewerDataOf } from '../../support/viewer-data.ts'

const row = { start: 10, end: 12, text: 'one two', words: [0, 3, 0, 500, 4, 7, 900, 1400], speaker: 0 }
const later = { start: 20, end: 22, text: 'three', words: [0, 5, 0, 1000], speaker: -1 }

describe('times of the page', () => {
  it('times are shown as clocks, and said as words', () => {
    expect([clock(7.9), clock(3723)]).toEqual(['0:07', '1:02:03'])
    expect([spokenTime(0), spokenTime(61), spokenTime(3600)]).toEqual([
      '0 seconds',
      '1 minute 1 second',
      '1 hour',
    ])
  })

  it('the row that is heard is the last one that has begun', () => {
    expect([9, 10, 19.9, 20, 99].map(time => rowAt([row, later], time))).toEqual([-1, 0, 0, 1, 1])
  })

  it('the word that is said stays marked until the next one begins', () => {
    const at = (time: number) => wordAt(row, time)?.from
    expect([9.9, 10, 10.6, 10.9, 11.9].map(at)).toEqual([undefined, 0, 0, 4, 4])
    expect(wordAt({ ...row, words: [] }, 11)).toBeUndefined()
  })

  it('a click plays the word at its place, one between words the word before', () => {
    expect([0, 2, 3, 4, 7].map(offset => wordAtOffset(row, offset)?.start)).toEqual([10, 10, 10, 10.9, 10.9])
  })

  it('sound goes on at the end of its piece, and ends with the recording', () => {
    expect(nextFrom({ start: 0, end: 25, next: 26 }, 100)).toBe(25)
    expect(nextFrom({ start: 75, end: 100 }, 100)).toBeUndefined()
    expect(nextFrom({ start: 75, end: 99.97, next: 100 }, 100)).toBeUndefined()
  })

  it('a piece serves a time only if something is left to hear', () => {
    const pieces = [{ start: 0, end: 25 }]
    expect([0, 24, 24.99, 26].map(time => pieceAt(pieces, time) !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})

describe('a chosen stretch', () => {
  const data = viewerDataOf({
    rows: [row, { start: 13, end: 19, text: 'refused', isGap: true, words: [] }, later],
  })

  it('a stretch goes from the word of its start to that of its end, and quotes who spoke', () => {
    expect(stretchBetween(data, { row: 0, offset: 5 }, { row: 2, offset: 3 })).toEqual({
      start: 10.9,
      end: 21,
      quote: 'Alice: two\n?: three',
    })
  })

  it('a stretch that ends at the start of a row holds nothing of it', () => {
    expect(stretchBetween(data, { row: 0, offset: 0 }, { row: 2, offset: 0 })?.quote).toBe('Alice: one two')
  })

  it('a gap alone is no stretch', () => {
    expect(stretchBetween(data, { row: 1, offset: 0 }, { row: 1, offset: 4 })).toBeUndefined()
  })

  it('the link names the second before which the quote does not begin', () => {
    const here = 'http://127.0.0.1:1/secret/'
    expect(linkTo({ id: 'tr_1' }, 83.456, here)).toBe('transcript://tr_1?t=83.4')
    expect(quoteOf({ ...data, id: 'tr_1' }, { start: 83.4, end: 85, quote: 'Hello.' }, here)).toBe(
      'Hello.\n(1:23, transcript://tr_1?t=83.4)',
    )
  })

  it('where the page has an address for others, the link leads there, and the page reads its second', () => {
    const shared = { ...data, endsAt: '2026-12-01T09:00:00.000Z' }
    const link = linkTo(shared, 83.456, 'https://host/t/sealed/#t=5')
    expect(link).toBe('https://host/t/sealed/#t=83.4')
    expect(quoteOf(shared, { start: 83.4, end: 85, quote: 'Hello.' }, link)).toBe(`Hello.\n(1:23, ${link})`)
    expect(timeInLink(new URL(link).hash)).toBe(83.4)
    for (const hash of ['', '#', '#t=', '#t=x', '#t=-1', '#t=1e9', '#t=1&x', '#list'])
      expect(timeInLink(hash)).toBeUndefined()
  })
})
