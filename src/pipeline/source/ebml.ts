// Integers of EBML, the format that Matroska is written in.

export interface Vint {
  value: number
  /** Bytes that it takes. */
  width: number
  /** All bits are ones: the length of an element that was still being written. */
  unknown: boolean
}

/**
 * An integer of one to eight bytes (RFC 8794): the first bit set in the first byte gives the width. Undefined where
 * bytes are missing. `id`: the bit that gives the width is part of the value.
 */
export function readVint(bytes: Buffer, at: number, id = false): Vint | undefined {
  const first = bytes[at] ?? 0
  const width = Math.clz32(first) - 23
  if (width > 8 || bytes.length < at + width) return undefined
  let value = id ? first : first & (0xff >> width)
  for (let i = 1; i < width; i++) value = value * 256 + bytes[at + i]!
  return { value, width, unknown: value >= 2 ** (7 * width) - 1 }
}
