// Parts a stream of samples into frames of 20 ms, and labels each as speech or not as soon as that is known.
import { ActivityLabeller, frameLevel, frameSize, minLevelDbfs } from '../activity.ts'

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
  #partial = emptyFrame()
  #partialLength = 0
  #previousSample: number | undefined
  /** Frames to reuse: allocating each anew would burden the garbage collector. */
  readonly #spare: Frame[] = []
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
      this.#partial.samples.set(input.subarray(at, at + count), this.#partialLength)
      this.#partialLength += count
      at += count
      if (this.#partialLength === frameSize) this.#read()
    }
  }

  /** Fills the last frame with silence, and labels all that wait. */
  end(): void {
    if (this.#partialLength > 0) {
      this.#partial.samples.fill(0, this.#partialLength)
      this.#read()
    }
    for (const label of this.#labeller.flush()) this.#onLabel(this.#waiting.shift()!, label)
  }

  /** Takes back a frame that is not read any more. */
  reuse(frame: Frame): void {
    this.#spare.push(frame)
  }

  #read(): void {
    const frame = this.#partial
    const { samples } = frame
    frame.level = frameLevel(samples, 0, this.#previousSample ?? samples[0]!)
    frame.index = this.#framesRead++
    this.#previousSample = samples[frameSize - 1]!
    this.#waiting.push(frame)
    this.#partial = this.#spare.pop() ?? emptyFrame()
    this.#partialLength = 0
    const label = this.#labeller.push(frame.level)
    if (label !== undefined) this.#onLabel(this.#waiting.shift()!, label)
  }
}

function emptyFrame(): Frame {
  return { samples: new Int16Array(frameSize), level: minLevelDbfs, index: 0 }
}
