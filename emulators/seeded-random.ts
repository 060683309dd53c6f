// Deterministic random numbers: the same keys give the same number in every run.

/** A number from 0 to 1 that depends only on the keys. */
export function seededRandom(...keys: (string | number)[]): number {
  let hash = 2166136261
  for (const char of keys.join('\u0000')) hash = Math.imul(hash ^ char.codePointAt(0)!, 16777619)
  // Mixes the bits: keys that differ only in the last character would otherwise give similar numbers.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
