// The stand-in for Tablestore, asked by the client library as it is.
import { Agent } from 'node:http'
import Tablestore from 'tablestore'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTablestore, type TablestoreEmulator } from '../../emulators/tablestore/tablestore.ts'

const { Condition, RowExistenceExpectation: Row, SingleColumnCondition, ComparatorType, Long } = Tablestore
const { CompositeCondition, LogicalOperator } = Tablestore
const { QueryType, FieldType, SortOrder, ColumnReturnType, Direction, INF_MIN, INF_MAX } = Tablestore
const any = new Condition(Row.IGNORE, null)
const tableName = 'talks'

let tables: TablestoreEmulator
let client: Tablestore.Client
let now: number

function clientOf(key: Partial<Tablestore.ConfigOptions> = {}): Tablestore.Client {
  const { endpoint, instance, accessKeyId, accessKeySecret } = tables
  return new Tablestore.Client({
    endpoint,
    instancename: instance,
    accessKeyId,
    secretAccessKey: accessKeySecret,
    maxRetries: 0,
    ...key,
  })
}

const create = (name = tableName, timeToLive = -1) =>
  client.createTable({
    tableMeta: {
      tableName: name,
      primaryKey: [
        { name: 'owner', type: 'STRING' },
        { name: 'n', type: 'INTEGER' },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive, maxVersions: 1, allowUpdate: timeToLive === -1 } as Tablestore.TableOptions,
  })

beforeEach(async () => {
  now = Date.now()
  tables = await startTablestore({ now: () => now })
  client = clientOf()
  await create()
})
afterEach(async () => {
  vi.useRealTimers()
  await tables.close()
})

/** The service and the client have one clock. */
function pass(seconds: number): void {
  now += 1000 * seconds
  vi.useFakeTimers({ now, toFake: ['Date'] })
}

const keyOf = (n: number, owner = 'ann'): Tablestore.PrimaryKeyInput => [{ owner }, { n: Long.fromNumber(n) }]
const put = (n: number, attributes: Tablestore.AttributesInput = [], condition = any, owner = 'ann') =>
  client.putRow({ tableName, condition, primaryKey: keyOf(n, owner), attributeColumns: attributes })

async function read(n: number): Promise<Record<string, unknown> | undefined> {
  const { row } = await client.getRow({ tableName, primaryKey: keyOf(n) })
  if (!row?.primaryKey) return undefined
  const plain = (value: Tablestore.CellValue) =>
    typeof value === 'object' && value && 'toNumber' in value ? value.toNumber() : value
  return Object.fromEntries(
    (row.attributes ?? []).map(({ columnName, columnValue }) => [columnName, plain(columnValue)]),
  )
}

/** The code of an error, which the library hands out as bytes. */
async function refused(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (error: Error) => error,
  )
  return /OTS[A-Za-z]+/.exec(error?.message ?? '')?.[0]
}

