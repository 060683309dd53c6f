// Queries of the Tablestore search index. Their result may be out of date, so callers verify each candidate.
import type Tablestore from 'tablestore'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Cursor } from '../../../domain/reading/page-cursor.ts'
import type { Phrase } from '../../../domain/reading/search-terms.ts'
import type { Library, LoadedClient } from './client.ts'
import { cursorOf } from './listing.ts'
import type { Requests } from './requests.ts'
import { columnsIn } from './rows.ts'
import { indexName, searchedTable, tableNameOf } from './tables.ts'

export interface SearchIndex {
  /** False if there is no index, or if its first build is not complete. */
  isReady(): Promise<boolean>
  /** Possible matches after the cursor, newest first, in pages. */
  candidates(owner: string, phrases: Phrase[], cursor: Cursor, size: number): AsyncGenerator<Cursor[]>
}

/** How long `isReady` trusts its last answer. */
const readinessTtlMs = 60_000
/** Enough phrases, and terms of each, to leave few candidates. */
const maxPhrases = 16
const maxTermsPerPhrase = 32
const maxRows = 100

export function createSearchIndex(requests: Requests, prefix: string): SearchIndex {
  const tableName = tableNameOf(prefix, searchedTable)
  let readiness: { isReady: boolean; at: number } | undefined

  async function checkReadiness(): Promise<boolean> {
    try {
      const description = (await requests.call('ots:DescribeSearchIndex', ({ client }) =>
        client.describeSearchIndex({ tableName, indexName }),
      )) as { syncStat?: { syncPhase?: unknown } }
      // An index in its first build contains only a part of the transcripts.
      return !/FULL|^1$/.test(String(description.syncStat?.syncPhase ?? ''))
    } catch (error) {
      if (isSpeechError(error) && error.retryable) throw error
      return false
    }
  }

  async function search(query: unknown, limit: number, { lib, client }: LoadedClient) {
    const { SORT_ORDER_DESC: order } = lib.SortOrder
    const sorters = ['created', 'id'].map(fieldName => ({ fieldSort: { fieldName, order } }))
    return (await client.search({
      tableName,
      indexName,
      searchQuery: { offset: 0, limit, query, sort: { sorters } } as SearchQuery,
      columnToGet: { returnType: lib.ColumnReturnType.RETURN_SPECIFIED, returnNames: ['created'] },
    })) as { rows: Tablestore.Row[] }
  }

  return {
    async isReady() {
      if (!readiness?.isReady || Date.now() - readiness.at > readinessTtlMs)
        readiness = { isReady: await checkReadiness(), at: Date.now() }
      return readiness.isReady
    },
    async *candidates(owner, phrases, cursor, size) {
      let position = cursor
      const limit = Math.min(Math.max(size, 10), maxRows)
      for (;;) {
        const { rows } = await requests.call('ots:Search', loaded =>
          search(queryOf(owner, phrases, position, loaded.lib), limit, loaded),
        )
        const found = rows.map(row => cursorOf(columnsIn(row)!))
        if (found.length > 0) yield found
        const last = found.at(-1)
        if (found.length < limit || !last) return
        position = last
      }
    },
  }
}

type SearchQuery = Tablestore.SearchParams['searchQuery']

function queryOf(owner: string, phrases: Phrase[], { createdAt, id }: Cursor, { QueryType }: Library) {
  const query = (type: keyof typeof QueryType, query: object) => ({ queryType: QueryType[type], query })
  const term = (fieldName: string, value: string) => query('TERM_QUERY', { fieldName, term: value })
  const below = (fieldName: string, rangeTo: string) =>
    query('RANGE_QUERY', { fieldName, rangeTo, includeUpper: false })
  const all = (...mustQueries: unknown[]) => query('BOOL_QUERY', { mustQueries })
  const afterCursor = query('BOOL_QUERY', {
    shouldQueries: [below('created', createdAt), all(term('created', createdAt), below('id', id))],
    minimumShouldMatch: 1,
  })
  const phraseQueries = phrases.slice(0, maxPhrases).flatMap(phrase => queriesFor(phrase, QueryType))
  return all(term('owner', owner), afterCursor, ...phraseQueries)
}

/** The last term of a prefix phrase is incomplete, so only the terms before it match as a phrase. */
function queriesFor({ terms, isPrefix }: Phrase, { MATCH_PHRASE_QUERY, PREFIX_QUERY }: Library['QueryType']) {
  const words = terms.split(' ')
  const complete = (isPrefix ? words.slice(0, -1) : words).slice(0, maxTermsPerPhrase)
  return [
    ...(complete.length > 0
      ? [{ queryType: MATCH_PHRASE_QUERY, query: { fieldName: 'words', text: complete.join(' ') } }]
      : []),
    ...(isPrefix ? [{ queryType: PREFIX_QUERY, query: { fieldName: 'words', prefix: words.at(-1)! } }] : []),
  ]
}
