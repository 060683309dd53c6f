// The recordings that the emulator recognises: words from the truth files, samples at 8 kHz and fingerprints.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import { type Analysis, cachedAnalysis } from './analysis-cache.ts'
import { decode } from './decode.ts'
import { fingerprints } from './fingerprint.ts'
import { hopSamples, sampleRateHz } from './fourier.ts'

export interface RecordedWord {
  text: string
  /** Seconds from the start of the recording. */
  start: number
  end: number
  speaker?: string
}

export interface Recording extends Analysis {
  name: string
  language: string
  /** Separator between words: a space, or nothing. */
  joiner: string
  words: RecordedWord[]
}

const libraries = new Map<string, Promise<Recording[]>>()

/** Loads the recordings of a folder, once per process: all emulators of a process share them. */
export function loadLibrary(folder: string, ffmpeg: string): Promise<Recording[]> {
  const key = path.resolve(folder)
  const loading = libraries.get(key) ?? load(key, ffmpeg)
  libraries.set(key, loading)
  // A failed load is tried again by the next call.
  loading.catch(() => libraries.delete(key))
  return loading
}

async function load(folder: string, ffmpeg: string): Promise<Recording[]> {
  const truths = (await readdir(folder)).filter(name => name.endsWith('.truth.json')).sort()
  return await Promise.all(truths.map(name => loadRecording(folder, name, ffmpeg)))
}

async function loadRecording(folder: string, truthFile: string, ffmpeg: string): Promise<Recording> {
  const truth = JSON.parse(await readFile(path.join(folder, truthFile), 'utf8'))
  const file = path.join(folder, truth.recording)
  const analysis = await cachedAnalysis(await readFile(file), async () => {
    const { samples } = await decode({ file }, ffmpeg)
    return { samples, prints: await fingerprintAll(samples), floor: quietFloor(samples) }
  })
  return {
    name: truth.recording,
    language: truth.language,
    joiner: truth.joiner ?? ' ',
    words: truth.words,
    ...analysis,
  }
}

// In portions, because servers and tests share the event loop.
async function fingerprintAll(samples: Float32Array): Promise<Uint32Array> {
  const count = Math.ceil(samples.length / hopSamples)
  const prints = new Uint32Array(count)
  for (let from = 0; from < count; from += 1000) {
    prints.set(fingerprints(samples, from, Math.min(1000, count - from)), from)
    await yieldToEventLoop()
  }
  return prints
}

/** Slightly above the noise in the recording's pauses, and at least 40 dB below its speech. */
function quietFloor(samples: Float32Array): number {
  const levels = blockLevels(samples, sampleRateHz / 50).sort()
  const at = (share: number) => levels[Math.floor(share * (levels.length - 1))] ?? 0
  return Math.max(at(0.1) * 6, at(0.95) * 1e-4, 1e-7)
}

/** Mean squares of consecutive blocks of `size` samples. */
export function blockLevels(samples: Float32Array, size: number): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / size) }, (_, block) => {
    let sum = 0
    for (let i = block * size; i < (block + 1) * size; i++) sum += samples[i]! ** 2
    return sum / size
  })
}
