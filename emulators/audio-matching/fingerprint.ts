// Audio fingerprints after Haitsma and Kalker: 32 bits per frame that survive lossy coding and volume changes.
import { bandCount, bandEnergies, hopSamples } from './fourier.ts'

// A bit compares a frame with an earlier one whose window does not overlap it.
const lagFrames = 4

/** Computes the fingerprints of `count` frames from frame `from` on; frame k starts at sample k * hopSamples. */
export function fingerprints(samples: Float32Array, from: number, count: number): Uint32Array {
  const rows = count + lagFrames
  const energies = new Float32Array((rows + 1) * bandCount)
  for (let row = 0; row < rows; row += 2) {
    const start = (from - lagFrames + row) * hopSamples
    bandEnergies(samples, start, start + hopSamples, energies, row * bandCount, (row + 1) * bandCount)
  }
  const prints = new Uint32Array(count)
  for (let k = 0; k < count; k++) {
    const then = k * bandCount
    const now = (k + lagFrames) * bandCount
    let bits = 0
    for (let band = 0; band + 1 < bandCount; band++) {
      const slope = energies[now + band]! - energies[now + band + 1]!
      const before = energies[then + band]! - energies[then + band + 1]!
      if (slope > before) bits |= 1 << band
    }
    prints[k] = bits
  }
  return prints
}
