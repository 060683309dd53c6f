// One table: rows in the order of their keys, cells that end with their time to live, and who hears of changes.
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
  /** Seconds; -1 for ever. */
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
  /** From the first key on, up to the second one, which is not included; nobody may write meanwhile. */
  range(from: Bound[], to: Bound[], backward: boolean): Generator<StoredRow>
  /** Called after each change with what is there then. */
  onChange(listener: (key: KeyValue[], row: StoredRow | undefined) => void): void
  all(): StoredRow[]
}

/** Bytes (limits of the service). */
const mostKey = 1024
const mostValue = 2 * 1024 * 1024

export function createTable(
  name: string,
  columns: Column[],
  options: TableOptions,
  now: () => number,
): Table {
  const rows = new Map<string, StoredRow>()
  const sorted: StoredRow[] = []
  const listeners: ((key: KeyValue[], row: StoredRow | undefined) => void)[] = []

  /** What is left of a row whose cells have ended. */
  function alive(row: StoredRow | undefined): StoredRow | undefined {
    const { timeToLive } = options
    if (!row || timeToLive === -1) return row
    const oldest = now() - 1000 * timeToLive
    const cells = new Map([...row.cells].filter(([, { at }]) => at > oldest))
    return cells.size > 0 || row.written > oldest ? { ...row, cells } : undefined
  }

  /** Where a row with this key stands, or would. */
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
    size: () => sorted.filter(row => alive(row)).length,
    get: key => alive(rows.get(identityOf(key))),
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
        const row = alive(sorted[i])
        if (row) yield row
      }
    },
    onChange: listener => void listeners.push(listener),
    all: () => sorted.flatMap(row => alive(row) ?? []),
  }
}

/** The key of a row as the table has it. Throws `OTSInvalidPK`. */
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
    const { name: wanted, type } = columns[i]!
    if (name !== wanted)
      throw refusal('OTSInvalidPK', `Validate PK name fail. Input: ${name}, Meta: ${wanted}.`)
    if (typeof value === 'symbol') return value
    if (typeOf(value) !== type) throw refusal('OTSInvalidPK', `Validate PK type fail. PK name: ${name}.`)
    if (sizeOf(value) > mostKey)
      throw invalid(`The length of primary key column: '${name}' exceeds the MaxLength: ${mostKey}.`)
    return value
  })
}

export function checkCell(name: string, value: Value | undefined, operation: number | undefined): void {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/.test(name)) throw invalid(`Invalid column name: '${name}'.`)
  const isDeleted = operation === operations.deleteAll || operation === operations.deleteOne
  if (value === undefined && !isDeleted) throw invalid(`No value is given for column name: '${name}'.`)
  const size = value === undefined ? 0 : sizeOf(value)
  if (size <= mostValue) return
  const words = `exceeded the MaxLength: ${mostValue} with Current Length: ${size}`
  throw invalid(`The length of attribute column: '${name}' ${words}.`)
}

function typeOf(value: KeyValue): number {
  if (typeof value === 'bigint') return 1
  return typeof value === 'string' ? 2 : 3
}

/** A row as it is read, with these columns only; undefined where it has none of them. */
export function given(table: Table, row: StoredRow, columns: string[] = []): GivenRow | undefined {
  const names = table.columns.map(({ name }) => name)
  const wanted = columns.length > 0 ? columns : undefined
  const key = row.key.map((value, i) => ({ name: names[i]!, value }))
  const cells = [...row.cells]
    .filter(([name]) => !wanted || wanted.includes(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { value, at }]) => ({ name, value, at }))
  const namesKey = wanted?.some(name => names.includes(name)) ?? true
  return cells.length > 0 || namesKey ? { key, cells } : undefined
}

/** By the names of their columns. */
export function valuesOf(cells: { name: string; value: Value }[]): Map<string, Value> {
  return new Map(cells.map(({ name, value }) => [name, value]))
}

/** Of two times to live, in seconds; -1 is for ever. */
export function isLonger(one: number, other: number): boolean {
  const [left, right] = [one, other].map(life => (life === -1 ? Number.POSITIVE_INFINITY : life))
  return left! > right!
}

/** What the service says of an index that would keep rows for longer than their table. */
export function tooLong(index: number, table: number): string {
  const words = `but table ttl is ${table} and search index ttl is ${index}`
  return `[table ttl] must be bigger than or equal search index ttl, ${words}`
}
