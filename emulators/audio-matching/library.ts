// The recordings that the stand-in knows: their words from the truth files, their sound at 8 kHz, their fingerprints.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { type Analysis, cachedAnalysis } from './analysis-cache.ts'
import { decode } from './decode.ts'
import { fingerprints } from './fingerprint.ts'
import { HOP, RATE } from './fourier.ts'

export interface KnownWord {
  text: string
  /** Seconds from the start of the recording. */
  start: number
  end: number
  speaker?: string
}

export interface Known extends Analysis {
  name: string
  language: string
  /** What stands between two words of the text: a space, or nothing. */
  joiner: string
  words: KnownWord[]
}

const libraries = new Map<string, Promise<Known[]>>()

/** Loads a folder's recordings, once per process: all stand-ins of a process share them. */
export function loadLibrary(folder: string, ffmpeg: string): Promise<Known[]> {
  const key = path.resolve(folder)
  const loading = libraries.get(key) ?? load(key, ffmpeg)
  libraries.set(key, loading)
  // A folder that could not be read may be there the next time.
  loading.catch(() => libraries.delete(key))
  return loading
}

async function load(folder: string, ffmpeg: string): Promise<Known[]> {
  const truths = (await readdir(folder)).filter(name => name.endsWith('.truth.json')).sort()
  return await Promise.all(truths.map(name => loadRecording(folder, name, ffmpeg)))
}

async function loadRecording(folder: string, truthFile: string, ffmpeg: string): Promise<Known> {
  const truth = JSON.parse(await readFile(path.join(folder, truthFile), 'utf8'))
  const file = path.join(folder, truth.recording)
  const analysis = await cachedAnalysis(await readFile(file), async () => {
    const { samples } = await decode({ file }, ffmpeg)
    return { samples, prints: await printAll(samples), floor: quietFloor(samples) }
  })
  return {
    name: truth.recording,
    language: truth.language,
    joiner: truth.joiner ?? ' ',
    words: truth.words,
    ...analysis,
  }
}

// In portions with a breath between them, because servers and tests run in the same thread.
async function printAll(samples: Float32Array): Promise<Uint32Array> {
  const count = Math.ceil(samples.length / HOP)
  const prints = new Uint32Array(count)
  for (let from = 0; from < count; from += 1000) {
    prints.set(fingerprints(samples, from, Math.min(1000, count - from)), from)
    await breathe()
  }
  return prints
}

/** A little above the noise in a recording's pauses, and never less than what is far below its speech. */
function quietFloor(samples: Float32Array): number {
  const levels = blockLevels(samples, RATE / 50).sort()
  const at = (share: number) => levels[Math.floor(share * (levels.length - 1))] ?? 0
  return Math.max(at(0.1) * 6, at(0.95) * 1e-4, 1e-7)
}

/** Mean squares of blocks of `size` samples. */
export function blockLevels(samples: Float32Array, size: number): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / size) }, (_, block) => {
    let sum = 0
    for (let i = block * size; i < (block + 1) * size; i++) sum += samples[i]! ** 2
    return sum / size
  })
}
