// Peaks of a recording for a picture of it.
import { expect, it } from 'vitest'
import { createPeaks } from '../../../../src/pipeline/clips/peaks.ts'

const bytesOf = (samples: number[]) => Buffer.from(Int16Array.from(samples).buffer)

it('each stretch has its highest sample, of either sign, as a part of the loudest that there can be', () => {
  const peaks = createPeaks(3, 6)
  peaks.add(0, bytesOf([0, 16_384, -32_768, 5, 0, -1]))
  expect(peaks.peaks()).toEqual([128, 255, 0])
})

it('stretches do not depend on how the samples come', () => {
  const samples = Array.from({ length: 1003 }, (_, i) => Math.round(30_000 * Math.sin(i * i)))
  const whole = createPeaks(37, samples.length)
  whole.add(0, bytesOf(samples))
  const parts = createPeaks(37, samples.length)
  for (let at = 0; at < samples.length; at += 11) {
    // At an odd address, as a pipe brings them.
    const buffer = Buffer.concat([Buffer.alloc(1), bytesOf(samples.slice(at, at + 11))]).subarray(1)
    parts.add(at, buffer)
  }
  expect(parts.peaks()).toEqual(whole.peaks())
  for (const [i, peak] of whole.peaks().entries()) {
    const own = samples.filter((_, at) => Math.floor((at * 37) / samples.length) === i)
    expect(peak, String(i)).toBe(Math.min(255, Math.round((Math.max(...own.map(Math.abs)) * 255) / 32_768)))
  }
})

it('of several voices, the louder one counts', () => {
  const peaks = createPeaks(2, 4)
  peaks.add(0, bytesOf([0, 0, 16_384, 0]))
  peaks.add(0, bytesOf([16_384, 0, 100, 0]))
  expect(peaks.peaks()).toEqual([128, 128])
})

it('samples behind the end belong to the last stretch', () => {
  const peaks = createPeaks(2, 4)
  peaks.add(0, bytesOf([1, 1, 1, 1, 1, 16_384]))
  expect(peaks.peaks()).toEqual([0, 128])
})
