// How loud a channel is over time: the level of each tenth of a second.
import { frameLevel, frameSize } from '../audio/activity.ts'

/** Frames in a block of a tenth of a second. */
export const framesPerBlock = 5
export const blocksPerSecond = 10

/** The level (dBFS) of several frames together: the mean of their powers. */
export function meanLevel(levels: readonly number[]): number {
  const power = levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / Math.max(1, levels.length)
  return power > 0 ? Math.max(-100, 10 * Math.log10(power)) : -100
}

/** Measures a stream of samples as it passes. */
export class LevelMeter {
  /** dBFS of each block, in order. */
  readonly blocks: number[] = []
  readonly #samples = new Int16Array(frameSize)
  #filled = 0
  #previous = 0
  #frames: number[] = []

  /** Takes 16-bit little-endian samples, 16 kHz mono. */
  add(buffer: Buffer): void {
    const aligned = buffer.byteOffset % 2 === 0 ? buffer : Buffer.from(buffer)
    const input = new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1)
    for (let at = 0; at < input.length; ) {
      const take = Math.min(frameSize - this.#filled, input.length - at)
      this.#samples.set(input.subarray(at, at + take), this.#filled)
      this.#filled += take
      at += take
      if (this.#filled === frameSize) this.#endFrame()
    }
  }

  #endFrame(): void {
    this.#frames.push(frameLevel(this.#samples, 0, this.#previous))
    this.#previous = this.#samples[frameSize - 1]!
    this.#filled = 0
    if (this.#frames.length < framesPerBlock) return
    this.blocks.push(meanLevel(this.#frames))
    this.#frames = []
  }
}
