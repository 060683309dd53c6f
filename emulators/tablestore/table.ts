// One table: rows sorted by key, cells that expire, and change listeners.
import { invalid, refusal } from './errors.ts'
import { operations } from './plain-buffer/read.ts'
import type { GivenRow } from './plain-buffer/write.ts'
import {
  type Bound,
  compareKeys,
  INF_MAX,
  INF_MIN,
  identityOf,
  type KeyValue,
  sizeOf,
  type Value,
} from './values.ts'

export interface Column {
  name: string
  /** 1 INTEGER, 2 STRING, 3 BINARY. */
  type: number
}

export interface StoredCell {
  value: Value
  /** Milliseconds since 1970. */
  at: number
}

export interface StoredRow {
  key: KeyValue[]
  cells: Map<string, StoredCell>
  written: number
}

export interface TableOptions {
  /** Seconds; -1 means forever. */
  timeToLive: number
  maxVersions: number
  allowUpdate: boolean
}

export interface Table {
  name: string
  columns: Column[]
  options: TableOptions
  size(): number
  get(key: KeyValue[]): StoredRow | undefined
  set(row: StoredRow): void
  remove(key: KeyValue[]): void
  /** Rows from the first key up to the second, exclusive. The table must not change while iterating. */
  range(from: Bound[], to: Bound[], backward: boolean): Generator<StoredRow>
  /** Called after each change, with the new row. */
  onChange(listener: (key: KeyValue[], row: StoredRow | undefined) => void): void
  all(): StoredRow[]
}

/** Service limits. */
const maxKeyBytes = 1024
const maxValueBytes = 2 * 1024 * 1024

export function createTable(
  name: string,
  columns: Column[],
  options: TableOptions,
  now: () => number,
): Table {
  const rows = new Map<string, StoredRow>()
  const sorted: StoredRow[] = []
  const listeners: ((key: KeyValue[], row: StoredRow | undefined) => void)[] = []

  /** The row without expired cells; undefined if it is expired. */
  function unexpired(row: StoredRow | undefined): StoredRow | undefined {
    const { timeToLive } = options
    if (!row || timeToLive === -1) return row
    const oldest = now() - 1000 * timeToLive
    const cells = new Map([...row.cells].filter(([, { at }]) => at > oldest))
    return cells.size > 0 || row.written > oldest ? { ...row, cells } : undefined
  }

  /** Index of the row with this key, or where it would be inserted. */
  function indexOf(key: Bound[]): number {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareKeys(sorted[middle]!.key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    name,
    columns,
    options,
    size: () => sorted.filter(row => unexpired(row)).length,
    get: key => unexpired(rows.get(identityOf(key))),
    set(row) {
      const identity = identityOf(row.key)
      const at = indexOf(row.key)
      sorted.splice(at, rows.has(identity) ? 1 : 0, row)
      rows.set(identity, row)
      for (const listener of listeners) listener(row.key, row)
    },
    remove(key) {
      if (!rows.delete(identityOf(key))) return
      sorted.splice(indexOf(key), 1)
      for (const listener of listeners) listener(key, undefined)
    },
    *range(from, to, backward) {
      const order = compareKeys(from, to)
      if (backward && order <= 0) throw invalid('Begin key must more than end key in BACKWARD.')
      if (!backward && order >= 0) throw invalid('Begin key must less than end key in FORWARD.')
      const start = indexOf(from)
      const isFirst = sorted[start] && compareKeys(sorted[start].key, from) === 0
      const step = backward ? -1 : 1
      for (let i = backward && !isFirst ? start - 1 : start; sorted[i]; i += step) {
        if (step * compareKeys(sorted[i]!.key, to) >= 0) return
        const row = unexpired(sorted[i])
        if (row) yield row
      }
    },
    onChange: listener => void listeners.push(listener),
    all: () => sorted.flatMap(row => unexpired(row) ?? []),
  }
}

/** Validates the key of a row. Throws `OTSInvalidPK`. */
export function keyIn(table: Table, given: { name: string; value: Bound }[]): KeyValue[] {
  const key = boundsIn(table, given)
  if (key.some(value => value === INF_MIN || value === INF_MAX))
    throw invalid('INF_MIN and INF_MAX are for ranges.')
  return key as KeyValue[]
}

export function boundsIn({ columns }: Table, given: { name: string; value: Bound }[]): Bound[] {
  if (given.length !== columns.length)
    throw refusal('OTSInvalidPK', `Validate PK size fail. Input: ${given.length}, Meta: ${columns.length}.`)
  return given.map(({ name, value }, i) => {
    const { name: expected, type } = columns[i]!
    if (name !== expected)
      throw refusal('OTSInvalidPK', `Validate PK name fail. Input: ${name}, Meta: ${expected}.`)
    if (typeof value === 'symbol') return value
    if (typeOf(value) !== type) throw refusal('OTSInvalidPK', `Validate PK type fail. PK name: ${name}.`)
    if (sizeOf(value) > maxKeyBytes)
      throw invalid(`The length of primary key column: '${name}' exceeds the MaxLength: ${maxKeyBytes}.`)
    return value
  })
}

export function checkCell(name: string, value: Value | undefined, operation: number | undefined): void {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/.test(name)) throw invalid(`Invalid column name: '${name}'.`)
  const isDeleted = operation === operations.deleteAll || operation === operations.deleteOne
  if (value === undefined && !isDeleted) throw invalid(`No value is given for column name: '${name}'.`)
  const size = value === undefined ? 0 : sizeOf(value)
  if (size <= maxValueBytes) return
  const words = `exceeded the MaxLength: ${maxValueBytes} with Current Length: ${size}`
  throw invalid(`The length of attribute column: '${name}' ${words}.`)
}

function typeOf(value: KeyValue): number {
  if (typeof value === 'bigint') return 1
  return typeof value === 'string' ? 2 : 3
}

/** A row as returned by reads, with only these columns; undefined if it has none of them. */
export function given(table: Table, row: StoredRow, columns: string[] = []): GivenRow | undefined {
  const names = table.columns.map(({ name }) => name)
  const expected = columns.length > 0 ? columns : undefined
  const key = row.key.map((value, i) => ({ name: names[i]!, value }))
  const cells = [...row.cells]
    .filter(([name]) => !expected || expected.includes(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { value, at }]) => ({ name, value, at }))
  const namesKey = expected?.some(name => names.includes(name)) ?? true
  return cells.length > 0 || namesKey ? { key, cells } : undefined
}

/** Values by column name. */
export function valuesOf(cells: { name: string; value: Value }[]): Map<string, Value> {
  return new Map(cells.map(({ name, value }) => [name, value]))
}

/** Compares two times to live in seconds; -1 means forever. */
export function isLonger(one: number, other: number): boolean {
  const [left, right] = [one, other].map(life => (life === -1 ? Number.POSITIVE_INFINITY : life))
  return left! > right!
}

/** The service's message for an index that would keep rows longer than the table. */
export function tooLong(index: number, table: number): string {
  const words = `but table ttl is ${table} and search index ttl is ${index}`
  return `[table ttl] must be bigger than or equal search index ttl, ${words}`
}
