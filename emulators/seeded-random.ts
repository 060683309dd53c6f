// Chance that comes out the same each time: what is heard wrong in one run is heard wrong in the next.

/** A number from 0 to 1 that depends on nothing but the keys. */
export function seededRandom(...keys: (string | number)[]): number {
  let hash = 2166136261
  for (const letter of keys.join('\u0000')) hash = Math.imul(hash ^ letter.codePointAt(0)!, 16777619)
  // What differs in one letter at the end would otherwise come out alike.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
