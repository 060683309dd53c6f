// Operations on single rows, batches and ranges.

import { invalid, type TablestoreCode, TablestoreError } from '../errors.ts'
import { readRow } from '../plain-buffer/read.ts'
import { writeRows } from '../plain-buffer/write.ts'
import { decode, has } from '../protocol.ts'
import { boundsIn, given, keyIn, type StoredRow, type Table, valuesOf } from '../table.ts'
import { identityOf, sizeOf } from '../values.ts'
import { filterIn, passes } from './conditions.ts'
import { type Change, checkSize, kinds, readChange, type WriteOptions, write } from './writes.ts'

export interface RowContext {
  table(name: string): Table
  now(): number
  /** The injected error of a batch row, counted from 0, if any. */
  refused(row: number): TablestoreError | undefined
}

type Operation = (body: Uint8Array, context: RowContext) => object

interface ReadOptions {
  columnsToGet: string[]
  filter: Uint8Array
}

interface BatchedWrite extends WriteOptions {
  type: number
  rowChange: Uint8Array
}

/** Service limits. */
const maxRows = { get: 100, write: 200, range: 5_000 }
const maxRangeBytes = 4 * 1024 * 1024
const maxColumns = 128
const backward = 1

const consumed = { capacityUnit: { read: 1, write: 0 } }

export const rowOperations: Record<string, Operation> = {
  PutRow(body, context) {
    const request = decode<{ tableName: string; row: Uint8Array } & WriteOptions>(
      'main',
      'PutRowRequest',
      body,
    )
    return writeOne(
      'PutRow',
      readChange(context.table(request.tableName), kinds.put, request.row),
      request,
      context,
    )
  },
  UpdateRow(body, context) {
    const request = decode<{ tableName: string; rowChange: Uint8Array } & WriteOptions>(
      'main',
      'UpdateRowRequest',
      body,
    )
    const change = readChange(context.table(request.tableName), kinds.update, request.rowChange)
    return writeOne('UpdateRow', change, request, context)
  },
  DeleteRow(body, context) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array } & WriteOptions>(
      'main',
      'DeleteRowRequest',
      body,
    )
    const change = readChange(context.table(request.tableName), kinds.delete, request.primaryKey)
    return writeOne('DeleteRow', change, request, context)
  },
  GetRow(body, context) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array } & ReadOptions>(
      'main',
      'GetRowRequest',
      body,
    )
    checkReadOptions(request)
    return { consumed, row: find(context.table(request.tableName), request.primaryKey, request) }
  },
  BatchGetRow(body, context) {
    const { tables } = decode<{ tables: ({ tableName: string; primaryKey: Uint8Array[] } & ReadOptions)[] }>(
      'main',
      'BatchGetRowRequest',
      body,
    )
    if (tables.length === 0) throw invalid('No row specified in the request of BatchGetRow.')
    checkBatch(
      tables.map(({ tableName, primaryKey }) => [tableName, primaryKey.length]),
      maxRows.get,
    )
    let row = 0
    return {
      tables: tables.map(request => {
        checkReadOptions(request)
        const table = context.table(request.tableName)
        const rows = request.primaryKey.map(key => {
          const work = () => ({ consumed, row: find(table, key, request) })
          return rowResult(work, context.refused(row++), 'OTSParameterInvalid')
        })
        return { tableName: request.tableName, rows }
      }),
    }
  },
  BatchWriteRow(body, context) {
    const { tables } = decode<{ tables: { tableName: string; rows: BatchedWrite[] }[] }>(
      'main',
      'BatchWriteRowRequest',
      body,
    )
    if (tables.length === 0) throw invalid('No row is specified in BatchWriteRow.')
    checkBatch(
      tables.map(({ tableName, rows }) => [tableName, rows.length]),
      maxRows.write,
    )
    // An invalid request is refused as a whole, so everything is validated before the first write.
    const prepared = tables.map(({ tableName, rows }) => {
      if (rows.length === 0) throw invalid(`No operation is specified for table: '${tableName}'.`)
      const table = context.table(tableName)
      return { tableName, rows: rows.map(one => prepareWrite(table, one, context)) }
    })
    checkRepeated(prepared.flatMap(({ rows }) => rows))
    const size = prepared
      .flatMap(({ rows }) => rows)
      .reduce((sum, { change }) => sum + (change?.size ?? 0), 0)
    checkSize('BatchWriteRow', size)
    let row = 0
    return {
      tables: prepared.map(({ tableName, rows }) => ({
        tableName,
        rows: rows.map(({ work }) => rowResult(work, context.refused(row++))),
      })),
    }
  },
  GetRange(body, context) {
    interface Request extends ReadOptions {
      tableName: string
      direction: number
      limit: number
      inclusiveStartPrimaryKey: Uint8Array
      exclusiveEndPrimaryKey: Uint8Array
    }
    const request = decode<Request>('main', 'GetRangeRequest', body)
    if (has(request, 'limit') && request.limit <= 0) throw invalid('The limit must be greater than 0.')
    checkReadOptions(request)
    const table = context.table(request.tableName)
    const from = boundsIn(table, readRow(request.inclusiveStartPrimaryKey).key)
    const to = boundsIn(table, readRow(request.exclusiveEndPrimaryKey).key)
    const maxRowCount = Math.min(has(request, 'limit') ? request.limit : maxRows.range, maxRows.range)
    const rows: Buffer[] = []
    let [scanned, bytes] = [0, 0]
    let next: StoredRow | undefined
    for (const row of table.range(from, to, request.direction === backward)) {
      if (scanned >= maxRowCount || bytes >= maxRangeBytes) {
        next = row
        break
      }
      const one = encodeRow(table, row, request)
      if (one.length > 0) rows.push(one)
      scanned++
      bytes += bytesOf(row)
    }
    return {
      consumed,
      // Only the first row keeps its four-byte header.
      rows: Buffer.concat(rows.map((row, i) => (i === 0 ? row : row.subarray(4)))),
      ...(next && { nextStartPrimaryKey: writeRows([{ ...given(table, next)!, cells: [] }]) }),
    }
  },
}

