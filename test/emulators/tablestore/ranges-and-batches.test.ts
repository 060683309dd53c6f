// The Tablestore emulator: ranges and batches of rows.
import Tablestore from 'tablestore'
import { describe, expect, it } from 'vitest'
import {
  anyRow,
  client,
  errorCodeOf,
  keyOf,
  put,
  read,
  startTablestoreForEachTest,
  tableName,
  tablestore,
} from '../../support/emulators/tablestore-client.ts'

const {
  Condition,
  RowExistenceExpectation: Row,
  SingleColumnCondition,
  ComparatorType,
  Direction,
  INF_MIN,
  INF_MAX,
} = Tablestore

startTablestoreForEachTest()

describe('ranges', () => {
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

  it.each([false, true])('a range returns rows in key order, page by page (backward: %s)', async backward => {
    for (const n of [3, 1, 10, 2, -7]) await put(n)
    await put(5, [], anyRow, 'ben')
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

  it('a range sorts strings by their UTF-8 bytes, so that emoji come last', async () => {
    const owners = ['z', '', '\uffe6', '👍', 'é', '会']
    for (const owner of owners) await put(1, [], anyRow, owner)
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

  it('a range applies its filter only to the columns that are read', async () => {
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

  it('a page of a range ends early at 4 MB', async () => {
    for (const n of [1, 2, 3]) await put(n, [{ text: 'x'.repeat(2 * 1024 * 1024) }])
    const { rows, nextStartPrimaryKey } = await range(false, 10)
    expect(rows).toHaveLength(2)
    expect((nextStartPrimaryKey![1]!.value as Tablestore.int64).toNumber()).toBe(3)
  })

  it('a range whose start is not before its end is refused', async () => {
    const bounds = { inclusiveStartPrimaryKey: keyOf(2), exclusiveEndPrimaryKey: keyOf(2) }
    const of = (direction: 'FORWARD' | 'BACKWARD') =>
      errorCodeOf(client.getRange({ tableName, direction, limit: 10, ...bounds }))
    expect(await of(Direction.FORWARD)).toBe('OTSParameterInvalid')
    expect(await of(Direction.BACKWARD)).toBe('OTSParameterInvalid')
    expect(await errorCodeOf(range(false, -1))).toBe('OTSParameterInvalid')
  })
})

describe('batches', () => {
  it('a batch reports the result of each row', async () => {
    const exists = new Condition(Row.EXPECT_EXIST, null)
    const rows = [anyRow, exists].map((condition, n) => ({
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

describe('batch writes', () => {
  type One = { type: 'PUT' | 'UPDATE' | 'DELETE'; condition: Tablestore.Condition } & Record<string, unknown>
  const write = (...rows: One[]) => client.batchWriteRow({ tables: [{ tableName, rows: rows as never }] })
  const putOf = (n: number, attributeColumns: Tablestore.AttributesInput): One => ({
    type: 'PUT',
    condition: anyRow,
    primaryKey: keyOf(n),
    attributeColumns,
  })

  it('a batch write updates and deletes rows', async () => {
    await put(1, [{ a: '1' }])
    await put(2)
    await write(
      ...([
        {
          type: 'UPDATE',
          condition: anyRow,
          primaryKey: keyOf(1),
          attributeColumns: [{ PUT: [{ b: '2' }] }],
        },
        { type: 'DELETE', condition: anyRow, primaryKey: keyOf(2) },
      ] as const),
    )
    expect([await read(1), await read(2)]).toEqual([{ a: '1', b: '2' }, undefined])
  })

  it('a batch write with one invalid row writes nothing', async () => {
    const bad = putOf(2, [{ 'a b': '1' }])
    expect(await errorCodeOf(write(putOf(1, [{ a: '1' }]), bad))).toBe('OTSParameterInvalid')
    expect(tablestore.tables()).toEqual({ calls: 0 })
  })

  it('a batch write refuses a condition on a row that it writes twice', async () => {
    await write(putOf(1, [{ a: '1' }]), putOf(1, [{ a: '2' }]))
    expect(await read(1)).toEqual({ a: '2' })
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const twice = write(putOf(2, []), { ...putOf(2, []), condition: absent })
    expect(await errorCodeOf(twice)).toBe('OTSParameterInvalid')
  })

  it('a refuseRows fault fails single rows of a batch write, as a busy service does', async () => {
    tablestore.fault({ times: 1, how: { kind: 'refuseRows', code: 'OTSServerBusy' } })
    await put(9)
    const written = await write(...[1, 2, 3].map(n => putOf(n, [{ a: '1' }])))
    expect(written.tables.map(({ isOk }) => isOk)).toEqual([false, true, false])
    expect(tablestore.tables()).toEqual({ calls: 2 })
    const primaryKey = [1, 2, 3].map(n => keyOf(n))
    const found = await client.batchGetRow({ tables: [{ tableName, primaryKey }] })
    expect(found.tables[0]!.every(({ isOk }) => isOk)).toBe(true)
  })
})
