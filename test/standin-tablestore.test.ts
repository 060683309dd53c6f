// The stand-in for Tablestore, asked by the client library as it is.
import Tablestore from 'tablestore'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTablestore, type TablestoreStandin } from '../src/standin/tablestore/tablestore.ts'

const { Condition, RowExistenceExpectation: Row, SingleColumnCondition, ComparatorType, Long } = Tablestore
const { QueryType, FieldType, SortOrder, ColumnReturnType, Direction, INF_MIN, INF_MAX } = Tablestore
const any = new Condition(Row.IGNORE, null)
const tableName = 'talks'

let tables: TablestoreStandin
let client: Tablestore.Client
let now: number

function clientOf(key: Partial<Tablestore.ConfigOptions> = {}): Tablestore.Client {
  const { endpoint, instance, accessKeyId, accessKeySecret } = tables
  return new Tablestore.Client({
    ...{ endpoint, instancename: instance, accessKeyId, secretAccessKey: accessKeySecret, maxRetries: 0 },
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
afterEach(() => tables.close())

const keyOf = (n: number, owner = 'ann') => [{ owner }, { n: Long.fromNumber(n) }]
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

  it('that many want to add is added by one', async () => {
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const codes = await Promise.all(Array.from({ length: 10 }, () => refused(put(1, [], absent))))
    expect(codes.filter(code => code === undefined)).toHaveLength(1)
  })

  it('is changed by columns, counted up, and told as it is then', async () => {
    await put(1, [{ a: '1' }, { hits: Long.fromNumber(1) }])
    const { row } = await client.updateRow({
      ...{ tableName, condition: any, primaryKey: keyOf(1) },
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
    now += 86_401_000
    tables.set({ now: () => now })
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
      ...{ tableName, direction: backward ? Direction.BACKWARD : Direction.FORWARD, limit },
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
})

describe('a batch', () => {
  it('tells of each row what became of it', async () => {
    const exists = new Condition(Row.EXPECT_EXIST, null)
    const rows = [any, exists].map((condition, n) => ({
      ...{ type: 'PUT' as const, condition, primaryKey: keyOf(n), attributeColumns: [{ a: '1' }] },
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

describe('what is too much', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a value of more than 2 MB', () => put(1, [{ a: 'x'.repeat(2 * 1024 * 1024 + 1) }])],
    ['a key of more than 1 KB', () => put(1, [], any, 'x'.repeat(1025))],
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

  it('is more than 64 tables', async () => {
    for (let n = 1; n < 64; n++) await create(`t${n}`)
    expect(await refused(create('one_more'))).toBe('OTSQuotaExhausted')
    expect(await refused(create('t1'))).toBe('OTSObjectAlreadyExist')
  })
})

describe('a search', () => {
  const search = (query: object, more: object = {}) =>
    client.search({
      ...{ tableName, indexName: 'words' },
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
      ...{ tableName, indexName: 'words' },
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

  it('knows what was written only after a while', async () => {
    tables.set({ indexDelay: 3 })
    await put(4, [{ kind: 'd' }])
    const query = { queryType: QueryType.TERM_QUERY, query: { fieldName: 'kind', term: 'd' } }
    expect(ids(await search(query))).toEqual([])
    now += 3_001
    tables.set({ now: () => now })
    expect(ids(await search(query))).toEqual([4])
  })
})

describe('who is refused', () => {
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
    const fault = (how: Parameters<TablestoreStandin['fault']>[0]['how']) =>
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
})
