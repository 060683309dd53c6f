// Rows as plain objects of text, integers and bytes, and the requests that read and write them.
import type Tablestore from 'tablestore'
import type { Library } from './client.ts'
import { damagedRow } from './errors.ts'
import { isConditionFailure, type Requests } from './requests.ts'
import { type Table, tableNameOf, tables } from './tables.ts'

/** Values by column name. Numbers are integers. */
export type Columns = Record<string, string | number | Buffer | undefined>
export type Key = Record<string, string | number>

/** Condition of a write. */
export type WriteCondition =
  | { row: 'any' | 'absent' }
  /** The row exists, and its column has this value. */
  | { column: string; equals: string | number }
  /** The column is absent or has at most this value. */
  | { column: string; atMostOrAbsent: number }
  /** The column is absent or has this value. */
  | { column: string; equalsOrAbsent: string }

/** Missing key columns are filled with the minimum in `from` and the maximum in `to`, or the reverse if `backward`. */
export interface Range {
  from: Key
  /** Exclusive. */
  to: Key
  backward?: boolean | undefined
  columns?: string[] | undefined
}

export interface Rows {
  get(table: Table, key: Key, columns?: string[]): Promise<Columns | undefined>
  /** Rows in the order of the keys; undefined for a missing row. */
  getMany(table: Table, keys: Key[], columns: string[]): Promise<(Columns | undefined)[]>
  /** Replaces the whole row; resolves with false if the condition fails. */
  put(table: Table, key: Key, columns: Columns, condition?: WriteCondition): Promise<boolean>
  /** Resolves with false if the condition fails. */
  delete(table: Table, key: Key, condition?: WriteCondition): Promise<boolean>
  /** Rows with their keys, in pages, in the order of the keys. */
  range(table: Table, range: Range, limit: number): AsyncGenerator<Columns[]>
}

/** Rows of one request (the service allows 100 keys, and 5,000 rows of a range). */
const maxKeys = 100
const maxRangeRows = 1_000

export function createRows(requests: Requests, prefix: string): Rows {
  async function get(table: Table, key: Key, columns?: string[]): Promise<Columns | undefined> {
    const tableName = tableNameOf(prefix, table)
    const { row } = await requests.call('ots:GetRow', ({ lib, client }) =>
      client.getRow({ tableName, primaryKey: keyOf(key, lib), ...(columns && { columnsToGet: columns }) }),
    )
    return row && columnsIn(row)
  }

  async function getSome(table: Table, keys: Key[], columns: string[]): Promise<(Columns | undefined)[]> {
    const tableName = tableNameOf(prefix, table)
    const { tables } = await requests.call('ots:BatchGetRow', ({ lib, client }) =>
      client.batchGetRow({
        tables: [{ tableName, primaryKey: keys.map(key => keyOf(key, lib)), columnsToGet: columns }],
      }),
    )
    const rows = tables[0] ?? []
    // Requests a row alone if it failed within the batch.
    return Promise.all(keys.map((key, i) => (rows[i]?.isOk ? columnsIn(rows[i]) : get(table, key, columns))))
  }

  async function write(permission: string, work: Parameters<Requests['call']>[1]): Promise<boolean> {
    try {
      await requests.call(permission, work)
      return true
    } catch (error) {
      if (isConditionFailure(error)) return false
      throw error
    }
  }

  return {
    get,
    async getMany(table, keys, columns) {
      const all: (Columns | undefined)[] = []
      for (let i = 0; i < keys.length; i += maxKeys)
        all.push(...(await getSome(table, keys.slice(i, i + maxKeys), columns)))
      return all
    },
    put: (table, key, columns, condition = { row: 'any' }) =>
      write('ots:PutRow', ({ lib, client }) =>
        client.putRow({
          tableName: tableNameOf(prefix, table),
          primaryKey: keyOf(key, lib),
          condition: conditionOf(condition, lib),
          attributeColumns: attributesOf(columns, lib),
        }),
      ),
    delete: (table, key, condition = { row: 'any' }) =>
      write('ots:DeleteRow', ({ lib, client }) =>
        client.deleteRow({
          tableName: tableNameOf(prefix, table),
          primaryKey: keyOf(key, lib),
          condition: conditionOf(condition, lib),
        }),
      ),
    async *range(table, { from, to, backward = false, columns }, limit) {
      const tableName = tableNameOf(prefix, table)
      let next: Tablestore.PrimaryKeyInput | undefined
      let left = limit
      do {
        const { rows, nextStartPrimaryKey } = await requests.call('ots:GetRange', ({ lib, client }) =>
          client.getRange({
            tableName,
            direction: lib.Direction[backward ? 'BACKWARD' : 'FORWARD'],
            inclusiveStartPrimaryKey: next ?? keyOf(from, lib, backward ? lib.INF_MAX : lib.INF_MIN, table),
            exclusiveEndPrimaryKey: keyOf(to, lib, backward ? lib.INF_MIN : lib.INF_MAX, table),
            limit: Math.min(left, maxRangeRows),
            ...(columns && { columnsToGet: columns }),
          }),
        )
        // Only a missing next key marks the end: an earlier page may be short or empty.
        next = nextStartPrimaryKey?.map(({ name, value }) => ({ [name]: value }))
        left -= rows.length
        if (rows.length > 0) yield rows.map(row => columnsIn(row)!)
      } while (next && left > 0)
    },
  }
}

