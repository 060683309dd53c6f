// Reads a recording at places between its samples, so that two decodings of one sound can be laid exactly on each other.

const TAPS = 16
const STEPS = 32
const kernels = Array.from({ length: STEPS + 1 }, (_, step) => kernel(step / STEPS))

/**
 * `count` samples of a recording from position `from` on, which may lie between two samples and outside the
 * recording (silence there). The answer is only good until the next call with the same `into`.
 */
export function readAt(samples: Float32Array, from: number, count: number, into: Float32Array): Float32Array {
  const whole = Math.floor(from)
  const taps = kernels[Math.round((from - whole) * STEPS)]!
  const first = whole - TAPS / 2 + 1
  const inside = first >= 0 && first + count + TAPS <= samples.length
  for (let i = 0; i < count; i++) {
    let sum = 0
    if (inside) for (let t = 0; t < TAPS; t++) sum += samples[first + i + t]! * taps[t]!
    else for (let t = 0; t < TAPS; t++) sum += (samples[first + i + t] ?? 0) * taps[t]!
    into[i] = sum
  }
  return into
}

// A sinc under a Hann window, for a place `fraction` of a sample after the middle tap.
function kernel(fraction: number): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, t) => {
    const x = t - (TAPS / 2 - 1) - fraction
    const sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
    return sinc * Math.cos((Math.PI * x) / (TAPS + 1)) ** 2
  })
  const sum = taps.reduce((total, tap) => total + tap, 0)
  return taps.map(tap => tap / sum)
}
