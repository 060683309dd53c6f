// Rows as plain objects of text, integers and bytes, and the requests that read and write them.
import pLimit from 'p-limit'
import type Tablestore from 'tablestore'
import type { Library } from './client.ts'
import { damagedRow } from './errors.ts'
import { isConditionFailure, type Requests } from './requests.ts'
import { type Table, tableNameOf, tables } from './tables.ts'

/** Values by column name. Numbers are integers. */
export type Columns = Record<string, string | number | Buffer | undefined>
export type Key = Record<string, string | number>

/** Condition of a write: there is no such row, or one whose column has this value, or at most this one. */
export type WriteCondition =
  | 'absent'
  | { column: string; value: string | number; atMost?: true; orAbsent?: true }

export interface Range {
  /** First columns of the keys of all rows. */
  within: Key
  /** Whole key of the first row. Default: the first row within, or the last if `backward`. */
  from?: Key | undefined
  backward?: boolean | undefined
  columns?: string[] | undefined
  /** Rows of a page. Default: as many as a request may return. */
  pageSize?: number | undefined
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
  range(table: Table, range: Range, limit?: number): AsyncGenerator<Columns[]>
}

/** Rows of one request (the service allows 100 keys, and 5,000 rows of a range). */
const maxKeys = 100
/** Leases and reads of others use the same connections. */
const groupsAtOnce = 3
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

  const target = (table: Table, key: Key, condition: WriteCondition | undefined, lib: Library) => ({
    tableName: tableNameOf(prefix, table),
    primaryKey: keyOf(key, lib),
    condition: conditionOf(condition, lib),
  })

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
      const limit = pLimit(groupsAtOnce)
      const groups = Array.from({ length: Math.ceil(keys.length / maxKeys) }, (_, i) =>
        limit(() => getSome(table, keys.slice(i * maxKeys, (i + 1) * maxKeys), columns)),
      )
      return (await Promise.all(groups)).flat()
    },
    put: (table, key, columns, condition) =>
      write('ots:PutRow', ({ lib, client }) =>
        client.putRow({
          ...target(table, key, condition, lib),
          attributeColumns: attributesOf(columns, lib),
        }),
      ),
    delete: (table, key, condition) =>
      write('ots:DeleteRow', ({ lib, client }) => client.deleteRow(target(table, key, condition, lib))),
    async *range(
      table,
      { within, from = within, backward, columns, pageSize = maxRangeRows },
      limit = Infinity,
    ) {
      const tableName = tableNameOf(prefix, table)
      const [first, last] = backward ? (['INF_MAX', 'INF_MIN'] as const) : (['INF_MIN', 'INF_MAX'] as const)
      let next: Tablestore.PrimaryKeyInput | undefined
      let left = limit
      do {
        const { rows, nextStartPrimaryKey } = await requests.call('ots:GetRange', ({ lib, client }) =>
          client.getRange({
            tableName,
            direction: lib.Direction[backward ? 'BACKWARD' : 'FORWARD'],
            inclusiveStartPrimaryKey: next ?? keyOf(from, lib, lib[first], table),
            exclusiveEndPrimaryKey: keyOf(within, lib, lib[last], table),
            limit: Math.min(left, pageSize),
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

export const textIn = reader(value => typeof value === 'string')
export const numberIn = reader(value => typeof value === 'number')
export const bytesIn = reader(value => Buffer.isBuffer(value))

/** Reads a column of one type; throws `STORE_DAMAGED` for another value. */
function reader<Value>(isValid: (value: unknown) => value is Value) {
  return (columns: Columns, column: string): Value => {
    const value = columns[column]
    if (isValid(value)) return value
    throw damagedRow()
  }
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

function conditionOf(condition: WriteCondition | undefined, lib: Library): Tablestore.Condition {
  const { IGNORE, EXPECT_EXIST, EXPECT_NOT_EXIST } = lib.RowExistenceExpectation
  if (!condition) return new lib.Condition(IGNORE, null)
  if (condition === 'absent') return new lib.Condition(EXPECT_NOT_EXIST, null)
  const { column, value, atMost, orAbsent = false } = condition
  const comparator = lib.ComparatorType[atMost ? 'LESS_EQUAL' : 'EQUAL']
  const test = new lib.SingleColumnCondition(column, cellOf(value, lib), comparator, orAbsent)
  return new lib.Condition(orAbsent ? IGNORE : EXPECT_EXIST, test)
}

/** Includes the key; undefined for a missing row. */
export function columnsIn({ primaryKey, attributes }: Partial<Tablestore.Row>): Columns | undefined {
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
