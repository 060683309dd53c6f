// The Tablestore emulator: reading and writing single rows.
import Tablestore from 'tablestore'
import { describe, expect, it } from 'vitest'
import {
  advance,
  anyRow,
  client,
  create,
  errorCodeOf,
  keyOf,
  now,
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
  Long,
  CompositeCondition,
  LogicalOperator,
} = Tablestore

startTablestoreForEachTest()

describe('rows', () => {
  it('a row stores strings, integers, doubles, booleans and binary values', async () => {
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

  it('a write can require that the row exists, does not exist, or has a column value', async () => {
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const at = (revision: number) =>
      new Condition(
        Row.EXPECT_EXIST,
        new SingleColumnCondition('revision', Long.fromNumber(revision), ComparatorType.EQUAL, false),
      )
    expect(await errorCodeOf(put(1, [], at(1)))).toBe('OTSConditionCheckFail')
    await put(1, [{ revision: Long.fromNumber(1) }], absent)
    expect(await errorCodeOf(put(1, [], absent))).toBe('OTSConditionCheckFail')
    await put(1, [{ revision: Long.fromNumber(2) }], at(1))
    expect(await errorCodeOf(put(1, [], at(1)))).toBe('OTSConditionCheckFail')
  })

  it('a write can require a composite column condition', async () => {
    const is = (column: string, value: string) =>
      new SingleColumnCondition(column, value, ComparatorType.EQUAL, false)
    const both = new CompositeCondition(LogicalOperator.AND)
    both.addSubCondition(is('a', '1'))
    both.addSubCondition(is('b', '2'))
    const neither = new CompositeCondition(LogicalOperator.NOT)
    neither.addSubCondition(both)
    await put(1, [{ a: '1' }, { b: '1' }])
    expect(await errorCodeOf(put(1, [], new Condition(Row.IGNORE, both)))).toBe('OTSConditionCheckFail')
    await put(1, [{ a: '1' }, { b: '2' }], new Condition(Row.IGNORE, neither))
    expect(await errorCodeOf(put(1, [], new Condition(Row.IGNORE, neither)))).toBe('OTSConditionCheckFail')
    const mayLack = new SingleColumnCondition('c', '3', ComparatorType.EQUAL, true)
    await put(1, [], new Condition(Row.IGNORE, mayLack))
  })

  it('a cell keeps all 64 bits of an integer and its write time', async () => {
    const most = '9223372036854775807'
    await put(1, [{ n64: Long.fromString(most) }])
    const { row } = await client.getRow({ tableName, primaryKey: keyOf(1) })
    const [cell] = row!.attributes! as unknown as { columnValue: object; timestamp: object }[]
    expect(String(cell!.columnValue)).toBe(most)
    expect(String(cell!.timestamp)).toBe(String(now))
  })

  it('a row is deleted, also under a condition', async () => {
    await put(1, [{ a: '1' }])
    const remove = (condition: Tablestore.Condition) =>
      client.deleteRow({ tableName, condition, primaryKey: keyOf(1) })
    await remove(new Condition(Row.EXPECT_EXIST, null))
    expect(await read(1)).toBeUndefined()
    expect(await errorCodeOf(remove(new Condition(Row.EXPECT_EXIST, null)))).toBe('OTSConditionCheckFail')
    await remove(anyRow)
  })

  it('deleting columns of a missing row does not create it', async () => {
    await client.updateRow({
      tableName,
      condition: anyRow,
      primaryKey: keyOf(1),
      updateOfAttributeColumns: [{ DELETE_ALL: ['a'] }],
    })
    expect(tablestore.tables()).toEqual({ calls: 0 })
  })

  it('a read returns the requested columns, and no row without anyRow of them', async () => {
    await put(1, [{ a: '1' }, { b: '2' }])
    const columns = async (...columnsToGet: string[]) =>
      (await client.getRow({ tableName, primaryKey: keyOf(1), columnsToGet })).row
    expect((await columns('b', 'c'))!.attributes?.map(({ columnName }) => columnName)).toEqual(['b'])
    expect(await columns('c')).toEqual({})
  })

  it('a row whose key differs from the table schema is refused', async () => {
    const of = (primaryKey: Tablestore.PrimaryKeyInput) =>
      errorCodeOf(client.putRow({ tableName, condition: anyRow, primaryKey, attributeColumns: [] }))
    expect(await of([{ owner: 'ann' }])).toBe('OTSInvalidPK')
    expect(await of([{ owner: 'ann' }, { m: Long.fromNumber(1) }])).toBe('OTSInvalidPK')
    expect(await of([{ owner: 'ann' }, { n: '1' }])).toBe('OTSInvalidPK')
    expect(await errorCodeOf(put(1, [{ owner: 'ben' }]))).toBe('OTSParameterInvalid')
  })

  it('of concurrent inserts of the same row only one succeeds', async () => {
    const absent = new Condition(Row.EXPECT_NOT_EXIST, null)
    const codes = await Promise.all(Array.from({ length: 10 }, () => errorCodeOf(put(1, [], absent))))
    expect(codes.filter(code => code === undefined)).toHaveLength(1)
  })

  it('an update puts, deletes and increments columns and returns the new values', async () => {
    await put(1, [{ a: '1' }, { hits: Long.fromNumber(1) }])
    const { row } = await client.updateRow({
      tableName,
      condition: anyRow,
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

  it('a row expires after its time to live, and such a table refuses updates', async () => {
    await create('short_lived', 86_400)
    const row = { tableName: 'short_lived', condition: anyRow, primaryKey: keyOf(1) }
    await client.putRow({ ...row, attributeColumns: [{ a: '1' }] })
    const update = client.updateRow({ ...row, updateOfAttributeColumns: [{ PUT: [{ b: '2' }] }] })
    expect(await errorCodeOf(update)).toBe('OTSParameterInvalid')
    advance(86_399)
    expect(tablestore.tables()).toEqual({ calls: 0, short_lived: 1 })
    advance(2)
    expect((await client.getRow({ tableName: 'short_lived', primaryKey: keyOf(1) })).row).toEqual({})
    expect(tablestore.tables()).toEqual({ calls: 0, short_lived: 0 })
  })
})