describe('a row', () => {
  it('keeps text, whole numbers, others, truth and bytes', async () => {
    const bytes = Buffer.from([0, 1, 255])
    await put(1, [
      { text: '你好 👩‍👩‍👧' },
      { whole: Long.fromNumber(-5) },
      { part: 0.5 },
      { yes: true },
      { bytes },
    ])
    expect(await read(1)).toEqual({ text: '你好 👩‍👩‍👧', whole: -5, part: 0.5, yes: true, bytes })
    expect(await read(2)).toBeUndefined()
  })

  it('is written on the condition that it is there, or is not, or has a value', async () => {
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const at = (revision: number) =>
      new Condition(
        Row.EXPECT_EXIST,
        new SingleColumnCondition('revision', Long.fromNumber(revision), ComparatorType.EQUAL, false),
      )
    expect(await refused(put(1, [], at(1)))).toBe('OTSConditionCheckFail')
    await put(1, [{ revision: Long.fromNumber(1) }], absent)
    expect(await refused(put(1, [], absent))).toBe('OTSConditionCheckFail')
    await put(1, [{ revision: Long.fromNumber(2) }], at(1))
    expect(await refused(put(1, [], at(1)))).toBe('OTSConditionCheckFail')
  })

  it('is written on a condition made of others', async () => {
    const is = (column: string, value: string) =>
      new SingleColumnCondition(column, value, ComparatorType.EQUAL, false)
    const both = new CompositeCondition(LogicalOperator.AND)
    both.addSubCondition(is('a', '1'))
    both.addSubCondition(is('b', '2'))
    const neither = new CompositeCondition(LogicalOperator.NOT)
    neither.addSubCondition(both)
    await put(1, [{ a: '1' }, { b: '1' }])
    expect(await refused(put(1, [], new Condition(Row.IGNORE, both)))).toBe('OTSConditionCheckFail')
    await put(1, [{ a: '1' }, { b: '2' }], new Condition(Row.IGNORE, neither))
    expect(await refused(put(1, [], new Condition(Row.IGNORE, neither)))).toBe('OTSConditionCheckFail')
    const mayLack = new SingleColumnCondition('c', '3', ComparatorType.EQUAL, true)
    await put(1, [], new Condition(Row.IGNORE, mayLack))
  })

  it('keeps whole numbers to the last of 64 bits, and says when each cell was written', async () => {
    const most = '9223372036854775807'
    await put(1, [{ n64: Long.fromString(most) }])
    const { row } = await client.getRow({ tableName, primaryKey: keyOf(1) })
    const [cell] = row!.attributes! as unknown as { columnValue: object; timestamp: object }[]
    expect(String(cell!.columnValue)).toBe(most)
    expect(String(cell!.timestamp)).toBe(String(now))
  })

  it('is gone when it is deleted, which may be on a condition too', async () => {
    await put(1, [{ a: '1' }])
    const remove = (condition: Tablestore.Condition) =>
      client.deleteRow({ tableName, condition, primaryKey: keyOf(1) })
    await remove(new Condition(Row.EXPECT_EXIST, null))
    expect(await read(1)).toBeUndefined()
    expect(await refused(remove(new Condition(Row.EXPECT_EXIST, null)))).toBe('OTSConditionCheckFail')
    await remove(any)
  })

  it('is not made by deleting columns of what is not there', async () => {
    await client.updateRow({
      tableName,
      condition: any,
      primaryKey: keyOf(1),
      updateOfAttributeColumns: [{ DELETE_ALL: ['a'] }],
    })
    expect(tables.tables()).toEqual({ talks: 0 })
  })

  it('is read by columns, and not at all where it has none of them', async () => {
    await put(1, [{ a: '1' }, { b: '2' }])
    const columns = async (...columnsToGet: string[]) =>
      (await client.getRow({ tableName, primaryKey: keyOf(1), columnsToGet })).row
    expect((await columns('b', 'c'))!.attributes?.map(({ columnName }) => columnName)).toEqual(['b'])
    expect(await columns('c')).toEqual({})
  })

  it('has the key that its table has', async () => {
    const of = (primaryKey: Tablestore.PrimaryKeyInput) =>
      refused(client.putRow({ tableName, condition: any, primaryKey, attributeColumns: [] }))
    expect(await of([{ owner: 'ann' }])).toBe('OTSInvalidPK')
    expect(await of([{ owner: 'ann' }, { m: Long.fromNumber(1) }])).toBe('OTSInvalidPK')
    expect(await of([{ owner: 'ann' }, { n: '1' }])).toBe('OTSInvalidPK')
    expect(await refused(put(1, [{ owner: 'ben' }]))).toBe('OTSParameterInvalid')
  })

  it('that many want to add is added by one', async () => {
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const codes = await Promise.all(Array.from({ length: 10 }, () => refused(put(1, [], absent))))
    expect(codes.filter(code => code === undefined)).toHaveLength(1)
  })

  it('is changed by columns, counted up, and told as it is then', async () => {
    await put(1, [{ a: '1' }, { hits: Long.fromNumber(1) }])
    const { row } = await client.updateRow({
      tableName,
      condition: any,
      primaryKey: keyOf(1),
      updateOfAttributeColumns: [
        { PUT: [{ b: '2' }] },
        { DELETE_ALL: ['a'] },
        { INCREMENT: [{ hits: Long.fromNumber(2) }] },
      ],
      returnContent: { returnType: Tablestore.ReturnType.AfterModify, returnColumns: ['hits'] },
    })
    expect(row?.attributes?.map(({ columnName }) => columnName)).toEqual(['hits'])
    expect(await read(1)).toEqual({ b: '2', hits: 3 })
  })

  it('ends with its time, and is written whole only where that is so', async () => {
    await create('brief', 86_400)
    const row = { tableName: 'brief', condition: any, primaryKey: keyOf(1) }
    await client.putRow({ ...row, attributeColumns: [{ a: '1' }] })
    const update = client.updateRow({ ...row, updateOfAttributeColumns: [{ PUT: [{ b: '2' }] }] })
    expect(await refused(update)).toBe('OTSParameterInvalid')
    pass(86_399)
    expect(tables.tables()).toEqual({ talks: 0, brief: 1 })
    pass(2)
    expect((await client.getRow({ tableName: 'brief', primaryKey: keyOf(1) })).row).toEqual({})
    expect(tables.tables()).toEqual({ talks: 0, brief: 0 })
  })
})

