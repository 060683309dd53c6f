// Measures the level of a channel over time, in blocks of a tenth of a second.
import { frameLevel, frameSize, minLevelDbfs } from '../audio/activity.ts'

export const framesPerBlock = 5
export const blocksPerSecond = 10

/** The level (dBFS) of several frames together: the mean of their powers. */
export function meanLevel(levels: readonly number[]): number {
  const power = levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / Math.max(1, levels.length)
  return power > 0 ? Math.max(minLevelDbfs, 10 * Math.log10(power)) : minLevelDbfs
}

/** Measures a stream of samples as it passes. */
export class LevelMeter {
  /** Level of each block in dBFS, in order. */
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
      const count = Math.min(frameSize - this.#filled, input.length - at)
      this.#samples.set(input.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
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
