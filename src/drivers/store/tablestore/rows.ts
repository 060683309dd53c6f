// Rows as plain facts: text, whole numbers and bytes, and the requests that read and write them.
import type Tablestore from 'tablestore'
import type { Library } from './client.ts'
import { damagedRows } from './errors.ts'
import { isRefusedByCondition, type Requests } from './requests.ts'
import { nameOf, type Table, tables } from './tables.ts'

/** Numbers are whole. */
export type Facts = Record<string, string | number | Buffer | undefined>
export type Key = Record<string, string | number>

/** What must be so for a write to be done. */
export type Expectation =
  | { row: 'any' | 'absent' }
  /** The row is there, and its column has this value. */
  | { column: string; is: string | number }
  /** The row is not there, or its column has at most this value. */
  | { column: string; most: number }
  /** The row is not there, or its column has this value. */
  | { column: string; isIfThere: string }

export interface Range {
  from: Key
  /** Not included; what a key leaves out is before all, in `from`, or behind all, in `to`; the other way round where `backward`. */
  to: Key
  backward?: boolean
  columns?: string[]
}

export interface Rows {
  get(table: Table, key: Key, columns?: string[]): Promise<Facts | undefined>
  /** In the order of the keys. */
  getMany(table: Table, keys: Key[], columns: string[]): Promise<(Facts | undefined)[]>
  /** Writes the row whole; resolves with false where what was expected is not so. */
  put(table: Table, key: Key, facts: Facts, expect?: Expectation): Promise<boolean>
  /** Resolves with false where what was expected is not so. */
  remove(table: Table, key: Key, expect?: Expectation): Promise<boolean>
  /** Rows in the order of their keys, each with its key; as many of them as are asked for. */
  range(table: Table, range: Range, limit: number): AsyncGenerator<Facts[]>
}

/** Rows of one request (limits of the service: 100, and 5,000). */
const mostKeys = 100
const mostRows = 1_000

export function createRows(line: Requests, prefix: string): Rows {
  async function get(table: Table, key: Key, columns?: string[]): Promise<Facts | undefined> {
    const tableName = nameOf(prefix, table)
    const { row } = await line.call('ots:GetRow', ({ lib, client }) =>
      client.getRow({ tableName, primaryKey: keyOf(key, lib), ...(columns && { columnsToGet: columns }) }),
    )
    return row && factsOf(row)
  }

  async function getSome(table: Table, keys: Key[], columns: string[]): Promise<(Facts | undefined)[]> {
    const tableName = nameOf(prefix, table)
    const { tables } = await line.call('ots:BatchGetRow', ({ lib, client }) =>
      client.batchGetRow({
        tables: [{ tableName, primaryKey: keys.map(key => keyOf(key, lib)), columnsToGet: columns }],
      }),
    )
    const rows = tables[0] ?? []
    // One that could not be had with so many others is asked for alone.
    return Promise.all(keys.map((key, i) => (rows[i]?.isOk ? factsOf(rows[i]) : get(table, key, columns))))
  }

  async function write(right: string, work: Parameters<Requests['call']>[1]): Promise<boolean> {
    try {
      await line.call(right, work)
      return true
    } catch (error) {
      if (isRefusedByCondition(error)) return false
      throw error
    }
  }

  return {
    get,
    async getMany(table, keys, columns) {
      const all: (Facts | undefined)[] = []
      for (let i = 0; i < keys.length; i += mostKeys)
        all.push(...(await getSome(table, keys.slice(i, i + mostKeys), columns)))
      return all
    },
    put: (table, key, facts, expect = { row: 'any' }) =>
      write('ots:PutRow', ({ lib, client }) =>
        client.putRow({
          tableName: nameOf(prefix, table),
          primaryKey: keyOf(key, lib),
          condition: conditionOf(expect, lib),
          attributeColumns: columnsOf(facts, lib),
        }),
      ),
    remove: (table, key, expect = { row: 'any' }) =>
      write('ots:DeleteRow', ({ lib, client }) =>
        client.deleteRow({
          tableName: nameOf(prefix, table),
          primaryKey: keyOf(key, lib),
          condition: conditionOf(expect, lib),
        }),
      ),
    async *range(table, { from, to, backward = false, columns }, limit) {
      const tableName = nameOf(prefix, table)
      let next: Tablestore.PrimaryKeyInput | undefined
      let left = limit
      do {
        const { rows, nextStartPrimaryKey } = await line.call('ots:GetRange', ({ lib, client }) =>
          client.getRange({
            tableName,
            direction: lib.Direction[backward ? 'BACKWARD' : 'FORWARD'],
            inclusiveStartPrimaryKey: next ?? keyOf(from, lib, backward ? lib.INF_MAX : lib.INF_MIN, table),
            exclusiveEndPrimaryKey: keyOf(to, lib, backward ? lib.INF_MIN : lib.INF_MAX, table),
            limit: Math.min(left, mostRows),
            ...(columns && { columnsToGet: columns }),
          }),
        )
        // What is over is told by the key of the next row alone: a page may be short, or empty, before.
        next = nextStartPrimaryKey?.map(({ name, value }) => ({ [name]: value }))
        left -= rows.length
        if (rows.length > 0) yield rows.map(row => factsOf(row)!)
      } while (next && left > 0)
    },
  }
}

