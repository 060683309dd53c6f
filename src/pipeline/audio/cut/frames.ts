// Parts a stream of samples into frames of 20 ms, and labels each as speech or not as soon as that is known.
import { ActivityLabeller, frameLevel, frameSize } from '../activity.ts'

export interface Frame {
  samples: Int16Array
  /** dBFS. */
  level: number
  /** Number of the frame in the recording. */
  index: number
}

export class FrameReader {
  readonly #onLabel: (frame: Frame, isSpeech: boolean) => void
  readonly #labeller = new ActivityLabeller()
  /** Frames that wait for a label. */
  #waiting: Frame[] = []
  #partial: Int16Array = new Int16Array(frameSize)
  #partialLength = 0
  #previousSample: number | undefined
  /** Arrays to reuse: allocating one for each frame would burden the garbage collector. */
  readonly #spare: Int16Array[] = []
  #framesRead = 0

  constructor(onLabel: (frame: Frame, isSpeech: boolean) => void) {
    this.#onLabel = onLabel
  }

  /** Takes 16-bit little-endian samples, in buffers of whole samples. */
  write(buffer: Buffer): void {
    const aligned = buffer.byteOffset % 2 === 0 ? buffer : Buffer.from(buffer)
    const input = new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1)
    let at = 0
    while (at < input.length) {
      const count = Math.min(frameSize - this.#partialLength, input.length - at)
      this.#partial.set(input.subarray(at, at + count), this.#partialLength)
      this.#partialLength += count
      at += count
      if (this.#partialLength === frameSize) this.#read()
    }
  }

  /** Fills the last frame with silence, and labels all that wait. */
  end(): void {
    if (this.#partialLength > 0) {
      this.#partial.fill(0, this.#partialLength)
      this.#read()
    }
    for (const label of this.#labeller.flush()) this.#onLabel(this.#waiting.shift()!, label)
  }

  /** Takes back a frame whose samples are not read any more. */
  reuse({ samples }: Frame): void {
    this.#spare.push(samples)
  }

  #read(): void {
    const level = frameLevel(this.#partial, 0, this.#previousSample ?? this.#partial[0]!)
    this.#previousSample = this.#partial[frameSize - 1]!
    this.#waiting.push({ samples: this.#partial, level, index: this.#framesRead++ })
    this.#partial = this.#spare.pop() ?? new Int16Array(frameSize)
    this.#partialLength = 0
    const label = this.#labeller.push(level)
    if (label !== undefined) this.#onLabel(this.#waiting.shift()!, label)
  }
}