describe('a range', () => {
  const end = (isLast: boolean): Tablestore.PrimaryKeyInput => [
    { owner: 'ann' },
    { n: (isLast ? INF_MAX : INF_MIN) as Tablestore.VirtualData },
  ]
  const range = (backward: boolean, limit: number, from?: Tablestore.PrimaryKeyInput) =>
    client.getRange({
      tableName,
      direction: backward ? Direction.BACKWARD : Direction.FORWARD,
      limit,
      inclusiveStartPrimaryKey: from ?? end(backward),
      exclusiveEndPrimaryKey: end(!backward),
    })

  it.each([false, true])('goes in the order of the keys, a page at a time (backward: %s)', async backward => {
    for (const n of [3, 1, 10, 2, -7]) await put(n)
    await put(5, [], any, 'ben')
    const found: number[] = []
    let from: Tablestore.PrimaryKeyInput | undefined
    do {
      const { rows, nextStartPrimaryKey } = await range(backward, 2, from)
      found.push(...rows.map(({ primaryKey }) => (primaryKey![1]!.value as Tablestore.int64).toNumber()))
      from = nextStartPrimaryKey?.map(({ name, value }) => ({ [name]: value }))
    } while (from)
    const sorted = [-7, 1, 2, 3, 10]
    expect(found).toEqual(backward ? sorted.toReversed() : sorted)
  })

  it('orders text by its bytes, so that emoji come last', async () => {
    const owners = ['z', '', '\uffe6', '👍', 'é', '会']
    for (const owner of owners) await put(1, [], any, owner)
    const { rows } = await client.getRange({
      tableName,
      direction: Direction.FORWARD,
      limit: 10,
      inclusiveStartPrimaryKey: [{ owner: INF_MIN as never }, { n: INF_MIN as never }],
      exclusiveEndPrimaryKey: [{ owner: INF_MAX as never }, { n: INF_MAX as never }],
    })
    const found = rows.map(({ primaryKey }) => primaryKey![0]!.value)
    expect(found).toEqual(['', 'z', 'é', '会', '\uffe6', '👍'])
  })

  it('shows what a filter lets through, which sees only what is read', async () => {
    for (const n of [1, 2, 3]) await put(n, [{ kind: n === 2 ? 'b' : 'a' }, { text: 'x' }])
    const isB = new SingleColumnCondition('kind', 'b', ComparatorType.EQUAL, false)
    const filtered = async (columnsToGet: string[]) => {
      const { rows } = await client.getRange({
        tableName,
        direction: Direction.FORWARD,
        limit: 10,
        columnFilter: isB,
        columnsToGet,
        inclusiveStartPrimaryKey: end(false),
        exclusiveEndPrimaryKey: end(true),
      })
      return rows.map(({ primaryKey }) => (primaryKey![1]!.value as Tablestore.int64).toNumber())
    }
    expect(await filtered(['kind'])).toEqual([2])
    expect(await filtered(['text'])).toEqual([])
  })

  it('ends a page early at 4 MB', async () => {
    for (const n of [1, 2, 3]) await put(n, [{ text: 'x'.repeat(2 * 1024 * 1024) }])
    const { rows, nextStartPrimaryKey } = await range(false, 10)
    expect(rows).toHaveLength(2)
    expect((nextStartPrimaryKey![1]!.value as Tablestore.int64).toNumber()).toBe(3)
  })

  it('begins before it ends', async () => {
    const bounds = { inclusiveStartPrimaryKey: keyOf(2), exclusiveEndPrimaryKey: keyOf(2) }
    const of = (direction: 'FORWARD' | 'BACKWARD') =>
      refused(client.getRange({ tableName, direction, limit: 10, ...bounds }))
    expect(await of(Direction.FORWARD)).toBe('OTSParameterInvalid')
    expect(await of(Direction.BACKWARD)).toBe('OTSParameterInvalid')
    expect(await refused(range(false, -1))).toBe('OTSParameterInvalid')
  })
})

