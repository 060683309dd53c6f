// Memory for the samples of chunks, in blocks that are used again: a chunk gives them back one by one while it is encoded.
import { frameSize, framesPerSecond } from '../activity.ts'

/** An `Int16Array` is one, too. */
export interface Samples {
  readonly length: number
  /** Those from `from` on, before `to`: valid until the samples are released. */
  subarray(from: number, to: number): Int16Array
}

/** Samples of a block, in 10 s: voice notes fit. The system gives memory only as it fills. */
export const blockLength = 10 * framesPerSecond * frameSize

/** The blocks that wait to be used again: garbage collection would let them pile up. */
export class SampleMemory {
  readonly #free: Int16Array[] = []

  take(): Int16Array {
    return this.#free.pop() ?? new Int16Array(blockLength)
  }

  release(block: Int16Array): void {
    this.#free.push(block)
  }
}

/** Whole frames, one after the other. */
export class FrameSamples implements Samples {
  readonly #memory: SampleMemory
  readonly #blocks: Int16Array[] = []
  #released = 0
  #length = 0

  constructor(memory: SampleMemory) {
    this.#memory = memory
  }

  get length(): number {
    return this.#length
  }

  push(frame: Int16Array): void {
    const at = this.#length % blockLength
    const index = (this.#length - at) / blockLength
    this.#blocks[index] ??= this.#memory.take()
    this.#blocks[index].set(frame, at)
    this.#length += frame.length
  }

  /** Leaves out those behind the first so many. */
  shorten(length: number): void {
    this.#length = Math.min(this.#length, length)
  }

  subarray(from: number, to: number): Int16Array {
    const first = Math.floor(from / blockLength)
    const end = Math.min(to, this.#length)
    const start = first * blockLength
    if (end <= start + blockLength)
      return this.#blocks[first]?.subarray(from - start, end - start) ?? noSamples
    const copy = new Int16Array(end - from)
    const beginning = this.subarray(from, start + blockLength)
    copy.set(beginning)
    copy.set(this.subarray(start + blockLength, end), beginning.length)
    return copy
  }

  /** Returns the blocks of the samples before this one, which must not be read afterwards. */
  release(before = Number.POSITIVE_INFINITY): void {
    const count = before >= this.#length ? this.#blocks.length : Math.floor(before / blockLength)
    for (; this.#released < count; this.#released++) this.#memory.release(this.#blocks[this.#released]!)
  }
}

const noSamples = new Int16Array()

/** Without a copy, where they are in blocks. */
export function blocksOf(samples: Samples): Int16Array[] {
  const count = Math.ceil(samples.length / blockLength)
  return Array.from({ length: count }, (_, i) =>
    samples.subarray(i * blockLength, Math.min(samples.length, (i + 1) * blockLength)),
  )
}

export function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}
