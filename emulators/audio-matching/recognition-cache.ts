// Cache of recognised audio by content: tests often send the same bytes.
import { createHash } from 'node:crypto'
import type { Decoded } from './decode.ts'
import type { RecognisedAudio } from './match-audio.ts'

export interface CachedRecognition extends Omit<Decoded, 'samples'> {
  recognised: RecognisedAudio
}

const maxEntries = 500
const cache = new Map<string, CachedRecognition>()

/** Calls `recognise` unless the result is cached. `library`: folder of the recordings, part of the cache key. */
export async function recogniseOnce(
  audio: Buffer,
  library: string,
  recognise: () => Promise<CachedRecognition>,
): Promise<CachedRecognition> {
  const key = createHash('sha256').update(library).update('\0').update(audio).digest('hex')
  const cached = cache.get(key)
  if (cached) return cached
  const recognised = await recognise()
  cache.set(key, recognised)
  if (cache.size > maxEntries) cache.delete(cache.keys().next().value!)
  return recognised
}
