// Arithmetic on four or eight numbers at once: sums of 16-bit products, integers of floats, sigmoid and tanh.

/** Weights and activations are integers up to this: 390 products of two of them fit into 32 bits. */
export const limit: f32 = 2047
/** For each window, the value of the integer 1. */
const units = memory.data(4 * 4, 16)

/**
 * Multiplies a row of inputs of each window with the weights of a layer. `size` is that of a row; of it the bytes from
 * `from` to `until` count, as the others are zero. Results are floats, none below `least`.
 */
export function multiply(
  layer: usize, outputs: usize, size: usize, from: usize, until: usize,
  rows: usize, stride: usize, least: f32, to: usize, toStride: usize,
): void {
  const biases = outputs << 2
  const floor = f32x4.splat(least)
  const unit = v128.load(units)
  const unitA = v128.shuffle<i32>(unit, unit, 0, 0, 0, 0)
  const unitB = v128.shuffle<i32>(unit, unit, 1, 1, 1, 1)
  const unitC = v128.shuffle<i32>(unit, unit, 2, 2, 2, 2)
  const unitD = v128.shuffle<i32>(unit, unit, 3, 3, 3, 3)
  // Four bytes of a row are two inputs, whose weights for eight outputs take 32 bytes.
  let block = layer + (outputs << 3) + from * 8
  for (let end = layer + biases; layer < end; layer += 32, to += 32, block += size * 8) {
    let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0
    let weights = block
    for (let a = rows + from, last = rows + until; a < last; a += 4, weights += 32) {
      const low = v128.load(weights)
      const high = v128.load(weights, 16)
      const inA = v128.load32_splat(a)
      a0 = addProducts(a0, low, inA)
      a1 = addProducts(a1, high, inA)
      const inB = v128.load32_splat(a + stride)
      b0 = addProducts(b0, low, inB)
      b1 = addProducts(b1, high, inB)
      const inC = v128.load32_splat(a + 2 * stride)
      c0 = addProducts(c0, low, inC)
      c1 = addProducts(c1, high, inC)
      const inD = v128.load32_splat(a + 3 * stride)
      d0 = addProducts(d0, low, inD)
      d1 = addProducts(d1, high, inD)
    }
    store8(to, a0, a1, layer, layer + biases, unitA, floor)
    store8(to + toStride, b0, b1, layer, layer + biases, unitB, floor)
    store8(to + 2 * toStride, c0, c1, layer, layer + biases, unitC, floor)
    store8(to + 3 * toStride, d0, d1, layer, layer + biases, unitD, floor)
  }
}

// @ts-ignore
@inline
export function addProducts(sum: v128, weights: v128, inputs: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(weights, inputs))
}

// @ts-ignore
@inline
export function store8(to: usize, low: v128, high: v128, scales: usize, biases: usize, unit: v128, floor: v128): void {
  v128.store(to, f32x4.max(floor, value(low, v128.load(scales), v128.load(biases), unit)))
  v128.store(to, f32x4.max(floor, value(high, v128.load(scales, 16), v128.load(biases, 16), unit)), 16)
}

// @ts-ignore
@inline
function value(sum: v128, scale: v128, bias: v128, unit: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(scale, unit)), bias)
}

/** Makes integers of floats; the largest becomes `limit`. */
export function quantise(from: usize, count: usize, to: usize, window: usize): void {
  let most = f32x4.splat(0)
  for (let i: usize = 0; i < count << 2; i += 16) most = f32x4.max(most, v128.load(from + i))
  const by = f32x4.splat(scaleTo(window, largestLane(most)))
  for (let i: usize = 0; i < count << 1; i += 16) {
    const at = from + (i << 1)
    v128.store(to + i, i16x8.narrow_i32x4_s(rounded(v128.load(at), by), rounded(v128.load(at, 16), by)))
  }
}

export function scaleTo(window: usize, most: f32): f32 {
  const largest = max(most, <f32>1e-9)
  store<f32>(units + (window << 2), largest / limit)
  return limit / largest
}

// @ts-ignore
@inline
export function largestLane(four: v128): f32 {
  const pair = f32x4.max(four, v128.shuffle<i32>(four, four, 2, 3, 0, 1))
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1))
}

// @ts-ignore
@inline
export function rounded(four: v128, by: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(four, by)))
}

// @ts-ignore
@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exponential(f32x4.neg(x))))
}

// @ts-ignore
@inline
export function tanh(x: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.splat(2), sigmoid(f32x4.add(x, x))), f32x4.splat(1))
}

/** 2 to the whole part of x / ln 2, times a Taylor polynomial of the rest: right to a millionth. */
// @ts-ignore
@inline
function exponential(x: v128): v128 {
  const bounded = f32x4.min(f32x4.max(x, f32x4.splat(-80)), f32x4.splat(80))
  const whole = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504)))
  const rest = f32x4.sub(bounded, f32x4.mul(whole, f32x4.splat(0.69314718)))
  let sum = f32x4.splat(1.0 / 720)
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1.0 / 120))
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1.0 / 24))
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1.0 / 6))
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(0.5))
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1))
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1))
  return f32x4.mul(sum, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23))
}
