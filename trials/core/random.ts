// Random numbers, choices and bytes that are the same for the same seed and name.
import { seededRandom } from '../../emulators/seeded-random.ts'

export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number
  pick<T>(list: readonly T[]): T
  /** True with this probability. */
  chance(probability: number): boolean
  bytes(count: number): Buffer
}

export function createRandom(seed: number, name: string): Random {
  let count = 0
  const next = () => seededRandom(seed, name, count++)
  const below = (end: number) => Math.floor(next() * end)
  return {
    next,
    below,
    pick: list => list[below(list.length)]!,
    chance: probability => next() < probability,
    bytes: length => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
