// Addresses of parts of a recording: a cited second, and a clip. Whatever is written there, nothing else is read.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clipUri, partUriOf } from '../../../src/server/uris.ts'

describe('the address of a part', () => {
  it.each([
    ['transcript://tr_1?t=83.5', { id: 'tr_1', kind: 'at', from: 83.5 }],
    ['transcript://tr_1?t=1:23.5', { id: 'tr_1', kind: 'at', from: 83.5 }],
    ['transcript://tr_1/audio', { id: 'tr_1', kind: 'clip', from: 0 }],
    ['transcript://tr_1/audio?to=0:20', { id: 'tr_1', kind: 'clip', from: 0, to: 20 }],
    ['transcript://tr_1/audio?to=9&from=1:02:03', { id: 'tr_1', kind: 'clip', from: 3723, to: 9 }],
    ['transcript://tr_1/audio?from=1%3A20', { id: 'tr_1', kind: 'clip', from: 80 }],
    ['transcript://tr_1?t=', { id: 'tr_1', kind: 'at', from: Number.NaN }],
    ['transcript://tr_1/audio?from=-1', { id: 'tr_1', kind: 'clip', from: Number.NaN }],
  ])('%s is understood', (uri, part) => {
    expect(partUriOf(uri)).toEqual(part)
  })

  it.each([
    'transcript://tr_1',
    'transcript://tr_1/srt?preset=bbc',
    'transcript://tr_1?q=1',
    'transcript://tr_1?t=1&q=2',
    'transcript://tr_1/audio?start=1',
    'transcript://tr_1/audio/x?from=1',
    'transcript://tr_1/audio#x',
    'transcript://?t=1',
    'https://tr_1?t=1',
  ])('%s is none', uri => {
    expect(partUriOf(uri)).toBeUndefined()
  })

  it('any text after the id gives times of a recording, or none', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('?t=', '/audio?from=', '/audio?to=', '/audio?', '?'),
        (text, before) => {
          const part = partUriOf(`transcript://tr_1${before}${text}`)
          if (!part) return
          expect(part.id).toBe('tr_1')
          for (const time of [part.from, part.to ?? 0]) expect(Number.isNaN(time) || time >= 0).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('the address of a clip names the same clip', () => {
    expect(partUriOf(clipUri('tr_1', 1.25, 9))).toEqual({ id: 'tr_1', kind: 'clip', from: 1.25, to: 9 })
    expect(partUriOf(clipUri('tr_1', 1.25))).toEqual({ id: 'tr_1', kind: 'clip', from: 1.25 })
  })
})