describe('a batch', () => {
  it('tells of each row what became of it', async () => {
    const exists = new Condition(Row.EXPECT_EXIST, null)
    const rows = [any, exists].map((condition, n) => ({
      type: 'PUT' as const,
      condition,
      primaryKey: keyOf(n),
      attributeColumns: [{ a: '1' }],
    }))
    const written = await client.batchWriteRow({ tables: [{ tableName, rows }] })
    expect(written.tables.map(({ isOk, errorCode }) => [isOk, errorCode])).toEqual([
      [true, null],
      [false, 'OTSConditionCheckFail'],
    ])
    const found = await client.batchGetRow({ tables: [{ tableName, primaryKey: [keyOf(0), keyOf(1)] }] })
    expect(found.tables[0]!.map(({ primaryKey }) => primaryKey !== null)).toEqual([true, false])
  })
})

describe('a batch of writes', () => {
  type One = { type: 'PUT' | 'UPDATE' | 'DELETE'; condition: Tablestore.Condition } & Record<string, unknown>
  const write = (...rows: One[]) => client.batchWriteRow({ tables: [{ tableName, rows: rows as never }] })
  const putOf = (n: number, attributeColumns: Tablestore.AttributesInput): One => ({
    type: 'PUT',
    condition: any,
    primaryKey: keyOf(n),
    attributeColumns,
  })

  it('changes and deletes too', async () => {
    await put(1, [{ a: '1' }])
    await put(2)
    await write(
      ...([
        { type: 'UPDATE', condition: any, primaryKey: keyOf(1), attributeColumns: [{ PUT: [{ b: '2' }] }] },
        { type: 'DELETE', condition: any, primaryKey: keyOf(2) },
      ] as const),
    )
    expect([await read(1), await read(2)]).toEqual([{ a: '1', b: '2' }, undefined])
  })

  it('of which one is no valid row does nothing', async () => {
    const bad = putOf(2, [{ 'a b': '1' }])
    expect(await refused(write(putOf(1, [{ a: '1' }]), bad))).toBe('OTSParameterInvalid')
    expect(tables.tables()).toEqual({ talks: 0 })
  })

  it('asks for nothing of a row that it writes twice', async () => {
    await write(putOf(1, [{ a: '1' }]), putOf(1, [{ a: '2' }]))
    expect(await read(1)).toEqual({ a: '2' })
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const twice = write(putOf(2, []), { ...putOf(2, []), condition: absent })
    expect(await refused(twice)).toBe('OTSParameterInvalid')
  })

  it('may be refused by rows, as where the service is busy', async () => {
    tables.fault({ times: 1, how: { kind: 'refuseRows', code: 'OTSServerBusy' } })
    await put(9)
    const written = await write(...[1, 2, 3].map(n => putOf(n, [{ a: '1' }])))
    expect(written.tables.map(({ isOk }) => isOk)).toEqual([false, true, false])
    expect(tables.tables()).toEqual({ talks: 2 })
    const primaryKey = [1, 2, 3].map(n => keyOf(n))
    const found = await client.batchGetRow({ tables: [{ tableName, primaryKey }] })
    expect(found.tables[0]!.every(({ isOk }) => isOk)).toBe(true)
  })
})