export async function allRows(pages: AsyncGenerator<Columns[]>): Promise<Columns[]> {
  const all: Columns[] = []
  for await (const page of pages) all.push(...page)
  return all
}

export function textIn(columns: Columns, column: string): string {
  const value = columns[column]
  if (typeof value === 'string') return value
  throw damagedRow()
}

export function numberIn(columns: Columns, column: string): number {
  const value = columns[column]
  if (typeof value === 'number') return value
  throw damagedRow()
}

export function bytesIn(columns: Columns, column: string): Buffer {
  const value = columns[column]
  if (Buffer.isBuffer(value)) return value
  throw damagedRow()
}

export function parsed<T>(bytes: Buffer): T {
  try {
    return JSON.parse(bytes.toString()) as T
  } catch {
    throw damagedRow()
  }
}

/** `filler` replaces missing key columns of the table. */
function keyOf(key: Key, lib: Library, filler?: symbol, table?: Table): Tablestore.PrimaryKeyInput {
  const given = Object.entries(key).map(([name, value]) => ({ [name]: cellOf(value, lib) }))
  const missing = table ? Object.keys(tables[table]).slice(given.length) : []
  return [...given, ...missing.map(name => ({ [name]: filler as Tablestore.VirtualData }))]
}

function attributesOf(columns: Columns, lib: Library): Tablestore.AttributesInput {
  return Object.entries(columns).flatMap(([name, value]) =>
    value === undefined ? [] : [{ [name]: cellOf(value, lib) }],
  )
}

function cellOf(value: string | number | Buffer, lib: Library): Tablestore.CellValue {
  return typeof value === 'number' ? lib.Long.fromNumber(value) : value
}

function conditionOf(condition: WriteCondition, lib: Library): Tablestore.Condition {
  const { Condition, SingleColumnCondition, ComparatorType, RowExistenceExpectation: row } = lib
  if ('row' in condition)
    return new Condition(condition.row === 'any' ? row.IGNORE : row.EXPECT_NOT_EXIST, null)
  const { column } = condition
  if ('atMostOrAbsent' in condition) {
    const atMost = lib.Long.fromNumber(condition.atMostOrAbsent)
    const test = new SingleColumnCondition(column, atMost, ComparatorType.LESS_EQUAL, true)
    return new Condition(row.IGNORE, test)
  }
  if ('equalsOrAbsent' in condition) {
    const test = new SingleColumnCondition(column, condition.equalsOrAbsent, ComparatorType.EQUAL, true)
    return new Condition(row.IGNORE, test)
  }
  const equals = cellOf(condition.equals, lib)
  const test = new SingleColumnCondition(column, equals, ComparatorType.EQUAL, false)
  return new Condition(row.EXPECT_EXIST, test)
}

/** Includes the key; undefined for a missing row. */
function columnsIn({ primaryKey, attributes }: Partial<Tablestore.Row>): Columns | undefined {
  if (!primaryKey) return undefined
  return Object.fromEntries([
    ...primaryKey.map(({ name, value }) => [name, plain(value)]),
    ...(attributes ?? []).map(({ columnName, columnValue }) => [columnName, plain(columnValue)]),
  ])
}

function plain(value: Tablestore.CellValue): string | number | Buffer | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return typeof value === 'object' ? value?.toNumber() : undefined
}