/** All rows of a range. */
export async function allOf(pages: AsyncGenerator<Facts[]>): Promise<Facts[]> {
  const all: Facts[] = []
  for await (const page of pages) all.push(...page)
  return all
}

export function textIn(facts: Facts, column: string): string {
  const value = facts[column]
  if (typeof value === 'string') return value
  throw damagedRows()
}

export function numberIn(facts: Facts, column: string): number {
  const value = facts[column]
  if (typeof value === 'number') return value
  throw damagedRows()
}

export function bytesIn(facts: Facts, column: string): Buffer {
  const value = facts[column]
  if (Buffer.isBuffer(value)) return value
  throw damagedRows()
}

export function parsed<T>(bytes: Buffer): T {
  try {
    return JSON.parse(bytes.toString()) as T
  } catch {
    throw damagedRows()
  }
}

/** `rest` fills up what the key leaves out of its table's. */
function keyOf(key: Key, lib: Library, rest?: symbol, table?: Table): Tablestore.PrimaryKeyInput {
  const given = Object.entries(key).map(([name, value]) => ({ [name]: cellOf(value, lib) }))
  const missing = table ? Object.keys(tables[table]).slice(given.length) : []
  return [...given, ...missing.map(name => ({ [name]: rest as Tablestore.VirtualData }))]
}

function columnsOf(facts: Facts, lib: Library): Tablestore.AttributesInput {
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [{ [name]: cellOf(value, lib) }],
  )
}

function cellOf(value: string | number | Buffer, lib: Library): Tablestore.CellValue {
  return typeof value === 'number' ? lib.Long.fromNumber(value) : value
}

function conditionOf(expect: Expectation, lib: Library): Tablestore.Condition {
  const { Condition, SingleColumnCondition, ComparatorType, RowExistenceExpectation: row } = lib
  if ('row' in expect) return new Condition(expect.row === 'any' ? row.IGNORE : row.EXPECT_NOT_EXIST, null)
  const { column } = expect
  if ('most' in expect) {
    const most = lib.Long.fromNumber(expect.most)
    return new Condition(row.IGNORE, new SingleColumnCondition(column, most, ComparatorType.LESS_EQUAL, true))
  }
  if ('isIfThere' in expect) {
    const { isIfThere } = expect
    return new Condition(row.IGNORE, new SingleColumnCondition(column, isIfThere, ComparatorType.EQUAL, true))
  }
  const is = cellOf(expect.is, lib)
  return new Condition(row.EXPECT_EXIST, new SingleColumnCondition(column, is, ComparatorType.EQUAL, false))
}

/** With its key; undefined for a row that is not there. */
function factsOf({ primaryKey, attributes }: Partial<Tablestore.Row>): Facts | undefined {
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
