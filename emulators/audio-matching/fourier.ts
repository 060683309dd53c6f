// Band energies of short frames of sound, by a fast Fourier transform that takes two frames at a time.

/** Samples per second at which everything in this folder listens. */
export const RATE = 8000
/** Samples from one frame to the next: 16 ms. */
export const HOP = 128
/** Samples in a frame: 64 ms. */
export const FRAME = 512
/** Energy bands per frame; their pairs of neighbours give 32 bits. */
export const BANDS = 33

const half = FRAME / 2
const cosines = Float64Array.from({ length: half }, (_, i) => Math.cos((2 * Math.PI * i) / FRAME))
const sines = Float64Array.from({ length: half }, (_, i) => -Math.sin((2 * Math.PI * i) / FRAME))
const hann = Float64Array.from(
  { length: FRAME },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / FRAME),
)
const reversed = bitReversal(FRAME)
const edges = bandEdges(250, 3500)
const real = new Float64Array(FRAME)
const imaginary = new Float64Array(FRAME)

/**
 * Log energies of the frames that start at `first` and `second` (sample numbers), into `out` at the two places.
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
  for (let i = 0; i < FRAME; i++) {
    const to = reversed[i]!
    real[to] = (samples[first + i] ?? 0) * hann[i]!
    imaginary[to] = (samples[second + i] ?? 0) * hann[i]!
  }
  transform()
  for (let band = 0; band < BANDS; band++) {
    let a = 0
    let b = 0
    for (let k = edges[band]!; k < edges[band + 1]!; k++) {
      // Two real signals went in as one complex one; their spectra are its even and odd parts.
      const re = real[k]!
      const im = imaginary[k]!
      const mirrorRe = real[FRAME - k]!
      const mirrorIm = imaginary[FRAME - k]!
      a += (re + mirrorRe) ** 2 + (im - mirrorIm) ** 2
      b += (im + mirrorIm) ** 2 + (mirrorRe - re) ** 2
    }
    out[firstAt + band] = Math.log(a + 1e-6)
    out[secondAt + band] = Math.log(b + 1e-6)
  }
}

function transform(): void {
  for (let size = 2; size <= FRAME; size *= 2) {
    const middle = size / 2
    const stride = FRAME / size
    for (let j = 0; j < middle; j++) {
      const c = cosines[j * stride]!
      const s = sines[j * stride]!
      for (let low = j; low < FRAME; low += size) {
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

// Bands of equal width on the mel scale, as bin numbers.
function bandEdges(low: number, high: number): Uint16Array {
  const mel = (hertz: number) => Math.log(1 + hertz / 700)
  const step = (mel(high) - mel(low)) / BANDS
  return Uint16Array.from({ length: BANDS + 1 }, (_, i) => {
    const hertz = 700 * (Math.exp(mel(low) + i * step) - 1)
    return Math.round((hertz * FRAME) / RATE)
  })
}
