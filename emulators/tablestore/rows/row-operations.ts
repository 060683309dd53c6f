// Operations on rows: single ones, batches of them, and ranges.

import { invalid, type TablestoreCode, TablestoreError } from '../errors.ts'
import { readRow } from '../plain-buffer/read.ts'
import { writeRows } from '../plain-buffer/write.ts'
import { decode, has } from '../protocol.ts'
import { boundsIn, given, keyIn, type StoredRow, type Table, valuesOf } from '../table.ts'
import { identityOf, sizeOf } from '../values.ts'
import { filterIn, passes } from './conditions.ts'
import { type Change, changeIn, checkSize, kinds, type WriteOptions, write } from './writes.ts'

export interface RowContext {
  table(name: string): Table
  now(): number
  /** Of a batch: what this row, counted from 0, is refused with, if it is. */
  refused(row: number): TablestoreError | undefined
}

type Operation = (body: Uint8Array, desk: RowContext) => object

interface ReadOptions {
  columnsToGet: string[]
  filter: Uint8Array
}

interface BatchedWrite extends WriteOptions {
  type: number
  rowChange: Uint8Array
}

/** Limits of the service. */
const mostRows = { get: 100, write: 200, range: 5_000 }
const mostBytesOfRange = 4 * 1024 * 1024
const mostColumns = 128
const backward = 1

const consumed = { capacityUnit: { read: 1, write: 0 } }

export const rowOperations: Record<string, Operation> = {
  PutRow(body, desk) {
    const request = decode<{ tableName: string; row: Uint8Array } & WriteOptions>(
      'main',
      'PutRowRequest',
      body,
    )
    return writeOne('PutRow', changeIn(desk.table(request.tableName), kinds.put, request.row), request, desk)
  },
  UpdateRow(body, desk) {
    const request = decode<{ tableName: string; rowChange: Uint8Array } & WriteOptions>(
      'main',
      'UpdateRowRequest',
      body,
    )
    const change = changeIn(desk.table(request.tableName), kinds.update, request.rowChange)
    return writeOne('UpdateRow', change, request, desk)
  },
  DeleteRow(body, desk) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array } & WriteOptions>(
      'main',
      'DeleteRowRequest',
      body,
    )
    const change = changeIn(desk.table(request.tableName), kinds.delete, request.primaryKey)
    return writeOne('DeleteRow', change, request, desk)
  },
  GetRow(body, desk) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array } & ReadOptions>(
      'main',
      'GetRowRequest',
      body,
    )
    checkReadOptions(request)
    return { consumed, row: find(desk.table(request.tableName), request.primaryKey, request) }
  },
  BatchGetRow(body, desk) {
    const { tables } = decode<{ tables: ({ tableName: string; primaryKey: Uint8Array[] } & ReadOptions)[] }>(
      'main',
      'BatchGetRowRequest',
      body,
    )
    if (tables.length === 0) throw invalid('No row specified in the request of BatchGetRow.')
    checkBatch(
      tables.map(({ tableName, primaryKey }) => [tableName, primaryKey.length]),
      mostRows.get,
    )
    let row = 0
    return {
      tables: tables.map(request => {
        checkReadOptions(request)
        const table = desk.table(request.tableName)
        const rows = request.primaryKey.map(key => {
          const work = () => ({ consumed, row: find(table, key, request) })
          return outcome(work, desk.refused(row++), 'OTSParameterInvalid')
        })
        return { tableName: request.tableName, rows }
      }),
    }
  },
  BatchWriteRow(body, desk) {
    const { tables } = decode<{ tables: { tableName: string; rows: BatchedWrite[] }[] }>(
      'main',
      'BatchWriteRowRequest',
      body,
    )
    if (tables.length === 0) throw invalid('No row is specified in BatchWriteRow.')
    checkBatch(
      tables.map(({ tableName, rows }) => [tableName, rows.length]),
      mostRows.write,
    )
    // What is no valid request refuses all of it, so all of it is looked at before any of it is done.
    const works = tables.map(({ tableName, rows }) => {
      if (rows.length === 0) throw invalid(`No operation is specified for table: '${tableName}'.`)
      const table = desk.table(tableName)
      return { tableName, rows: rows.map(one => readyToWrite(table, one, desk)) }
    })
    checkRepeated(works.flatMap(({ rows }) => rows))
    const size = works.flatMap(({ rows }) => rows).reduce((sum, { change }) => sum + (change?.size ?? 0), 0)
    checkSize('BatchWriteRow', size)
    let row = 0
    return {
      tables: works.map(({ tableName, rows }) => ({
        tableName,
        rows: rows.map(({ work }) => outcome(work, desk.refused(row++))),
      })),
    }
  },
  GetRange(body, desk) {
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
    const table = desk.table(request.tableName)
    const from = boundsIn(table, readRow(request.inclusiveStartPrimaryKey).key)
    const to = boundsIn(table, readRow(request.exclusiveEndPrimaryKey).key)
    const most = Math.min(has(request, 'limit') ? request.limit : mostRows.range, mostRows.range)
    const rows: Buffer[] = []
    let [looked, bytes] = [0, 0]
    let next: StoredRow | undefined
    for (const row of table.range(from, to, request.direction === backward)) {
      if (looked >= most || bytes >= mostBytesOfRange) {
        next = row
        break
      }
      const one = shown(table, row, request)
      if (one.length > 0) rows.push(one)
      looked++
      bytes += bytesOf(row)
    }
    return {
      consumed,
      // Of each row but the first, the four bytes of the header go.
      rows: Buffer.concat(rows.map((row, i) => (i === 0 ? row : row.subarray(4)))),
      ...(next && { nextStartPrimaryKey: writeRows([{ ...given(table, next)!, cells: [] }]) }),
    }
  },
}

function writeOne(operation: string, change: Change, terms: WriteOptions, { now }: RowContext): object {
  checkSize(operation, change.size)
  return write(change, terms, now())
}

/** A key that is not the table's is the error of its row alone. */
function readyToWrite(table: Table, one: BatchedWrite, { now }: RowContext) {
  try {
    const change = changeIn(table, one.type, one.rowChange)
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

function find(table: Table, key: Uint8Array, wish: ReadOptions): Buffer {
  const row = table.get(keyIn(table, readRow(key).key))
  return row ? shown(table, row, wish) : Buffer.alloc(0)
}

/** Empty where it is filtered out. A filter sees only what is read. */
function shown(table: Table, row: StoredRow, { columnsToGet, filter }: ReadOptions): Buffer {
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

/** Of a batch each row has its own outcome, but for a code that refuses all of it. */
function outcome(
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
  if (columnsToGet.length <= mostColumns) return
  const words = `limit count: ${mostColumns}, column count: ${columnsToGet.length}`
  throw invalid(`The number of columns from the request exceeds the limit, ${words}.`)
}

function checkBatch(tables: [name: string, rows: number][], most: number): void {
  const names = new Set<string>()
  for (const [name] of tables) {
    if (names.has(name)) throw invalid(`Duplicated table name: '${name}'.`)
    names.add(name)
  }
  const count = tables.reduce((sum, [, rows]) => sum + rows, 0)
  if (count > most) throw invalid(`Rows count exceeds the upper limit: ${most}.`)
}