describe('a table', () => {
  it('is told as it was made, and given a time to live', async () => {
    expect(await client.listTable({})).toMatchObject({ tableNames: [tableName] })
    await client.updateTable({ tableName, tableOptions: { timeToLive: 86_400, maxVersions: 1 } })
    expect(await client.describeTable({ tableName })).toMatchObject({
      tableMeta: { tableName, primaryKey: [{ name: 'owner' }, { name: 'n' }] },
      tableOptions: { timeToLive: 86_400, maxVersions: 1 },
    })
    const short = client.updateTable({ tableName, tableOptions: { timeToLive: 60, maxVersions: 1 } })
    expect(await refused(short)).toBe('OTSParameterInvalid')
  })

  it('is gone with its rows, unless it has an index', async () => {
    await put(1)
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    await client.createSearchIndex({ tableName, indexName: 'kinds', schema })
    expect(await refused(client.deleteTable({ tableName }))).toBe('OTSParameterInvalid')
    await client.deleteSearchIndex({ tableName, indexName: 'kinds' })
    await client.deleteTable({ tableName })
    expect(await refused(put(1))).toBe('OTSObjectNotExist')
    await create()
    expect(await read(1)).toBeUndefined()
  })
})

describe('what is too much', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a value of more than 2 MB', () => put(1, [{ a: 'x'.repeat(2 * 1024 * 1024 + 1) }])],
    ['a key of more than 1 KB', () => put(1, [], any, 'x'.repeat(1025))],
    [
      'a write of more than 4 MB',
      () =>
        put(
          1,
          ['a', 'b', 'c'].map(name => ({ [name]: 'x'.repeat(1_400_000 + 1) })),
        ),
    ],
    [
      'more than 1,024 columns',
      () =>
        put(
          1,
          Array.from({ length: 1025 }, (_, n) => ({ [`c${n}`]: '' })),
        ),
    ],
    [
      'a batch of more than 200 writes',
      () =>
        client.batchWriteRow({
          tables: [
            {
              tableName,
              rows: Array.from({ length: 201 }, (_, n) => ({
                type: 'DELETE' as const,
                condition: any,
                primaryKey: keyOf(n),
              })) as never,
            },
          ],
        }),
    ],
    [
      'a batch of more than 100 rows',
      () =>
        client.batchGetRow({
          tables: [{ tableName, primaryKey: Array.from({ length: 101 }, (_, n) => keyOf(n)) }],
        }),
    ],
  ])('is refused: %s', async (_, work) => {
    expect(await refused(work())).toBe('OTSParameterInvalid')
  })

  it('is a request of more than 5 MB', async () => {
    const columns = ['a', 'b', 'c'].map(name => ({ [name]: 'x'.repeat(1_900_000) }))
    expect(await refused(put(1, columns))).toBe('OTSRequestBodyTooLarge')
  })

  it('is more than 64 tables', async () => {
    for (let n = 1; n < 64; n++) await create(`t${n}`)
    expect(await refused(create('one_more'))).toBe('OTSQuotaExhausted')
    expect(await refused(create('t1'))).toBe('OTSObjectAlreadyExist')
  })
})

