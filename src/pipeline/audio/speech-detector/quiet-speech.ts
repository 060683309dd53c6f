// Hears speech that the level takes for silence: a voice of -60 dBFS is lower than the noise of many a room.
import { frameSize } from '../activity.ts'
import type { Samples } from '../cut/sample-memory.ts'
import { type Listener, type SpeechDetector, windowSize } from './speech-detector.ts'

/** Low, as it costs little to send some silence. */
const minLikely = 0.15
/** No voice is left in lower sound: two steps of a 16-bit sample. */
export const minAudibleDbfs = -84
/** The model was taught with louder voices. */
const gain = 16
const maxSample = 32_767
/** One window of four is heard, and four of those at a time. */
const step = 4
const windows = 4
const batchSize = windows * step * windowSize

/** Listens to one silence, frame after frame. */
export class QuietListener {
  readonly #listener: Listener
  readonly #batch = new Int16Array(batchSize)
  #length = 0
  #isAudible = false

  constructor(detector: SpeechDetector) {
    this.#listener = detector.createListener()
  }

  /** True where speech is heard in frames that lie one after the other, of these levels. */
  hears(samples: Samples, levels: readonly number[]): boolean {
    return levels.some((level, i) => this.add(samples.subarray(i * frameSize, (i + 1) * frameSize), level))
  }

  /** True where speech is heard in the half second that this frame completes. */
  add(frame: Int16Array, level: number): boolean {
    this.#isAudible ||= level > minAudibleDbfs
    const louder = frame.map(sample => Math.max(-maxSample, Math.min(maxSample, sample * gain)))
    const part = louder.subarray(0, batchSize - this.#length)
    this.#batch.set(part, this.#length)
    this.#length += part.length
    if (this.#length < batchSize) return false
    const isHeard = this.#isAudible && this.#listener.hear(this.#batch, 0, windows, step).some(isLikely)
    this.#batch.set(louder.subarray(part.length))
    this.#length = louder.length - part.length
    this.#isAudible = level > minAudibleDbfs
    return isHeard
  }
}

function isLikely(value: number): boolean {
  return value > minLikely
}
