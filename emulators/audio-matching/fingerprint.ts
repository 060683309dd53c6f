// Sub-fingerprints of sound after Haitsma and Kalker: 32 bits per frame that survive coding and changes of volume.
import { BANDS, bandEnergies, HOP } from './fourier.ts'

// A bit compares a frame with the one this many hops before: their windows then do not overlap.
const LAG = 4

/** The fingerprints of `count` frames from frame `from` on; frame k starts at sample k * HOP. */
export function fingerprints(samples: Float32Array, from: number, count: number): Uint32Array {
  const rows = count + LAG
  const energies = new Float32Array((rows + 1) * BANDS)
  for (let row = 0; row < rows; row += 2) {
    const start = (from - LAG + row) * HOP
    bandEnergies(samples, start, start + HOP, energies, row * BANDS, (row + 1) * BANDS)
  }
  const prints = new Uint32Array(count)
  for (let k = 0; k < count; k++) {
    const then = k * BANDS
    const now = (k + LAG) * BANDS
    let bits = 0
    for (let band = 0; band + 1 < BANDS; band++) {
      const slope = energies[now + band]! - energies[now + band + 1]!
      const before = energies[then + band]! - energies[then + band + 1]!
      if (slope > before) bits |= 1 << band
    }
    prints[k] = bits
  }
  return prints
}

/** How many of 32 bits differ. */
export function distance(a: number, b: number): number {
  let x = a ^ b
  x -= (x >>> 1) & 0x55555555
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  x = (x + (x >>> 4)) & 0x0f0f0f0f
  return Math.imul(x, 0x01010101) >>> 24
}
