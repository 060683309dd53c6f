// Memory for the samples of chunks: little for a short one, and used again when a chunk is released.
import { frameSize, framesPerSecond } from '../activity.ts'

/** Samples of a small array, in 30 s: voice notes fit, and what a chunk leaves to the next one. */
const smallLength = 30 * framesPerSecond * frameSize

export class SampleMemory {
  /** Lengths of arrays: the system gives memory only as they fill. */
  readonly #lengths: readonly number[]
  /** Released arrays, by length: some MB each, which garbage collection would let pile up. */
  readonly #free = new Map<number, Int16Array[]>()

  /** `maxLength` is the most samples that a chunk has. */
  constructor(maxLength: number) {
    this.#lengths = [Math.min(smallLength, maxLength), maxLength]
  }

  /**
   * Returns an array that begins with the samples of `filled` and has room for `length`: itself, where it has. The next
   * chunk thus takes a large one when it grows, by when one before is often released.
   */
  withRoom(filled: Int16Array, length: number): Int16Array {
    if (filled.length >= length) return filled
    const newLength = this.#lengths.find(each => each >= length)
    if (newLength === undefined) throw new RangeError('A chunk is longer than the longest.')
    const array = this.#free.get(newLength)?.pop() ?? new Int16Array(newLength)
    array.set(filled)
    this.release(filled)
    return array
  }

  release(array: Int16Array): void {
    if (!this.#lengths.includes(array.length)) return
    const free = this.#free.get(array.length) ?? []
    this.#free.set(array.length, [...free, array])
  }
}
