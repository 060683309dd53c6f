// Sounds without speech, made from seeds: music, applause, tones and noise, as samples from -1 to 1.
import { generator } from '../../test/support/audio/synthetic-speech.ts'

export const rate = 16_000

export type Sound = (seconds: number, seed: number) => Float32Array

type Random = () => number

function fill(seconds: number, sample: (i: number) => number): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * rate) }, (_, i) => sample(i))
}

function wave(pitch: number, i: number): number {
  return Math.sin((2 * Math.PI * pitch * i) / rate)
}

function white(random: Random): number {
  return random() + random() + random() - 1.5
}

/** Noise that falls by 3 dB an octave (Kellet's filter). */
function pinkFrom(random: Random): () => number {
  let [a, b, c] = [0, 0, 0]
  return () => {
    const w = white(random)
    a = 0.99765 * a + w * 0.099046
    b = 0.963 * b + w * 0.2965164
    c = 0.57 * c + w * 1.0526913
    return a + b + c + w * 0.1848
  }
}

/** Adds bursts of noise that die away: so many a second, each of some milliseconds. */
function bursts(
  seconds: number,
  random: Random,
  { each, ms, low }: { each: number; ms: number; low: number },
) {
  const sound = new Float32Array(Math.round(seconds * rate))
  for (let n = 0; n < seconds * each; n++) {
    const at = Math.floor(random() * sound.length)
    const gain = 0.3 + random()
    let last = 0
    for (let i = 0; i < (ms / 1000) * rate * 4 && at + i < sound.length; i++) {
      last = low * last + (1 - low) * white(random)
      sound[at + i]! += gain * last * Math.exp(-i / ((ms / 1000) * rate))
    }
  }
  return sound
}

const scale = [0, 2, 4, 7, 9, 12, 14, 16]

/** Plucked chords and a melody over a beat; `voices` of them, so many beats a second. */
function music(beats: number, voices: number, hasDrums: boolean): Sound {
  return (seconds, seed) => {
    const random = generator(seed)
    const sound = new Float32Array(Math.round(seconds * rate))
    const beat = rate / beats
    for (let at = 0; at < sound.length; at += beat) {
      for (let voice = 0; voice < voices; voice++) {
        const pitch = 110 * 2 ** (Math.floor(random() * 2) + scale[Math.floor(random() * 8)]! / 12)
        const length = beat * (1 + Math.floor(random() * 4))
        for (let i = 0; i < length && at + i < sound.length; i++) {
          const tone = wave(pitch, i) + 0.5 * wave(2 * pitch, i) + 0.25 * wave(3 * pitch, i)
          sound[Math.floor(at + i)]! += tone * Math.exp(-i / (length / 2)) * Math.min(1, i / 80)
        }
      }
      if (hasDrums)
        for (let i = 0; i < 2400 && at + i < sound.length; i++)
          sound[Math.floor(at + i)]! +=
            white(random) * Math.exp(-i / 500) + 2 * wave(70, i) * Math.exp(-i / 800)
    }
    return sound
  }
}

/** Tones of these pitches, so many seconds on and off. */
function tones(pitches: number[], on: number, off: number): Sound {
  return seconds =>
    fill(seconds, i =>
      (i / rate) % (on + off) < on ? pitches.reduce((sum, pitch) => sum + wave(pitch, i), 0) : 0,
    )
}

const keys = [
  [697, 1209],
  [770, 1336],
  [852, 1477],
  [941, 1209],
]

export const sounds = {
  guitar: music(2, 3, false),
  band: music(3, 4, true),
  organ: seconds =>
    fill(
      seconds,
      i => [220, 277.2, 329.6].reduce((sum, pitch) => sum + wave(pitch, i), 0) * (1 + 0.3 * wave(0.25, i)),
    ),
  fastBand: music(6, 2, true),
  strings: (seconds, seed) => {
    const random = generator(seed)
    const pitches = [196, 246.9, 293.7, 392].map(pitch => pitch * (1 + 0.1 * random()))
    return fill(seconds, i =>
      pitches.reduce(
        (sum, pitch, k) => sum + wave(pitch, i) * (1 + wave(0.1 + k / 7, i)) * (1 + 0.1 * wave(5.5, i)),
        0,
      ),
    )
  },
  applause: (seconds, seed) => bursts(seconds, generator(seed), { each: 250, ms: 6, low: 0.3 }),
  fewClap: (seconds, seed) => bursts(seconds, generator(seed), { each: 25, ms: 8, low: 0.2 }),
  typing: (seconds, seed) => bursts(seconds, generator(seed), { each: 6, ms: 4, low: 0.5 }),
  rain: (seconds, seed) => {
    const [drops, hiss] = [
      bursts(seconds, generator(seed), { each: 90, ms: 2, low: 0 }),
      pinkFrom(generator(seed + 1)),
    ]
    return drops.map(drop => drop + 0.3 * hiss())
  },
  pink: (seconds, seed) => {
    const next = pinkFrom(generator(seed))
    return fill(seconds, next)
  },
  traffic: (seconds, seed) => {
    const next = pinkFrom(generator(seed))
    let low = 0
    return fill(seconds, i => {
      low = 0.9 * low + 0.1 * next()
      return low * (1.2 + wave(0.15, i))
    })
  },
  ringing: tones([425], 1, 4),
  americanRinging: tones([440, 480], 2, 4),
  busy: tones([425], 0.48, 0.48),
  holdTone: tones([400], 1e9, 0),
  dialling: (seconds, seed) => {
    const random = generator(seed)
    const dialled = Array.from({ length: Math.ceil(seconds * 4) }, () => keys[Math.floor(random() * 4)]!)
    return fill(seconds, i => {
      const [key, within] = [Math.floor(i / 4000), i % 4000]
      return within < 2000 ? dialled[key]!.reduce((sum, pitch) => sum + wave(pitch, i), 0) : 0
    })
  },
} satisfies Record<string, Sound>

export type SoundName = keyof typeof sounds
