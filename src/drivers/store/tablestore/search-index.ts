// What the search index of Tablestore offers for a query: ids, newest first, of which some may be out of date.
import type Tablestore from 'tablestore'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Cursor } from '../cursors.ts'
import type { Phrase } from '../terms.ts'
import type { Library } from './client.ts'
import type { Requests } from './requests.ts'
import { indexName, nameOf, searched } from './tables.ts'

export interface SearchIndex {
  /** False where there is no index, or one that does not know all yet. */
  areKnown(): Promise<boolean>
  /** Ids of what may match and comes after a place, a page at a time. */
  pages(owner: string, phrases: Phrase[], before: Cursor, size: number): AsyncGenerator<string[]>
}

/** Milliseconds between two looks at the index. */
const lookInterval = 60_000
/** An index has enough of so many phrases, and of so many terms of each, to leave few candidates. */
const mostPhrases = 16
const mostTerms = 32
const mostRows = 100

export function createSearchIndex(line: Requests, prefix: string): SearchIndex {
  const tableName = nameOf(prefix, searched)
  let known: { isReady: boolean; at: number } | undefined

  async function look(): Promise<boolean> {
    try {
      const found = (await line.call('ots:DescribeSearchIndex', ({ client }) =>
        client.describeSearchIndex({ tableName, indexName }),
      )) as { syncStat?: { syncPhase?: unknown } }
      // While it is filled for the first time it knows a part only.
      return !/FULL|^1$/.test(String(found.syncStat?.syncPhase ?? ''))
    } catch (error) {
      if (isSpeechError(error) && error.retryable) throw error
      return false
    }
  }

  async function ask(query: unknown, size: number, loaded: Loaded) {
    const { lib, client } = loaded
    const { SORT_ORDER_DESC: order } = lib.SortOrder
    const sorters = ['created', 'id'].map(fieldName => ({ fieldSort: { fieldName, order } }))
    return (await client.search({
      tableName,
      indexName,
      searchQuery: { offset: 0, limit: size, query, sort: { sorters } } as SearchQuery,
      columnToGet: { returnType: lib.ColumnReturnType.RETURN_SPECIFIED, returnNames: ['created'] },
    })) as { rows: Tablestore.Row[] }
  }

  return {
    async areKnown() {
      if (!known?.isReady || Date.now() - known.at > lookInterval)
        known = { isReady: await look(), at: Date.now() }
      return known.isReady
    },
    async *pages(owner, phrases, before, size) {
      let place = before
      const limit = Math.min(Math.max(size, 10), mostRows)
      for (;;) {
        const { rows } = await line.call('ots:Search', loaded =>
          ask(queryOf(owner, phrases, place, loaded.lib), limit, loaded),
        )
        const found = rows.map(({ primaryKey, attributes }) => ({
          id: String(primaryKey?.find(({ name }) => name === 'id')?.value),
          createdAt: String(attributes?.find(({ columnName }) => columnName === 'created')?.columnValue),
        }))
        if (found.length > 0) yield found.map(({ id }) => id)
        const last = found.at(-1)
        if (found.length < limit || !last) return
        place = last
      }
    },
  }
}

interface Loaded {
  lib: Library
  client: Tablestore.Client
}

type SearchQuery = Tablestore.SearchParams['searchQuery']

function queryOf(owner: string, phrases: Phrase[], { createdAt, id }: Cursor, { QueryType }: Library) {
  const term = (fieldName: string, value: string) => ({
    queryType: QueryType.TERM_QUERY,
    query: { fieldName, term: value },
  })
  const below = (fieldName: string, rangeTo: string) => ({
    queryType: QueryType.RANGE_QUERY,
    query: { fieldName, rangeTo, includeUpper: false },
  })
  const all = (mustQueries: unknown[]) => ({ queryType: QueryType.BOOL_QUERY, query: { mustQueries } })
  const either = {
    queryType: QueryType.BOOL_QUERY,
    query: {
      shouldQueries: [below('created', createdAt), all([term('created', createdAt), below('id', id)])],
      minimumShouldMatch: 1,
    },
  }
  const wanted = phrases.slice(0, mostPhrases).flatMap(phrase => clausesOf(phrase, QueryType))
  return all([term('owner', owner), either, ...wanted])
}

/** The last term of an open phrase may go on, so that only those before it are known as they are. */
function clausesOf({ terms, isOpen }: Phrase, { MATCH_PHRASE_QUERY, PREFIX_QUERY }: Library['QueryType']) {
  const words = terms.split(' ')
  const whole = (isOpen ? words.slice(0, -1) : words).slice(0, mostTerms)
  return [
    ...(whole.length > 0
      ? [{ queryType: MATCH_PHRASE_QUERY, query: { fieldName: 'words', text: whole.join(' ') } }]
      : []),
    ...(isOpen ? [{ queryType: PREFIX_QUERY, query: { fieldName: 'words', prefix: words.at(-1)! } }] : []),
  ]
}
