// Reads a recording at fractional sample positions, so that two decodings of it can be compared exactly.

const tapCount = 16
const stepCount = 32
const kernels = Array.from({ length: stepCount + 1 }, (_, step) => kernel(step / stepCount))

/**
 * Writes `count` samples from the fractional position `from` on to `into`, and returns it. Positions outside the
 * recording are silent.
 */
export function readAt(samples: Float32Array, from: number, count: number, into: Float32Array): Float32Array {
  const whole = Math.floor(from)
  const taps = kernels[Math.round((from - whole) * stepCount)]!
  const first = whole - tapCount / 2 + 1
  const inside = first >= 0 && first + count + tapCount <= samples.length
  for (let i = 0; i < count; i++) {
    let sum = 0
    if (inside) for (let t = 0; t < tapCount; t++) sum += samples[first + i + t]! * taps[t]!
    else for (let t = 0; t < tapCount; t++) sum += (samples[first + i + t] ?? 0) * taps[t]!
    into[i] = sum
  }
  return into
}

// Windowed sinc kernel for a position `fraction` of a sample after the middle tap.
function kernel(fraction: number): Float64Array {
  const taps = Float64Array.from({ length: tapCount }, (_, t) => {
    const x = t - (tapCount / 2 - 1) - fraction
    const sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
    return sinc * Math.cos((Math.PI * x) / (tapCount + 1)) ** 2
  })
  const sum = taps.reduce((total, tap) => total + tap, 0)
  return taps.map(tap => tap / sum)
}
