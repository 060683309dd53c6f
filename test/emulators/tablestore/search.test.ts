// The Tablestore emulator: search indexes.
import Tablestore from 'tablestore'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  advance,
  anyRow,
  client,
  create,
  errorCodeOf,
  keyOf,
  put,
  startTablestoreForEachTest,
  tableName,
  tablestore,
} from '../../support/emulators/tablestore-client.ts'

const { QueryType, FieldType, SortOrder, ColumnReturnType } = Tablestore

startTablestoreForEachTest()

describe('search', () => {
  const search = (query: object, more: object = {}) =>
    client.search({
      tableName,
      indexName: 'words',
      searchQuery: { offset: 0, limit: 10, getTotalCount: true, query, ...more } as never,
      columnToGet: { returnType: ColumnReturnType.RETURN_SPECIFIED, returnNames: ['n'] },
    }) as Promise<{ rows: Tablestore.Row[]; totalCounts: string; nextToken: Buffer }>

  const ids = ({ rows }: { rows: Tablestore.Row[] }) =>
    rows.map(({ primaryKey }) => (primaryKey![1]!.value as Tablestore.int64).toNumber())

  beforeEach(async () => {
    const keyword = { fieldType: FieldType.KEYWORD, index: true, enableSortAndAgg: true }
    const analyzer = {
      analyzer: 'single_word',
      analyzerParameter: { caseSensitive: false, delimitWord: false },
    }
    const text = { fieldType: FieldType.TEXT, index: true, ...analyzer }
    await client.createSearchIndex({
      tableName,
      indexName: 'words',
      schema: {
        fieldSchemas: [
          { fieldName: 'kind', ...keyword },
          { fieldName: 'text', ...text },
        ],
      },
    })
    await put(1, [{ kind: 'a' }, { text: 'The quick brown fox' }])
    await put(2, [{ kind: 'b' }, { text: 'brown, and quick' }])
    await put(3, [{ kind: 'c' }, { text: '今天我们讨论 QUICK' }])
  })

  it.each<[string, object, number[]]>([
    ['a word', { queryType: QueryType.MATCH_QUERY, query: { fieldName: 'text', text: 'Quick' } }, [1, 2, 3]],
    [
      'a phrase',
      { queryType: QueryType.MATCH_PHRASE_QUERY, query: { fieldName: 'text', text: 'quick brown' } },
      [1],
    ],
    [
      'a run of Chinese characters',
      { queryType: QueryType.MATCH_PHRASE_QUERY, query: { fieldName: 'text', text: '天我' } },
      [3],
    ],
    ['a keyword', { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'b' } }, [2]],
    [
      'ranges',
      { queryType: QueryType.RANGE_QUERY, query: { fieldName: 'kind', rangeFrom: 'a', includeLower: false } },
      [2, 3],
    ],
    ['all rows', { queryType: QueryType.MATCH_ALL_QUERY }, [1, 2, 3]],
    [
      'one of several keywords',
      { queryType: QueryType.TERMS_QUERY, query: { fieldName: 'kind', terms: ['a', 'c', 'x'] } },
      [1, 3],
    ],
    [
      'a word prefix',
      { queryType: QueryType.PREFIX_QUERY, query: { fieldName: 'text', prefix: 'bro' } },
      [1, 2],
    ],
    ['rows with a column', { queryType: QueryType.EXISTS_QUERY, query: { fieldName: 'kind' } }, [1, 2, 3]],
    [
      'a combination of must, should and must-not queries',
      {
        queryType: QueryType.BOOL_QUERY,
        query: {
          mustQueries: [{ queryType: QueryType.MATCH_QUERY, query: { fieldName: 'text', text: 'quick' } }],
          shouldQueries: ['a', 'b'].map(term => ({
            queryType: QueryType.TERM_QUERY,
            query: { fieldName: 'kind', term },
          })),
          minimumShouldMatch: 1,
          mustNotQueries: [{ queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'a' } }],
        },
      },
      [2],
    ],
  ])('a search finds %s', async (_, query, expected) => {
    expect(ids(await search(query))).toEqual(expected)
  })

  it('a search sorts its rows and continues with a page token', async () => {
    const sorters = [{ fieldSort: { fieldName: 'kind', order: SortOrder.SORT_ORDER_DESC } }]
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    const first = await search(all, { limit: 2, sort: { sorters } })
    expect([ids(first), first.totalCounts]).toEqual([[3, 2], '3'])
    expect(ids(await search(all, { limit: 2, token: first.nextToken }))).toEqual([1])
  })

  it('a search returns the requested columns and the key', async () => {
    const query = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'a' } }
    const columns = async (columnToGet: object) => {
      const { rows } = (await client.search({
        tableName,
        indexName: 'words',
        searchQuery: { limit: 1, query } as never,
        columnToGet: columnToGet as never,
      })) as { rows: Tablestore.Row[] }
      const [{ attributes, primaryKey }] = rows as [Tablestore.Row]
      return [primaryKey!.length, ...(attributes ?? []).map(({ columnName }) => columnName)]
    }
    const { RETURN_ALL, RETURN_SPECIFIED, RETURN_NONE } = ColumnReturnType
    expect(await columns({ returnType: RETURN_ALL })).toEqual([2, 'kind', 'text'])
    expect(await columns({ returnType: RETURN_SPECIFIED, returnNames: ['text'] })).toEqual([2, 'text'])
    expect(await columns({ returnType: RETURN_NONE })).toEqual([2])
  })

  it('a search with an unknown field, an invalid page or a missing index is refused', async () => {
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    const term = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'nothing', term: 'a' } }
    expect(await errorCodeOf(search(term))).toBe('OTSParameterInvalid')
    expect(await errorCodeOf(search(all, { limit: 101 }))).toBe('OTSParameterInvalid')
    expect(await errorCodeOf(search(all, { token: Buffer.from('what') }))).toBe('OTSParameterInvalid')
    await client.deleteSearchIndex({ tableName, indexName: 'words' })
    expect(await errorCodeOf(search(all))).toBe('OTSObjectNotExist')
    expect(await client.listSearchIndex({ tableName })).toMatchObject({ indices: [] })
  })

  it('a search reflects updated and deleted rows', async () => {
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    await put(1, [{ kind: 'z' }])
    await client.deleteRow({ tableName, condition: anyRow, primaryKey: keyOf(2) })
    const sorters = [{ fieldSort: { fieldName: 'kind', order: SortOrder.SORT_ORDER_ASC } }]
    expect(ids(await search(all, { sort: { sorters } }))).toEqual([3, 1])
  })

  it('a new search index reports its synchronisation phase', async () => {
    tablestore.set({ indexDelay: 60 })
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    await client.createSearchIndex({ tableName, indexName: 'kinds', schema })
    const phase = async () => {
      const { syncStat } = (await client.describeSearchIndex({ tableName, indexName: 'kinds' })) as {
        syncStat: { syncPhase: unknown }
      }
      return syncStat.syncPhase
    }
    const before = await phase()
    advance(60.001)
    expect(await phase()).not.toEqual(before)
  })

  it('a search index expires rows after its own time to live, which requires a table without updates', async () => {
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    const shortLived = { indexName: 'short_lived', schema, timeToLive: 86_400 }
    expect(await errorCodeOf(client.createSearchIndex({ tableName, ...shortLived }))).toBe(
      'OTSParameterInvalid',
    )
    await create('whole', 2 * 86_400)
    const { timeToLive: _, ...endless } = shortLived
    expect(await errorCodeOf(client.createSearchIndex({ tableName: 'whole', ...endless }))).toBe(
      'OTSParameterInvalid',
    )
    const longer = { tableName: 'whole', ...shortLived, timeToLive: 2 * 86_400 }
    await client.createSearchIndex(longer)
    const shorten = () =>
      client.updateTable({ tableName: 'whole', tableOptions: { timeToLive: 86_400, maxVersions: 1 } })
    expect(await errorCodeOf(shorten())).toBe('OTSParameterInvalid')
    const updates = client as unknown as { updateSearchIndex(params: object): Promise<unknown> }
    await updates.updateSearchIndex({ tableName: 'whole', indexName: 'short_lived', timeToLive: 86_400 })
    await shorten()
    await client.updateTable({ tableName: 'whole', tableOptions: { timeToLive: 172_800, maxVersions: 1 } })
    const row = { primaryKey: keyOf(1), attributeColumns: [{ kind: 'a' }] }
    await client.putRow({ tableName: 'whole', condition: anyRow, ...row })
    const found = async () => {
      const query = { queryType: QueryType.MATCH_ALL_QUERY }
      const searchQuery = { limit: 1, getTotalCount: true, query } as never
      const columnToGet = { returnType: ColumnReturnType.RETURN_NONE } as never
      const asked = { tableName: 'whole', indexName: 'short_lived', searchQuery, columnToGet }
      return ((await client.search(asked)) as { totalCounts: string }).totalCounts
    }
    expect(await found()).toBe('1')
    advance(86_401)
    expect([await found(), tablestore.tables().whole]).toEqual(['0', 1])
  })

  it('a search finds a written row only after the index delay', async () => {
    tablestore.set({ indexDelay: 3 })
    await put(4, [{ kind: 'd' }])
    const query = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'd' } }
    expect(ids(await search(query))).toEqual([])
    advance(3.001)
    expect(ids(await search(query))).toEqual([4])
  })
})
