// Shows each recording once: of its transcripts, by several models or with several options, the newest.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { PageRequest, TranscriptPage } from '../../domain/ports.ts'
import {
  type Cursor,
  isAfter,
  justBefore,
  type PageCursor,
  readCursor,
  writeCursor,
} from '../../domain/reading/page-cursor.ts'
import type { TranscriptSummary } from '../../domain/transcript.ts'
import type { JobBasis } from '../context.ts'

export interface FoundTranscript extends TranscriptSummary {
  /** Number of older transcripts of the same recording among those that were looked through; absent: none. */
  others?: number
}

export interface FoundPage extends Omit<TranscriptPage, 'transcripts'> {
  transcripts: FoundTranscript[]
}

/** The recordings of earlier pages are remembered for this long. Another process, and later this one, reads them again. */
const rememberedMs = 3_600_000
const maxRemembered = 200
const concurrency = 8
/** A page with many transcripts of few recordings stays short. */
const maxReads = 10
const readAgain = 100
/** Pages read again for an old cursor at most: recordings that only the pages behind them have shown may show twice. */
const maxReadsAgain = 20

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
    const position = cursor === undefined ? undefined : readCursor(cursor)
    const earlier = position && (shown.get(keyOf(cursor!)) ?? (await shownUpTo(position)))
    if (earlier) shown.set(keyOf(cursor!), earlier)
    const seen = new Set(earlier)
    let first: Cursor | undefined = position?.first
    const found = new Map<string, FoundTranscript>()
    let nextCursor = cursor
    for (let reads = 0; reads < maxReads && found.size < limit; reads++) {
      const page = await read({ limit: limit - found.size, cursor: nextCursor })
      first ??= position ? undefined : page.transcripts[0]
      const contents = await contentsOf(page)
      for (const [i, transcript] of page.transcripts.entries()) {
        const content = contents[i]!
        const newer = found.get(content)
        if (newer) newer.others = (newer.others ?? 0) + 1
        else if (!seen.has(content)) found.set(content, { ...transcript })
      }
      nextCursor = page.nextCursor
      if (nextCursor === undefined) break
    }
    if (nextCursor === undefined) return { transcripts: [...found.values()] }
    const next = writeCursor({ ...readCursor(nextCursor), first })
    shown.set(keyOf(next), new Set([...seen, ...found.keys()]))
    return { transcripts: [...found.values()], nextCursor: next }

    /** The recordings from the beginning of the list to a position, which an earlier page has shown. */
    async function shownUpTo(position: PageCursor): Promise<Set<string>> {
      const contents = new Set<string>()
      let next = position.first && writeCursor(justBefore(position.first))
      for (let reads = 0; reads < maxReadsAgain; reads++) {
        const page = await read({ limit: readAgain, cursor: next })
        const transcripts = page.transcripts.filter(one => !isAfter(one, position))
        for (const content of await contentsOf({ transcripts })) contents.add(content)
        next = page.nextCursor
        if (next === undefined || !isAfter(position, readCursor(next))) break
      }
      return contents
    }

    function contentsOf({ transcripts }: Pick<TranscriptPage, 'transcripts'>): Promise<string[]> {
      return pLimit(concurrency).map(transcripts, ({ id }) => contentOf(owner, id))
    }
  }

  /** The hash of its bytes; an address and a transcript without its job are recordings of their own. */
  async function contentOf(owner: string, id: string): Promise<string> {
    const job = await repository.get(owner, id).catch(() => undefined)
    return job?.content ?? id
  }
}
