// Borders of clips: no word is cut, nothing is left out where one clip goes on behind another, and hostile times are harmless.
import { describe, expect, it } from 'vitest'
import { roundToMs, type Segment } from '../../../../src/domain/transcript.ts'
import { longGapSeconds, stretchOf, type Unit, unitsOf } from '../../../../src/pipeline/clips/borders.ts'
import { cutAt, findQuiet } from '../../../../src/pipeline/clips/quiet.ts'
import { randomNumbers, sentencesOf, wordsCutAt } from '../../../support/audio/clip-words.ts'
import { decodedSamples } from '../../../support/audio/hear.ts'
import { fixture, truth } from '../../../support/e2e/system.ts'

const fixtures = ['interview', 'meeting', 'clip', 'voice-note', 'russian', 'chinese', 'jfk']
const maxSeconds = 25

/** As many stretches of each fixture as of the others. */
function randomStretches(count: number, estimated: boolean) {
  const random = randomNumbers(7)
  return fixtures.flatMap(name => {
    const known = truth(name)
    const { duration } = known
    const units = unitsOf(sentencesOf(known, estimated))
    return Array.from({ length: Math.ceil(count / fixtures.length) }, () => {
      const from = random() * duration * 0.99
      const to = Math.min(duration, from + 0.01 + random() * 40)
      return { name, known, from, to, stretch: stretchOf(units, { from, to, duration, maxSeconds }) }
    })
  })
}

describe('borders between words', () => {
  it('no word is cut by 1,000 random clips of the fixtures, by the times of their words', () => {
    const stretches = randomStretches(1000, false)
    expect(stretches.length).toBeGreaterThanOrEqual(1000)
    const cut = stretches.flatMap(({ known, stretch: { start, end } }) =>
      wordsCutAt(known, [start.time, end.time]),
    )
    expect(cut).toEqual([])
  })

  it('a clip holds all that was asked for, or says where it goes on', () => {
    for (const { known, from, to, stretch } of randomStretches(500, false)) {
      const { duration } = known
      const { start, end, next } = stretch
      const behind = known.words.find(word => word.start >= start.time - 0.001)
      expect(start.time <= from || start.time <= (behind?.start ?? duration)).toBe(true)
      expect(end.time - start.time).toBeLessThanOrEqual(maxSeconds + 0.001)
      if (next === undefined)
        expect(end.time).toBeGreaterThanOrEqual(Math.min(to, end.gap.end - 0.06) - 0.001)
      else expect(next).toBeGreaterThan(start.time)
    }
  })

  it.each([false, true])(
    'clips that go on one after the other hold each word once (estimated: %s)',
    estimated => {
      for (const name of fixtures) {
        const known = truth(name)
        const { duration } = known
        const units = unitsOf(sentencesOf(known, estimated))
        const counts = known.words.map(() => 0)
        let from: number | undefined = 0
        for (let clips = 0; from !== undefined; clips++) {
          const stretch = stretchOf(units, { from, to: duration, duration, maxSeconds })
          const [start, end] = [stretch.start.time, stretch.end.time]
          for (const [i, word] of known.words.entries()) {
            const middle = (word.start + word.end) / 2
            if (middle > start && middle < end) counts[i]!++
          }
          expect(clips).toBeLessThan(100)
          expect(stretch.next ?? duration + 1).toBeGreaterThan(from)
          from = stretch.next
        }
        expect(counts.every(count => count === 1)).toBe(true)
      }
    },
  )

  it('a word whose length was not measured reaches to the next one', () => {
    const words = [
      { text: 'So', start: 1, end: 1.001 },
      { text: 'long.', start: 1.4, end: 1.9 },
    ]
    const segments: Segment[] = [{ start: 1, end: 1.9, text: 'So long.', estimated: false, words }]
    const { start, end } = stretchOf(unitsOf(segments), { from: 0.9, to: 1.1, duration: 5, maxSeconds })
    expect([start.time, end.time]).toEqual([0.85, 1.4])
  })

  it('voices that speak at once are cut together', () => {
    const segments: Segment[] = [
      { start: 1, end: 4, text: 'I think that', estimated: false, speaker: 'S1' },
      { start: 3, end: 6, text: 'No, no, no.', estimated: false, speaker: 'S2' },
    ]
    const { start, end } = stretchOf(unitsOf(segments), { from: 3.5, to: 3.6, duration: 9, maxSeconds })
    expect([start.time, end.time]).toEqual([0.85, 6.15])
  })

  it('a passage without pauses for minutes is taken in parts, each of which goes on behind the last one', () => {
    const segments: Segment[] = [{ start: 0, end: 200, text: 'On and on', estimated: true }]
    const units = unitsOf(segments)
    let from: number | undefined = 0
    const parts: number[] = []
    while (from !== undefined) {
      parts.push(from)
      from = stretchOf(units, { from, to: 200, duration: 200, maxSeconds }).next
    }
    expect(parts.length).toBeGreaterThanOrEqual(8)
    expect(parts.every((part, i) => i === 0 || part > parts[i - 1]!)).toBe(true)
  })

  it('silence and music are cut where they were asked for', () => {
    const segments: Segment[] = [
      { start: 1, end: 2, text: 'Hello.', estimated: true },
      { start: 90, end: 92, text: 'Goodbye.', estimated: true },
    ]
    const options = { duration: 100, maxSeconds }
    const first = stretchOf(unitsOf(segments), { from: 10, to: 80, ...options })
    expect([first.start.time, first.end.time, first.next]).toEqual([10, 35, 35])
    const none = stretchOf([], { from: 10, to: 20, ...options })
    expect([none.start.time, none.end.time, none.next]).toEqual([10, 20, undefined])
  })

  it.each([false, true])('a silence longer than a clip is heard in parts (estimated: %s)', estimated => {
    const spoken = (start: number, text: string): Segment => ({
      ...{ start, end: start + 1, text, estimated },
      ...(!estimated && { words: [{ start, end: start + 1, text }] }),
    })
    const units = unitsOf([spoken(1, 'Hello.'), spoken(52, 'Goodbye.')])
    const parts = partsOf(units, { from: 0, to: 53, duration: 54 })
    expect(parts.map(({ start, end }) => [start.time, end.time])).toEqual([
      [0, 2.15],
      [2.15, 27.15],
      [27.15, 51.95],
      [51.85, 53.15],
    ])
  })

  it('words that overlap a little are each heard once', () => {
    const words = Array.from({ length: 60 }, (_, i) => ({ text: 'so', start: i, end: i + 1.03 }))
    const units = unitsOf([{ start: 0, end: 60.03, text: 'so', estimated: false, words }])
    const parts = partsOf(units, { from: 0, to: 61, duration: 61 })
    expect(parts.map(({ start }) => start.time)).toEqual([0, 24.015, 49.015])
    expect(parts.slice(0, 2).map(({ end, next }) => [end.time, next])).toEqual([
      [24.015, 24.015],
      [49.015, 49.015],
    ])
  })

  it('the parts of 500 random recordings go on, are never empty, and hold each word once', () => {
    const random = randomNumbers(11)
    for (let run = 0; run < 500; run++) {
      const { segments, duration } = randomSpeech(random)
      const from = roundToMs(random() * duration * 0.9)
      const to = roundToMs(from + 0.01 + random() * (duration - from))
      const parts = partsOf(unitsOf(segments), { from, to: Math.min(to, duration), duration })
      const times = parts.map(({ start, end }) => ({ start: start.time, end: end.time }))
      expect(times.every(({ start, end }) => end > start && end - start <= maxSeconds + 0.001)).toBe(true)
      // Of a short pause the middle may be left out.
      expect(times.slice(1).every(({ start }, i) => start - times[i]!.end < longGapSeconds)).toBe(true)
      const unlike = segments
        .flatMap(({ words = [] }) => words.map(({ start, end }) => (start + end) / 2))
        .filter(middle => middle > from && middle < to)
        .filter(middle => times.filter(({ start, end }) => middle > start && middle < end).length !== 1)
      expect(unlike, `run ${run}`).toEqual([])
    }
  })
})

