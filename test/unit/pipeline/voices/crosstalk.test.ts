// Removal of crosstalk: quiet copies of the other channel's words go, all other words stay.
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { withoutCrosstalk } from '../../../../src/pipeline/voices/crosstalk.ts'

describe('withoutCrosstalk', () => {
  /** A segment with words of half a second each. */
  const segment = (text: string, start: number): Segment => {
    const words = text
      .split(' ')
      .map((word, i) => ({ text: word, start: start + i / 2, end: start + (i + 1) / 2 }))
    return { text, start, end: words.at(-1)!.end, estimated: true, words }
  }
  /** Ten seconds of levels: the given level within the spans, silence elsewhere. */
  const loud = (level: number, ...spans: [number, number][]) =>
    Array.from({ length: 100 }, (_, i) => (spans.some(([a, b]) => i >= a * 10 && i < b * 10) ? level : -90))
  const texts = (sides: Segment[][]) => sides.map(side => side.map(({ text }) => text))

  it("removes the quiet copy and keeps the channel's own words", () => {
    const sides = withoutCrosstalk([
      { segments: [segment('shall we begin', 1)], levels: loud(-30, [1, 2.5]) },
      {
        segments: [segment('shall we begin yes please do', 1.2)],
        levels: loud(-55, [1, 2.5]).map((level, i) => (i >= 27 && i < 42 ? -30 : level)),
      },
    ])
    expect(texts(sides)).toEqual([['shall we begin'], ['yes please do']])
    expect(sides[1]![0]).toMatchObject({ start: 2.7, end: 4.2 })
  })

  it('withoutCrosstalk keeps both sentences where one speaker repeats the other', () => {
    const first = { segments: [segment('two point four', 1)], levels: loud(-30, [1, 2.5]) }
    const second = { segments: [segment('two point four', 2)], levels: loud(-30, [2.5, 4]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['two point four'], ['two point four']])
  })

  it('withoutCrosstalk keeps both sentences where both speakers say the same', () => {
    const first = { segments: [segment('bye bye then', 1)], levels: loud(-30, [1, 2.5]) }
    const second = { segments: [segment('bye bye then', 1)], levels: loud(-35, [1, 2.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['bye bye then'], ['bye bye then']])
  })

  it('keeps a sentence where it is louder, though two microphones of a room hear it', () => {
    const text = 'we shall order the new rollers'
    const first = { segments: [segment(text, 1)], levels: loud(-30, [1, 4]) }
    const second = { segments: [segment(`${text} cow`, 1.1)], levels: loud(-35, [1, 4.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([[text], []])
    expect(texts(withoutCrosstalk([second, first]))).toEqual([[], [text]])
  })

  it('keeps both sentences of two who speak in chorus, each the louder one at the own time', () => {
    const text = 'we wish you a happy birthday'
    const levels = (early: number, late: number) =>
      loud(early, [0.5, 2.8]).map((level, i) => (i >= 28 && i < 52 ? late : level))
    const first = { segments: [segment(text, 0.5)], levels: levels(-30, -35) }
    const second = { segments: [segment(text, 2.2)], levels: levels(-35, -30) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([[text], [text]])
  })

  it("keeps a speaker's own word behind a copy where the sentence as a whole is only a little quieter", () => {
    const copied = 'please order the rollers'
    const first = { segments: [segment(copied, 1)], levels: loud(-30, [1, 3]) }
    const levels = loud(-35, [1, 1.9]).map((level, i) => (i < 19 || i >= 35 ? level : i < 30 ? -50 : -30))
    const second = { segments: [segment(`${copied} yes`, 1)], levels }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([[copied], ['yes']])
  })

  it('withoutCrosstalk keeps two equal words, which may be chance', () => {
    const first = { segments: [segment('thank you', 1)], levels: loud(-30, [1, 2]) }
    const second = { segments: [segment('thank you', 1)], levels: loud(-60, [1, 2]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['thank you'], ['thank you']])
  })

  it('removes a copy whose estimated times are wrong', () => {
    const text = 'remind me who is left'
    const hasty = segment(text, 2.8)
    hasty.words = hasty.words!.map(({ text }, i) => ({ text, start: 2.8 + i / 10, end: 2.9 + i / 10 }))
    const first = { segments: [{ ...hasty, end: 3.3 }], levels: loud(-30, [4, 6.5]) }
    const second = { segments: [segment(text, 4)], levels: loud(-30, [2.5, 3.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([[text], []])
  })

  it('removes misrecognised words together with the copy around them', () => {
    const first = { segments: [segment('please order the rollers now', 1)], levels: loud(-30, [1, 3.5]) }
    const second = { segments: [segment('please order the rollers cow', 1)], levels: loud(-55, [1, 3.5]) }
    expect(texts(withoutCrosstalk([first, second]))).toEqual([['please order the rollers now'], []])
  })
})
