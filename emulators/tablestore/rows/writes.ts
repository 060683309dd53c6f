// Row writes: validation, changes, and the returned columns.

import { invalid } from '../errors.ts'
import { operations, type PlainRow, readRow } from '../plain-buffer/read.ts'
import { writeRows } from '../plain-buffer/write.ts'
import { checkCell, given, keyIn, type StoredRow, type Table } from '../table.ts'
import { type KeyValue, sizeOf } from '../values.ts'
import { type Condition, checkCondition } from './conditions.ts'

/** Options of a row write. */
export interface WriteOptions {
  condition: Condition
  returnContent: { returnType: number; returnColumnNames: string[] } | null
}

export interface Change {
  table: Table
  kind: number
  key: KeyValue[]
  cells: PlainRow['cells']
  /** Bytes of values and names. */
  size: number
}

export const kinds = { put: 1, update: 2, delete: 3 }
/** Service limits. */
const maxBytes = 4 * 1024 * 1024
const maxColumns = 1024
const returns = { none: 0, afterModify: 2 }

/** Throws `OTSParameterInvalid` or `OTSInvalidPK` before anything is written. */
export function readChange(table: Table, kind: number, bytes: Uint8Array): Change {
  const { cells, key: givenKey, deleted } = readRow(bytes)
  if (kind === kinds.delete && !deleted)
    throw invalid('Invalid request of delete row: missing RowDeleteMarker in request.')
  if (kind !== kinds.delete && deleted)
    throw invalid('Invalid request of put/update row: unexpected RowDeleteMarker in request.')
  checkCells(table, kind, cells)
  const key = keyIn(table, givenKey)
  const size = cells.reduce(
    (sum, { name, value }) => sum + name.length + (value === undefined ? 0 : sizeOf(value)),
    key.reduce<number>((sum, value) => sum + sizeOf(value), 0),
  )
  return { table, kind, key, cells, size }
}

export function checkSize(operation: string, size: number): void {
  if (size <= maxBytes) return
  const words = `limit size: ${maxBytes}, data size: ${size}`
  throw invalid(`The total data size of ${operation} request exceeds the limit, ${words}.`)
}

/** Throws `OTSConditionCheckFail` if the row does not match the condition. */
export function write({ table, kind, key, cells }: Change, options: WriteOptions, at: number): object {
  const before = table.get(key)
  checkCondition(before, options.condition, table)
  if (kind === kinds.delete) table.remove(key)
  else {
    const after = cellsAfter(kind, cells, before, at)
    // Deleting columns of a missing row does not create it.
    if (before || kind === kinds.put || after.size > 0) table.set({ key, written: at, cells: after })
  }
  return {
    consumed: { capacityUnit: { read: 0, write: 1 } },
    row: returned(table, table.get(key), options.returnContent),
  }
}

function checkCells(table: Table, kind: number, cells: PlainRow['cells']): void {
  const inKey = new Set(table.columns.map(({ name }) => name))
  if (kind === kinds.update && !table.options.allowUpdate)
    throw invalid('UpdateRow is not allowed on this table.')
  if (kind === kinds.update && cells.length === 0)
    throw invalid('Invalid update row request: missing cells in request.')
  if (kind === kinds.delete && cells.length > 0)
    throw invalid('Invalid delete row request: unexpected cells in request.')
  if (cells.length > maxColumns) {
    const words = `limit count: ${maxColumns}, column count: ${cells.length}`
    throw invalid(`The number of attribute columns exceeds the limit, ${words}.`)
  }
  for (const { name, value, operation } of cells) {
    if (inKey.has(name)) throw invalid(`Duplicated attribute column name with primary key column: '${name}'.`)
    if (operation !== undefined && kind === kinds.put)
      throw invalid(`OpType cannot be given for column name: '${name}' in PutRow.`)
    checkCell(name, value, operation)
  }
}

function cellsAfter(
  kind: number,
  cells: PlainRow['cells'],
  before: StoredRow | undefined,
  at: number,
): StoredRow['cells'] {
  const after = new Map(kind === kinds.update ? before?.cells : undefined)
  for (const { name, value, operation, at: version = at } of cells) {
    if (operation === operations.deleteAll || operation === operations.deleteOne) after.delete(name)
    else if (operation === operations.increment) {
      const now = after.get(name)?.value ?? 0n
      if (typeof now !== 'bigint' || typeof value !== 'bigint') throw invalid(`Column ${name} is no integer.`)
      after.set(name, { value: BigInt.asIntN(64, now + value), at: version })
    } else after.set(name, { value: value!, at: version })
  }
  return after
}

function returned(
  table: Table,
  row: StoredRow | undefined,
  options: WriteOptions['returnContent'],
): Buffer | undefined {
  const { returnType = returns.none, returnColumnNames = [] } = options ?? {}
  if (returnType === returns.none || !row) return undefined
  const one = given(table, row)!
  const isReturned = ({ name }: { name: string }) => returnColumnNames.includes(name)
  return writeRows([
    { ...one, cells: returnType === returns.afterModify ? one.cells.filter(isReturned) : [] },
  ])
}
