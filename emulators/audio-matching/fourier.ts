// Log band energies of short frames, by an FFT that transforms two real frames at a time.

/** Sample rate of all audio in this folder. */
export const sampleRateHz = 8000
/** Distance between frames: 16 ms. */
export const hopSamples = 128
/** Length of a frame: 64 ms. */
export const frameSamples = 512
/** Energy bands per frame; their 32 adjacent pairs give one bit each. */
export const bandCount = 33

const half = frameSamples / 2
const cosines = Float64Array.from({ length: half }, (_, i) => Math.cos((2 * Math.PI * i) / frameSamples))
const sines = Float64Array.from({ length: half }, (_, i) => -Math.sin((2 * Math.PI * i) / frameSamples))
const hann = Float64Array.from(
  { length: frameSamples },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / frameSamples),
)
const reversed = bitReversal(frameSamples)
const edges = bandEdges(250, 3500)
const real = new Float64Array(frameSamples)
const imaginary = new Float64Array(frameSamples)

/**
 * Writes the log energies of the frames starting at samples `first` and `second` to `out`, at the two indexes.
 * Samples outside the recording count as silence.
 */
export function bandEnergies(
  samples: Float32Array,
  first: number,
  second: number,
  out: Float32Array,
  firstAt: number,
  secondAt: number,
): void {
  for (let i = 0; i < frameSamples; i++) {
    const to = reversed[i]!
    real[to] = (samples[first + i] ?? 0) * hann[i]!
    imaginary[to] = (samples[second + i] ?? 0) * hann[i]!
  }
  transform()
  for (let band = 0; band < bandCount; band++) {
    let a = 0
    let b = 0
    for (let k = edges[band]!; k < edges[band + 1]!; k++) {
      // The two real signals form one complex signal; their spectra are its even and odd parts.
      const re = real[k]!
      const im = imaginary[k]!
      const mirrorRe = real[frameSamples - k]!
      const mirrorIm = imaginary[frameSamples - k]!
      a += (re + mirrorRe) ** 2 + (im - mirrorIm) ** 2
      b += (im + mirrorIm) ** 2 + (mirrorRe - re) ** 2
    }
    out[firstAt + band] = Math.log(a + 1e-6)
    out[secondAt + band] = Math.log(b + 1e-6)
  }
}

function transform(): void {
  for (let size = 2; size <= frameSamples; size *= 2) {
    const middle = size / 2
    const stride = frameSamples / size
    for (let j = 0; j < middle; j++) {
      const c = cosines[j * stride]!
      const s = sines[j * stride]!
      for (let low = j; low < frameSamples; low += size) {
        const high = low + middle
        const re = real[high]! * c - imaginary[high]! * s
        const im = real[high]! * s + imaginary[high]! * c
        real[high] = real[low]! - re
        imaginary[high] = imaginary[low]! - im
        real[low] = real[low]! + re
        imaginary[low] = imaginary[low]! + im
      }
    }
  }
}

function bitReversal(size: number): Uint16Array {
  const table = new Uint16Array(size)
  for (let i = 1; i < size; i++) table[i] = (table[i >> 1]! >> 1) | (i & 1 ? size / 2 : 0)
  return table
}

// Band edges as FFT bin numbers, evenly spaced on the mel scale.
function bandEdges(low: number, high: number): Uint16Array {
  const mel = (hertz: number) => Math.log(1 + hertz / 700)
  const step = (mel(high) - mel(low)) / bandCount
  return Uint16Array.from({ length: bandCount + 1 }, (_, i) => {
    const hertz = 700 * (Math.exp(mel(low) + i * step) - 1)
    return Math.round((hertz * frameSamples) / sampleRateHz)
  })
}