function writeOne(operation: string, change: Change, terms: WriteOptions, { now }: RowContext): object {
  checkSize(operation, change.size)
  return write(change, terms, now())
}

/** An invalid key is an error of its row only. */
function prepareWrite(table: Table, one: BatchedWrite, { now }: RowContext) {
  try {
    const change = readChange(table, one.type, one.rowChange)
    return { one, change, work: () => write(change, one, now()) }
  } catch (error) {
    if (!(error instanceof TablestoreError) || error.code !== 'OTSInvalidPK') throw error
    const work = (): object => {
      throw error
    }
    return { one, work }
  }
}

function checkRepeated(rows: { one: BatchedWrite; change?: Change }[]): void {
  const seen = new Map<string, BatchedWrite>()
  for (const { one, change } of rows) {
    if (!change) continue
    const identity = `${change.table.name} ${identityOf(change.key)}`
    const others = seen.get(identity)
    seen.set(identity, one)
    if (others && [one, others].some(({ condition }) => condition.rowExistence !== 0))
      throw invalid('Repeated rows do not support row exist expectation check in BatchModify.')
    if (others && [one, others].some(({ condition }) => condition.columnCondition?.length > 0))
      throw invalid('Repeated rows do not support row condition check in BatchModify.')
  }
}

function find(table: Table, key: Uint8Array, options: ReadOptions): Buffer {
  const row = table.get(keyIn(table, readRow(key).key))
  return row ? encodeRow(table, row, options) : Buffer.alloc(0)
}

/** Empty if filtered out. A filter sees only the columns that are read. */
function encodeRow(table: Table, row: StoredRow, { columnsToGet, filter }: ReadOptions): Buffer {
  const one = given(table, row, columnsToGet)
  if (!one) return Buffer.alloc(0)
  if (filter?.length > 0 && !passes(valuesOf([...one.key, ...one.cells]), filterIn(filter)))
    return Buffer.alloc(0)
  return writeRows([one])
}

function bytesOf({ key, cells }: StoredRow): number {
  let sum = 0
  for (const value of key) sum += sizeOf(value)
  for (const [name, { value }] of cells) sum += name.length + sizeOf(value)
  return sum
}

/** The result of one batch row; errors with the code `refusesAll` fail the whole batch. */
function rowResult(
  work: () => object,
  refused: TablestoreError | undefined,
  refusesAll?: TablestoreCode,
): object {
  try {
    if (refused) throw refused
    return { isOk: true, ...work() }
  } catch (error) {
    if (!(error instanceof TablestoreError) || error.code === refusesAll) throw error
    return { isOk: false, error: { code: error.code, message: error.message } }
  }
}

function checkReadOptions({ columnsToGet }: ReadOptions): void {
  if (columnsToGet.length <= maxColumns) return
  const words = `limit count: ${maxColumns}, column count: ${columnsToGet.length}`
  throw invalid(`The number of columns from the request exceeds the limit, ${words}.`)
}

function checkBatch(tables: [name: string, rows: number][], maxRowCount: number): void {
  const names = new Set<string>()
  for (const [name] of tables) {
    if (names.has(name)) throw invalid(`Duplicated table name: '${name}'.`)
    names.add(name)
  }
  const count = tables.reduce((sum, [, rows]) => sum + rows, 0)
  if (count > maxRowCount) throw invalid(`Rows count exceeds the upper limit: ${maxRowCount}.`)
}
