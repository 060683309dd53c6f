// The blocks that hold the samples of chunks: what is read from them, and when another chunk has them.
import { describe, expect, it } from 'vitest'
import { frameSize } from '../../../../src/pipeline/audio/activity.ts'
import {
  blockLength,
  blocksOf,
  FrameSamples,
  SampleMemory,
} from '../../../../src/pipeline/audio/cut/sample-memory.ts'

const counted = (length: number, from = 0) => Int16Array.from({ length }, (_, i) => (from + i) % 30_000)

function filled(memory: SampleMemory, length: number): FrameSamples {
  const samples = new FrameSamples(memory)
  const all = counted(length)
  for (let at = 0; at < length; at += frameSize) samples.push(all.subarray(at, at + frameSize))
  return samples
}

describe('samples in blocks', () => {
  it('are read like those of an array, also across blocks', () => {
    const length = 3 * blockLength + 10 * frameSize
    const samples = filled(new SampleMemory(), length)
    const all = counted(length)
    for (const [from, to] of [
      [0, length],
      [5, 900],
      [blockLength - 7, blockLength + 9],
      [blockLength, 2 * blockLength],
      [length - 3, length + 50],
      [length, length + 50],
    ] as const)
      expect(samples.subarray(from, to), `${from} to ${to}`).toEqual(all.subarray(from, to))
    expect(blocksOf(samples)).toEqual(blocksOf(all))
  })

  it('go on where they were shortened', () => {
    const samples = filled(new SampleMemory(), blockLength + 4 * frameSize)
    samples.shorten(blockLength - 2 * frameSize)
    for (let i = 0; i < 4; i++) samples.push(new Int16Array(frameSize).fill(7))
    const end = samples.subarray(samples.length - 5 * frameSize, samples.length)
    expect([samples.length, end[0], end[frameSize]]).toEqual([
      blockLength + 2 * frameSize,
      counted(1, blockLength - 3 * frameSize)[0],
      7,
    ])
  })

  it('are another chunk’s once their block is released, and each block is released once', () => {
    const memory = new SampleMemory()
    const first = filled(memory, 3 * blockLength)
    const whole = new Set(blocksOf(first).map(({ buffer }) => buffer))
    first.release(2 * blockLength - 1)
    first.release(blockLength)
    const second = filled(memory, 2 * blockLength)
    expect(blocksOf(second).map(({ buffer }) => whole.has(buffer))).toEqual([true, false])
    first.release()
    first.release()
    const third = filled(memory, 3 * blockLength)
    expect(blocksOf(third).map(({ buffer }) => whole.has(buffer))).toEqual([true, true, false])
  })
})
