// Spoils the bytes of a file: flips, cuts, splices, zeroes and inserts.
import type { Random } from './random.ts'

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer

/** Bytes of a header that most formats keep their lengths and rates in. */
const headerBytes = 64
const extremes = [0x00, 0xff, 0x7f, 0x80, 0x01]

export const mutations: Record<string, Mutation> = {
  flipped: (bytes, random) => flip(bytes, random, 1 + random.below(20), bytes.length),
  'flipped often': (bytes, random) => flip(bytes, random, Math.ceil(bytes.length / 50), bytes.length),
  'header flipped': (bytes, random) => flip(bytes, random, 1 + random.below(4), headerBytes),
  'header to extremes': (bytes, random) => {
    const copy = Buffer.from(bytes)
    const at = random.below(Math.min(headerBytes, copy.length - 4))
    copy.fill(random.pick(extremes), at, at + 1 + random.below(4))
    return copy
  },
  'end cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'beginning cut off': (bytes, random) => bytes.subarray(random.below(bytes.length)),
  'piece cut out': (bytes, random) => {
    const [from, to] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  'piece repeated': (bytes, random) => {
    const [from, to] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  'piece zeroed': (bytes, random) => Buffer.from(bytes).fill(0, ...range(bytes, random)),
  'noise inserted': (bytes, random) => {
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(2000)), bytes.subarray(at)])
  },
  'spliced with another format': (bytes, random, other) =>
    Buffer.concat([
      bytes.subarray(0, random.below(bytes.length)),
      other.subarray(random.below(other.length)),
    ]),
}

/** Changes this many bytes among the first `within`. */
export function flip(bytes: Buffer, random: Random, count: number, within: number): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 0; i < count; i++) copy[random.below(Math.min(within, copy.length))]! ^= 1 + random.below(255)
  return copy
}

function range(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length)
  return [from, from + 1 + random.below(bytes.length - from)]
}
