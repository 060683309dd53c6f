// Shows each recording once: of its transcripts, by several models or with several options, the newest.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { PageRequest, TranscriptPage } from '../../domain/ports.ts'
import type { TranscriptSummary } from '../../domain/transcript.ts'
import type { JobBasis } from '../context.ts'

export interface FoundTranscript extends TranscriptSummary {
  /** Number of older transcripts of the same recording among those that were looked through; absent: none. */
  others?: number
}

export interface FoundPage extends Omit<TranscriptPage, 'transcripts'> {
  transcripts: FoundTranscript[]
}

/** A cursor knows no recordings: those of earlier pages are remembered here, for this long and in this process. */
const rememberedMs = 3_600_000
const maxRemembered = 200
const concurrency = 8
/** A page with many transcripts of few recordings stays short. */
const maxReads = 10

export function createOnceEach({ repository }: Pick<JobBasis, 'repository'>) {
  const shown = new LRUCache<string, ReadonlySet<string>>({ max: maxRemembered, ttl: rememberedMs })

  /** `read` returns pages of transcripts, newest first; `query` tells its pages from those of other searches. */
  return async function onceEach(
    owner: string,
    query: string,
    { limit, cursor }: PageRequest,
    read: (page: PageRequest) => Promise<TranscriptPage>,
  ): Promise<FoundPage> {
    const keyOf = (cursor: string) => JSON.stringify([owner, query, cursor])
    const earlier = cursor === undefined ? undefined : shown.get(keyOf(cursor))
    const seen = new Set(earlier)
    const found = new Map<string, FoundTranscript>()
    let nextCursor = cursor
    for (let reads = 0; reads < maxReads && found.size < limit; reads++) {
      const page = await read({ limit: limit - found.size, cursor: nextCursor })
      const contents = await pLimit(concurrency).map(page.transcripts, ({ id }) => contentOf(owner, id))
      for (const [i, transcript] of page.transcripts.entries()) {
        const content = contents[i]!
        const newer = found.get(content)
        if (newer) newer.others = (newer.others ?? 0) + 1
        else if (!seen.has(content)) found.set(content, { ...transcript })
      }
      nextCursor = page.nextCursor
      if (nextCursor === undefined) break
    }
    if (nextCursor !== undefined) shown.set(keyOf(nextCursor), new Set([...seen, ...found.keys()]))
    return { transcripts: [...found.values()], ...(nextCursor !== undefined && { nextCursor }) }
  }

  /** The hash of its bytes; an address and a transcript without its job are recordings of their own. */
  async function contentOf(owner: string, id: string): Promise<string> {
    const job = await repository.get(owner, id).catch(() => undefined)
    return job?.content ?? id
  }
}