describe('a search', () => {
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
      'a run of Chinese',
      { queryType: QueryType.MATCH_PHRASE_QUERY, query: { fieldName: 'text', text: '天我' } },
      [3],
    ],
    ['a keyword', { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'b' } }, [2]],
    [
      'a range',
      { queryType: QueryType.RANGE_QUERY, query: { fieldName: 'kind', rangeFrom: 'a', includeLower: false } },
      [2, 3],
    ],
    ['all', { queryType: QueryType.MATCH_ALL_QUERY }, [1, 2, 3]],
    [
      'one of some keywords',
      { queryType: QueryType.TERMS_QUERY, query: { fieldName: 'kind', terms: ['a', 'c', 'x'] } },
      [1, 3],
    ],
    [
      'the beginning of a word',
      { queryType: QueryType.PREFIX_QUERY, query: { fieldName: 'text', prefix: 'bro' } },
      [1, 2],
    ],
    ['what has a column', { queryType: QueryType.EXISTS_QUERY, query: { fieldName: 'kind' } }, [1, 2, 3]],
    [
      'all of this, one of those and none of the others',
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
  ])('finds %s', async (_, query, expected) => {
    expect(ids(await search(query))).toEqual(expected)
  })

  it('sorts, and goes on where a page ended', async () => {
    const sorters = [{ fieldSort: { fieldName: 'kind', order: SortOrder.SORT_ORDER_DESC } }]
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    const first = await search(all, { limit: 2, sort: { sorters } })
    expect([ids(first), first.totalCounts]).toEqual([[3, 2], '3'])
    expect(ids(await search(all, { limit: 2, token: first.nextToken }))).toEqual([1])
  })

  it('gives the columns that are asked for, and those of the key', async () => {
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

  it('is refused where its field, its page or its index is not there', async () => {
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    const term = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'nothing', term: 'a' } }
    expect(await refused(search(term))).toBe('OTSParameterInvalid')
    expect(await refused(search(all, { limit: 101 }))).toBe('OTSParameterInvalid')
    expect(await refused(search(all, { token: Buffer.from('what') }))).toBe('OTSParameterInvalid')
    await client.deleteSearchIndex({ tableName, indexName: 'words' })
    expect(await refused(search(all))).toBe('OTSObjectNotExist')
    expect(await client.listSearchIndex({ tableName })).toMatchObject({ indices: [] })
  })

  it('finds what changed as it is now, and no more what is gone', async () => {
    const all = { queryType: QueryType.MATCH_ALL_QUERY }
    await put(1, [{ kind: 'z' }])
    await client.deleteRow({ tableName, condition: any, primaryKey: keyOf(2) })
    const sorters = [{ fieldSort: { fieldName: 'kind', order: SortOrder.SORT_ORDER_ASC } }]
    expect(ids(await search(all, { sort: { sorters } }))).toEqual([3, 1])
  })

  it('is not of all rows while a new index is filled', async () => {
    tables.set({ indexDelay: 60 })
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    await client.createSearchIndex({ tableName, indexName: 'kinds', schema })
    const phase = async () => {
      const { syncStat } = (await client.describeSearchIndex({ tableName, indexName: 'kinds' })) as {
        syncStat: { syncPhase: unknown }
      }
      return syncStat.syncPhase
    }
    const before = await phase()
    pass(60.001)
    expect(await phase()).not.toEqual(before)
  })

  it('forgets rows after the time to live of the index, which wants rows that are written whole', async () => {
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    const brief = { indexName: 'brief', schema, timeToLive: 86_400 }
    expect(await refused(client.createSearchIndex({ tableName, ...brief }))).toBe('OTSParameterInvalid')
    await create('whole', 2 * 86_400)
    const { timeToLive: _, ...endless } = brief
    expect(await refused(client.createSearchIndex({ tableName: 'whole', ...endless }))).toBe(
      'OTSParameterInvalid',
    )
    const longer = { tableName: 'whole', ...brief, timeToLive: 2 * 86_400 }
    await client.createSearchIndex(longer)
    const shorten = () =>
      client.updateTable({ tableName: 'whole', tableOptions: { timeToLive: 86_400, maxVersions: 1 } })
    expect(await refused(shorten())).toBe('OTSParameterInvalid')
    const updates = client as unknown as { updateSearchIndex(params: object): Promise<unknown> }
    await updates.updateSearchIndex({ tableName: 'whole', indexName: 'brief', timeToLive: 86_400 })
    await shorten()
    await client.updateTable({ tableName: 'whole', tableOptions: { timeToLive: 172_800, maxVersions: 1 } })
    const row = { primaryKey: keyOf(1), attributeColumns: [{ kind: 'a' }] }
    await client.putRow({ tableName: 'whole', condition: any, ...row })
    const found = async () => {
      const query = { queryType: QueryType.MATCH_ALL_QUERY }
      const searchQuery = { limit: 1, getTotalCount: true, query } as never
      const columnToGet = { returnType: ColumnReturnType.RETURN_NONE } as never
      const asked = { tableName: 'whole', indexName: 'brief', searchQuery, columnToGet }
      return ((await client.search(asked)) as { totalCounts: string }).totalCounts
    }
    expect(await found()).toBe('1')
    pass(86_401)
    expect([await found(), tables.tables().whole]).toEqual(['0', 1])
  })

  it('knows what was written only after a while', async () => {
    tables.set({ indexDelay: 3 })
    await put(4, [{ kind: 'd' }])
    const query = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'd' } }
    expect(ids(await search(query))).toEqual([])
    pass(3.001)
    expect(ids(await search(query))).toEqual([4])
  })
})