/** The clips of a stretch, each asked for where the one before says that it goes on. */
function partsOf(units: Unit[], { from, to, duration }: { from: number; to: number; duration: number }) {
  const parts = [stretchOf(units, { from, to, duration, maxSeconds })]
  for (let now = from, next = parts[0]!.next; next !== undefined; next = parts.at(-1)!.next) {
    expect(next).toBeGreaterThan(now)
    expect(next).toBeLessThan(to)
    now = next
    parts.push(stretchOf(units, { from: next, to, duration, maxSeconds }))
  }
  return parts
}

/** Measured words, of which some overlap a little or are very long, and estimated sentences, among pauses and silences. */
function randomSpeech(random: () => number): { segments: Segment[]; duration: number } {
  const segments: Segment[] = []
  let now = random() < 0.3 ? 60 * random() : 0
  for (let i = 0; i < 12; i++) {
    const isEstimated = random() < 0.3
    const words = Array.from({ length: isEstimated ? 1 : 12 }, () => {
      const overlap = random() < 0.3 ? Math.min(now, 0.03 * random()) : -0.3 * random()
      const start = roundToMs(now - overlap)
      const seconds = isEstimated || random() < 0.03 ? 17 * random() : random()
      const end = roundToMs(start + 0.1 + seconds)
      now = end
      return { text: 'so', start, end }
    })
    const span = { start: words[0]!.start, end: words.at(-1)!.end }
    segments.push({ ...span, text: 'so', estimated: isEstimated, ...(!isEstimated && { words }) })
    now += random() < 0.3 ? 80 * random() : random()
  }
  return { segments, duration: roundToMs(now) }
}

describe('borders in the sound', () => {
  const heard = ['meeting', 'clip', 'chinese', 'jfk']

  it('no word is cut by random clips whose times are estimated and up to 0.3 s wrong', async () => {
    const samples = new Map<string, Int16Array>()
    for (const name of heard) samples.set(name, await decodedSamples(fixture(truth(name).recording)))
    const random = randomNumbers(3)
    const wrong = () => (random() - 0.5) * 0.6
    const stretches = randomStretches(300, true).filter(({ name }) => heard.includes(name))
    const cut = stretches.flatMap(({ name, known, stretch }) => {
      const from = Math.max(0, Math.floor(16_000 * (stretch.start.time - 2)))
      const own = samples.get(name)!.subarray(from, Math.floor(16_000 * (stretch.end.time + 2)))
      const quiet = findQuiet({ samples: own, start: from / 16_000 })
      const times = (['start', 'end'] as const).map(side => {
        const { time, gap, doubtSeconds } = stretch[side]
        const error = wrong()
        const shifted = { start: gap.start + error, end: gap.end + error }
        return cutAt({ time: time + error, gap: shifted, doubtSeconds }, quiet, side)
      })
      return wordsCutAt(known, times)
    })
    expect(cut).toEqual([])
  })
})
