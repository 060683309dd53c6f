// Memory for the samples of chunks: about as much as they fill, and used again when a chunk is released.
import { frameSize, framesPerSecond } from '../activity.ts'

/** Samples of the first array, in 10 s: most voice notes fit, and a longer chunk doubles it. */
const firstLength = 10 * framesPerSecond * frameSize

export class SampleMemory {
  readonly #maxLength: number
  /** Of the longest array so far: the recording's next chunk needs about as much. */
  #usualLength: number
  /** Released arrays: some MB each, which garbage collection would let pile up. */
  readonly #free: Int16Array[] = []

  /** `maxLength` is the most samples that a chunk has. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength
    this.#usualLength = Math.min(firstLength, maxLength)
  }

  /** Returns an array that begins with the samples of `filled` and has room for `length`: itself, where it has. */
  withRoom(filled: Int16Array, length: number): Int16Array {
    if (filled.length >= length) return filled
    if (length > this.#maxLength) throw new RangeError('A chunk is longer than the longest.')
    while (this.#usualLength < length) this.#usualLength = Math.min(2 * this.#usualLength, this.#maxLength)
    const array = this.#free.pop() ?? new Int16Array(this.#usualLength)
    // A free one may be shorter than what is usual by now.
    if (array.length < length) return this.withRoom(filled, length)
    array.set(filled)
    return array
  }

  release(array: Int16Array): void {
    if (array.length === this.#usualLength) this.#free.push(array)
  }
}
