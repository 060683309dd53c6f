// The probability of speech in each 32 ms: Silero VAD 6, in WebAssembly of our own.
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { log } from '../../../log.ts'
import { instantiateOptimised } from '../../../system/webassembly.ts'
import type { Samples } from '../cut/sample-memory.ts'

/** Samples of a window, at 16 kHz. */
export const windowSize = 512
/** The model also takes this many samples before each window. */
const contextSize = 64
/** Windows between two turns of the event loop: about 2 ms. */
const windowsPerTurn = 80
/** A look skips windows: a sixth of the work finds out whether the others are worth hearing. */
const lookStep = 6

/** The exports of silero.as; positions and sizes are in bytes. */
interface Model {
  memory: { buffer: ArrayBuffer }
  constantsAt: { value: number }
  constantsSize: { value: number }
  samplesAt: { value: number }
  probabilitiesAt: { value: number }
  stateAt: { value: number }
  stateSize: { value: number }
  listen(windows: number): void
}

/** Hears one stream of samples; what it has heard sharpens what follows. */
export interface Listener {
  /**
   * The probability, from 0 to 1, of speech in windows `step` apart, the first at `from`. At most 80 windows, all of
   * them inside the samples. The result is valid until the next call of any listener.
   */
  hear(samples: Samples, from: number, windows: number, step: number): Float32Array
}

export interface SpeechDetector {
  createListener(): Listener
  /** Probability of speech in each whole window, some with each turn of the event loop. */
  listen(samples: Samples): AsyncIterable<Float32Array>
  /** The same from every sixth window alone, whose value the next five take: a sixth of the work. */
  look(samples: Samples): AsyncIterable<Float32Array>
}

let loading: Promise<SpeechDetector | undefined> | undefined

/** Loads the detector with the first call. Undefined where WebAssembly, or its vectors, are missing. */
export function loadSpeechDetector(): Promise<SpeechDetector | undefined> {
  loading ??= openSpeechDetector(name => readFile(new URL(name, import.meta.url)))
  return loading
}

export async function openSpeechDetector(
  read: (name: string) => Promise<Buffer>,
): Promise<SpeechDetector | undefined> {
  try {
    const [wasm, weights] = await Promise.all(['silero.wasm', 'silero-weights.bin'].map(read))
    return createSpeechDetector(instantiateOptimised(wasm!) as Model, weights!)
  } catch (error) {
    log.warn('speech is detected by level alone', { error: String(error) })
    return undefined
  }
}

function createSpeechDetector(model: Model, weights: Buffer): SpeechDetector {
  const { buffer } = model.memory
  if (weights.length !== model.constantsSize.value) throw new Error('These weights are of another version.')
  new Uint8Array(buffer).set(weights, model.constantsAt.value)
  const input = new Int16Array(buffer, model.samplesAt.value)
  const state = new Uint8Array(buffer, model.stateAt.value, model.stateSize.value)
  const probabilities = new Float32Array(buffer, model.probabilitiesAt.value, windowsPerTurn)

  function createListener(): Listener {
    const memory = new Uint8Array(state.length)
    return {
      hear(samples, from, windows, step) {
        for (let i = 0; i < windows; i++) {
          const at = from + i * step * windowSize
          const to = i * (contextSize + windowSize)
          const missing = Math.max(0, contextSize - at)
          input.fill(0, to, to + missing)
          input.set(samples.subarray(at - contextSize + missing, at + windowSize), to + missing)
        }
        state.set(memory)
        model.listen(windows)
        memory.set(state)
        return probabilities.subarray(0, windows)
      },
    }
  }

  async function* hearAll(samples: Samples, step: number): AsyncGenerator<Float32Array> {
    const count = Math.floor(samples.length / windowSize)
    const listener = createListener()
    for (let at = 0; at < count; at += windowsPerTurn * step) {
      if (at > 0) await setImmediate()
      const length = Math.min(windowsPerTurn * step, count - at)
      const heard = listener.hear(samples, at * windowSize, Math.ceil(length / step), step)
      const likely = new Float32Array(length)
      for (let i = 0; i < length; i++) likely[i] = heard[Math.floor(i / step)]!
      yield likely
    }
  }

  return {
    createListener,
    listen: samples => hearAll(samples, 1),
    look: samples => hearAll(samples, lookStep),
  }
}