describe('who is refused', () => {
  it('without the token that belongs to the key', async () => {
    tables.set({ securityToken: 'token' })
    expect(await refused(client.listTable({}))).toBe('OTSAuthFailed')
    await clientOf({ securityToken: 'token' }).listTable({})
  })

  it('in words that do not tell the secret', async () => {
    const error = await clientOf({ secretAccessKey: 'what' })
      .listTable({})
      .catch((error: Error) => error)
    expect((error as Error & { code: number }).code).toBe(403)
    expect((error as Error).message).not.toContain(tables.accessKeySecret)
  })

  it.each<[string, Partial<Tablestore.ConfigOptions>]>([
    ['another key', { accessKeyId: 'who' }],
    ['another secret', { secretAccessKey: 'what' }],
    ['another instance', { instancename: 'elsewhere' }],
    ['a token', { securityToken: 'none' }],
  ])('with %s', async (_, key) => {
    expect(await refused(clientOf(key).listTable({}))).toBe('OTSAuthFailed')
  })

  it('with a clock that is far off, without the right, or with a table that is not there', async () => {
    tables.set({ now: () => now + 16 * 60_000 })
    expect(await refused(client.listTable({}))).toBe('OTSAuthFailed')
    tables.set({ now: () => now, forbidden: ['ListTable'] })
    expect(await refused(client.listTable({}))).toBe('OTSNoPermissionAccess')
    expect(await refused(client.describeTable({ tableName: 'nowhere' }))).toBe('OTSObjectNotExist')
  })
})

describe('faults', () => {
  it('refuse, cut before and cut after, so many times', async () => {
    const fault = (how: Parameters<TablestoreEmulator['fault']>[0]['how']) =>
      tables.fault({ operation: 'PutRow', times: 1, how })
    fault({ kind: 'refuse', status: 503, code: 'OTSServerBusy' })
    expect(await refused(put(1))).toBe('OTSServerBusy')
    fault({ kind: 'drop' })
    await expect(put(1)).rejects.toThrow()
    expect(tables.tables()).toEqual({ talks: 0 })
    fault({ kind: 'lose' })
    await expect(put(1)).rejects.toThrow()
    expect(tables.tables()).toEqual({ talks: 1 })
  })

  it('hit the tables and the operations that they are meant for', async () => {
    await create('other')
    const off = tables.fault({ table: 'talks', how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    await client.describeTable({ tableName: 'other' })
    expect(await refused(client.describeTable({ tableName }))).toBe('OTSServerBusy')
    off()
    await client.describeTable({ tableName })
  })

  it('come by chance in the same way for the same seed', async () => {
    const outcomes = async () => {
      const standin = await startTablestore({ seed: 7 })
      const { endpoint, instance: instancename, accessKeyId, accessKeySecret } = standin
      standin.fault({ probability: 0.5, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
      const client = new Tablestore.Client({
        endpoint,
        instancename,
        accessKeyId,
        secretAccessKey: accessKeySecret,
        maxRetries: 0,
      })
      const codes: unknown[] = []
      for (let i = 0; i < 12; i++) codes.push(await refused(client.listTable({})))
      await standin.close()
      return codes
    }
    const first = await outcomes()
    expect(new Set(first).size).toBe(2)
    expect(await outcomes()).toEqual(first)
  })

  it('leave their marks in the list of calls', async () => {
    tables.fault({ operation: 'PutRow', times: 1, how: { kind: 'lose' } })
    await expect(put(1)).rejects.toThrow()
    await refused(put(1, [], new Condition(Row.EXPECT_NOT_EXIST, null)))
    await put(1)
    const puts = tables.calls.filter(({ operation }) => operation === 'PutRow')
    expect(puts.map(({ table, status, code }) => [table, status, code])).toEqual([
      ['talks', undefined, undefined],
      ['talks', 403, 'OTSConditionCheckFail'],
      ['talks', 200, undefined],
    ])
  })

  it('answer late, or never, and do not hold up the end', async () => {
    const agent = new Agent({ keepAlive: true })
    client = clientOf({ httpOptions: { agent } } as never)
    await client.listTable({})
    tables.fault({ operation: 'GetRow', how: { kind: 'hang' } })
    tables.fault({ operation: 'PutRow', how: { kind: 'delay', seconds: 3_600 } })
    const waiting = [client.getRow({ tableName, primaryKey: keyOf(1) }), put(1)]
    const ends = Promise.allSettled(waiting)
    await expect.poll(() => tables.tables()).toEqual({ talks: 1 })
    await tables.close()
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    agent.destroy()
  })
})
