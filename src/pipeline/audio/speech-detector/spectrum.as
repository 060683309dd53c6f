// Spectra of the four overlapping frames of a window, as rows of integers.
import { largestLane, rounded, scaleTo } from './numbers'

const padded = memory.data(2 * 640 * 4, 16)
// Lanes are the four frames of a window; two windows are transformed at once, as real and imaginary part.
const real = memory.data(256 * 16, 16)
const imaginary = memory.data(256 * 16, 16)
const magnitudes = memory.data(2 * 129 * 16, 16)

/**
 * Lays the spectra of windows number `pair` and `pair + 1` into their rows. `tables`: a Hann window by 1/32768, cosines,
 * sines, and for each sample its place, in bytes, in the order that the transform reads.
 */
export function laySpectra(tables: usize, samples: usize, rows: usize, pair: usize): void {
  prepare(samples, padded)
  prepare(samples + 1152, padded + 2560)
  transform(tables)
  takeMagnitudes(rows, pair)
}

/** Turns the samples of a window into floats, and mirrors the last 64. */
function prepare(from: usize, to: usize): void {
  for (let i: usize = 0; i < 576; i += 8) {
    const eight = v128.load(from + (i << 1))
    v128.store(to + (i << 2), f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(eight)))
    v128.store(to + (i << 2), f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(eight)), 16)
  }
  for (let i: usize = 0; i < 64; i++) store<f32>(to + (576 + i) * 4, load<f32>(to + (574 - i) * 4))
}

/** Fourier transform of four overlapping frames of 256 samples, of two windows. */
function transform(tables: usize): void {
  for (let i: usize = 0; i < 1024; i += 4) {
    const place = <usize>load<u32>(tables + i, 2048)
    const by = v128.load32_splat(tables + i)
    v128.store(real + place, f32x4.mul(frames(padded + i), by))
    v128.store(imaginary + place, f32x4.mul(frames(padded + 2560 + i), by))
  }
  for (let half: usize = 16; half < 4096; half <<= 1) {
    const step: usize = 8192 / half
    for (let k: usize = 0, turn: usize = 0; k < half; k += 16, turn += step) {
      const cosine = v128.load32_splat(tables + turn, 1024)
      const sine = v128.load32_splat(tables + turn, 1536)
      for (let a = k; a < 4096; a += half << 1) butterfly(a, a + half, cosine, sine)
    }
  }
}

// @ts-ignore
@inline
function frames(at: usize): v128 {
  let four = v128.load32_zero(at)
  four = v128.load32_lane(at, four, 1, 512)
  four = v128.load32_lane(at, four, 2, 1024)
  return v128.load32_lane(at, four, 3, 1536)
}

// @ts-ignore
@inline
function butterfly(a: usize, b: usize, cosine: v128, sine: v128): void {
  const x = v128.load(real + b)
  const y = v128.load(imaginary + b)
  const turnedX = f32x4.sub(f32x4.mul(x, cosine), f32x4.mul(y, sine))
  const turnedY = f32x4.add(f32x4.mul(x, sine), f32x4.mul(y, cosine))
  const u = v128.load(real + a)
  const v = v128.load(imaginary + a)
  v128.store(real + a, f32x4.add(u, turnedX))
  v128.store(imaginary + a, f32x4.add(v, turnedY))
  v128.store(real + b, f32x4.sub(u, turnedX))
  v128.store(imaginary + b, f32x4.sub(v, turnedY))
}

/** Takes the two spectra of real signals out of the one of their pair, and lays them down as rows. */
function takeMagnitudes(rows: usize, pair: usize): void {
  let most = f32x4.splat(0)
  let mostOfOther = f32x4.splat(0)
  for (let bin: usize = 0; bin <= 128; bin++) {
    const a = bin << 4
    const b = ((256 as usize) - bin & 255) << 4
    const x = v128.load(real + a)
    const y = v128.load(imaginary + a)
    const mirroredX = v128.load(real + b)
    const mirroredY = v128.load(imaginary + b)
    const one = size(f32x4.add(x, mirroredX), f32x4.sub(y, mirroredY))
    const other = size(f32x4.add(y, mirroredY), f32x4.sub(mirroredX, x))
    v128.store(magnitudes + a, one)
    v128.store(magnitudes + a, other, 2064)
    most = f32x4.max(most, one)
    mostOfOther = f32x4.max(mostOfOther, other)
  }
  layMagnitudes(magnitudes, rows, pair, most)
  layMagnitudes(magnitudes + 2064, rows, pair + 1, mostOfOther)
}

// @ts-ignore
@inline
function size(x: v128, y: v128): v128 {
  const square = f32x4.add(f32x4.mul(x, x), f32x4.mul(y, y))
  return f32x4.mul(f32x4.sqrt(square), f32x4.splat(0.5))
}

function layMagnitudes(from: usize, rows: usize, window: usize, most: v128): void {
  const by = f32x4.splat(scaleTo(window, largestLane(most)))
  const to = rows + window * 1560 + 260
  for (let bin: usize = 0; bin <= 128; bin++) {
    const four = rounded(v128.load(from + (bin << 4)), by)
    v128.store16_lane(to + (bin << 1), four, 0)
    v128.store16_lane(to + (bin << 1), four, 2, 260)
    v128.store16_lane(to + (bin << 1), four, 4, 520)
    v128.store16_lane(to + (bin << 1), four, 6, 780)
  }
}
