// Silero VAD 6 at 16 kHz, in AssemblyScript: spectrum, four convolutions, an LSTM, one probability a window.
// Products are of 16-bit integers, as `i32x4.dot_i16x8_s` does eight at once. Convolutions know no earlier window, so
// four windows pass through them together and each weight is read once for all. `scripts/build-speech-detector.mjs`
// compiles this file and lays out the constants.

import { addProducts, limit, multiply, quantise, rounded, sigmoid, store8, tanh } from './numbers'
import { laySpectra } from './spectrum'

const windows: usize = 4

// The constants, in the order of the build script.
export const constantsSize: usize = 458_756
const constants = memory.data(458_756, 16)
export const constantsAt: usize = constants
const tables = constants
const first = tables + 3072
const second = first + layerSize(128, 390)
const third = second + layerSize(64, 384)
const fourth = third + layerSize(64, 128)
const fromInput = fourth + layerSize(128, 64)
const fromState = fromInput + layerSize(512, 128)
const output = fromState + layerSize(512, 128)

/** Most windows of a call. */
export const maxWindows: i32 = 200
/** Input: 16-bit samples; each window brings the 64 samples before it, then its own 512. */
const samples = memory.data(200 * 576 * 2, 16)
export const samplesAt: usize = samples
/** Output: the probability of speech in each window. */
const probabilities = memory.data(200 * 4, 16)
export const probabilitiesAt: usize = probabilities
/** State of a listener: the LSTM's cell as floats, and its output as integers. */
export const stateSize: usize = 128 * 4 + 128 * 2
const cell = memory.data(128 * 4 + 128 * 2, 16)
export const stateAt: usize = cell
const hidden = cell + 128 * 4

// Rows are frames. Rows of zeros around those of a window make three rows in a row the input of a convolution.
const spectra = memory.data(4 * 6 * 260, 16)
const firstRows = memory.data(4 * 5 * 256, 16)
const secondRows = memory.data(4 * 256, 16)
const thirdRows = memory.data(4 * 128, 16)
const inputRows = memory.data(4 * 256, 16)
const floats = memory.data(16 * 128 * 4, 16)
const gates = memory.data(4 * 512 * 4, 16)

// @ts-ignore
@inline
function layerSize(outputs: usize, inputs: usize): usize {
  return outputs * 8 + outputs * inputs * 2
}

/** Listens to so many windows, from the state that the last call left. */
export function listen(count: i32): void {
  for (let at: i32 = 0; at < count; at += 4) {
    for (let pair: usize = 0; pair < windows; pair += 2) {
      laySpectra(tables, samples + (<usize>at + pair) * 1152, spectra, pair)
    }
    encode()
    for (let i = 0, last = min(4, count - at); i < last; i++)
      store<f32>(probabilities + (<usize>(at + i) << 2), remember(gates + <usize>i * 2048))
  }
}

/** The four convolutions, and the part of the LSTM's gates that knows no earlier window. */
function encode(): void {
  // Of the first and the last frame's three rows, one is padding.
  for (let frame: usize = 0; frame < 4; frame++) {
    const rows = spectra + frame * 260
    const from: usize = frame === 0 ? 260 : 0
    const until: usize = frame === 3 ? 520 : 780
    multiply(first, 128, 780, from, until, rows, 1560, 0, floats + frame * 512, 2048)
  }
  for (let i: usize = 0; i < windows; i++) quantise(floats + i * 2048, 512, firstRows + i * 1280 + 256, i)
  multiply(second, 64, 768, 256, 768, firstRows, 1280, 0, floats, 512)
  multiply(second, 64, 768, 0, 768, firstRows + 512, 1280, 0, floats + 256, 512)
  for (let i: usize = 0; i < windows; i++) quantise(floats + i * 512, 128, secondRows + i * 256, i)
  multiply(third, 64, 256, 0, 256, secondRows, 256, 0, floats, 256)
  for (let i: usize = 0; i < windows; i++) quantise(floats + i * 256, 64, thirdRows + i * 128, i)
  multiply(fourth, 128, 128, 0, 128, thirdRows, 128, 0, floats, 512)
  for (let i: usize = 0; i < windows; i++) quantise(floats + i * 512, 128, inputRows + i * 256, i)
  multiply(fromInput, 512, 256, 0, 256, inputRows, 256, -f32.MAX_VALUE, gates, 2048)
}

/** Finishes the gates of a window with the state, moves the state on, and returns the probability of speech. */
function remember(gate: usize): f32 {
  addFromState(gate)
  let sum = f32x4.splat(0)
  for (let i: usize = 0; i < 512; i += 32) {
    const low = output4(gate + i, cell + i)
    const high = output4(gate + i + 16, cell + i + 16)
    const by = f32x4.splat(limit)
    v128.store(hidden + (i >> 1), i16x8.narrow_i32x4_s(rounded(low, by), rounded(high, by)))
    const zero = f32x4.splat(0)
    sum = f32x4.add(sum, f32x4.mul(f32x4.max(low, zero), v128.load(output + i)))
    sum = f32x4.add(sum, f32x4.mul(f32x4.max(high, zero), v128.load(output + i, 16)))
  }
  const logit = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)
    + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3) + load<f32>(output, 512)
  return f32x4.extract_lane(sigmoid(f32x4.splat(logit)), 0)
}

/** Gates come in the order input, forget, cell, output. */
// @ts-ignore
@inline
function output4(gate: usize, at: usize): v128 {
  const kept = f32x4.mul(sigmoid(v128.load(gate, 512)), v128.load(at))
  const now = f32x4.add(kept, f32x4.mul(sigmoid(v128.load(gate)), tanh(v128.load(gate, 1024))))
  v128.store(at, now)
  return f32x4.mul(sigmoid(v128.load(gate, 1536)), tanh(now))
}

function addFromState(gate: usize): void {
  const unit = f32x4.splat(1 / limit)
  let weights = fromState + 512 * 8
  for (let o: usize = 0; o < 2048; o += 128) {
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
    for (let i: usize = 0; i < 256; i += 4, weights += 128) {
      const input = v128.load32_splat(hidden + i)
      s0 = addProducts(s0, v128.load(weights), input)
      s1 = addProducts(s1, v128.load(weights, 16), input)
      s2 = addProducts(s2, v128.load(weights, 32), input)
      s3 = addProducts(s3, v128.load(weights, 48), input)
      s4 = addProducts(s4, v128.load(weights, 64), input)
      s5 = addProducts(s5, v128.load(weights, 80), input)
      s6 = addProducts(s6, v128.load(weights, 96), input)
      s7 = addProducts(s7, v128.load(weights, 112), input)
    }
    const to = gate + o
    const scales = fromState + o
    const none = f32x4.splat(-f32.MAX_VALUE)
    store8(to, s0, s1, scales, to, unit, none)
    store8(to + 32, s2, s3, scales + 32, to + 32, unit, none)
    store8(to + 64, s4, s5, scales + 64, to + 64, unit, none)
    store8(to + 96, s6, s7, scales + 96, to + 96, unit, none)
  }
}
