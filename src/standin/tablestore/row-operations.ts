// Operations on rows: single ones, batches of them, and ranges.
import { type Condition, checkCondition, filterIn, passes } from './conditions.ts'
import { invalid, refusal, TablestoreError } from './errors.ts'
import { operations as cellOperations, type PlainRow, readRow } from './plain-buffer.ts'
import { writeRows } from './plain-buffer-writer.ts'
import { decode, has } from './protocol.ts'
import { boundsIn, checkCell, given, keyIn, type StoredRow, type Table } from './table.ts'

export interface Desk {
  table(name: string): Table
  now(): number
}

type Operation = (body: Uint8Array, desk: Desk) => object

interface Return {
  returnContent: { returnType: number; returnColumnNames: string[] } | null
}

interface Wish {
  columnsToGet: string[]
  filter: Uint8Array
}

/** Limits of the service. */
const mostRowsOfBatch = { get: 100, write: 200 }
const mostRowsOfRange = 5_000
const mostBytesOfRange = 4 * 1024 * 1024
const writeKinds = { put: 1, update: 2, delete: 3 }

const read = { capacityUnit: { read: 1, write: 0 } }
const written = { capacityUnit: { read: 0, write: 1 } }

export const rowOperations: Record<string, Operation> = {
  PutRow(body, desk) {
    const request = decode<{ tableName: string; row: Uint8Array; condition: Condition } & Return>(
      'main',
      'PutRowRequest',
      body,
    )
    return write(desk.table(request.tableName), writeKinds.put, request.row, request, desk)
  },
  UpdateRow(body, desk) {
    const request = decode<{ tableName: string; rowChange: Uint8Array; condition: Condition } & Return>(
      'main',
      'UpdateRowRequest',
      body,
    )
    return write(desk.table(request.tableName), writeKinds.update, request.rowChange, request, desk)
  },
  DeleteRow(body, desk) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array; condition: Condition } & Return>(
      'main',
      'DeleteRowRequest',
      body,
    )
    return write(desk.table(request.tableName), writeKinds.delete, request.primaryKey, request, desk)
  },
  GetRow(body, desk) {
    const request = decode<{ tableName: string; primaryKey: Uint8Array } & Wish>(
      'main',
      'GetRowRequest',
      body,
    )
    const table = desk.table(request.tableName)
    return { consumed: read, row: find(table, request.primaryKey, request) }
  },
  BatchGetRow(body, desk) {
    const { tables } = decode<{ tables: ({ tableName: string; primaryKey: Uint8Array[] } & Wish)[] }>(
      'main',
      'BatchGetRowRequest',
      body,
    )
    checkCount(
      tables.reduce((sum, { primaryKey }) => sum + primaryKey.length, 0),
      mostRowsOfBatch.get,
    )
    return {
      tables: tables.map(request => {
        const table = desk.table(request.tableName)
        const rows = request.primaryKey.map(key =>
          attempt(() => ({ consumed: read, row: find(table, key, request) })),
        )
        return { tableName: request.tableName, rows }
      }),
    }
  },
  BatchWriteRow(body, desk) {
    interface One extends Return {
      type: number
      rowChange: Uint8Array
      condition: Condition
    }
    const { tables } = decode<{ tables: { tableName: string; rows: One[] }[] }>(
      'main',
      'BatchWriteRowRequest',
      body,
    )
    checkCount(
      tables.reduce((sum, { rows }) => sum + rows.length, 0),
      mostRowsOfBatch.write,
    )
    return {
      tables: tables.map(({ tableName, rows }) => {
        const table = desk.table(tableName)
        return {
          tableName,
          rows: rows.map(one => attempt(() => write(table, one.type, one.rowChange, one, desk))),
        }
      }),
    }
  },
  GetRange(body, desk) {
    interface Request extends Wish {
      tableName: string
      direction: number
      limit: number
      inclusiveStartPrimaryKey: Uint8Array
      exclusiveEndPrimaryKey: Uint8Array
    }
    const request = decode<Request>('main', 'GetRangeRequest', body)
    if (has(request, 'limit') && request.limit <= 0) throw invalid('The limit must be greater than 0.')
    const table = desk.table(request.tableName)
    const from = boundsIn(table, readRow(request.inclusiveStartPrimaryKey).key)
    const to = boundsIn(table, readRow(request.exclusiveEndPrimaryKey).key)
    const most = Math.min(has(request, 'limit') ? request.limit : mostRowsOfRange, mostRowsOfRange)
    const rows: Buffer[] = []
    let bytes = 0
    let next: StoredRow | undefined
    const found: StoredRow[] = []
    for (const row of table.range(from, to, request.direction === 1)) {
      if (found.length >= most || bytes >= mostBytesOfRange) {
        next = row
        break
      }
      found.push(row)
      const one = shown(table, row, request)
      if (one.length > 0) rows.push(one)
      bytes += one.length
    }
    return {
      consumed: read,
      // Of each row but the first, the four bytes of the header go.
      rows: Buffer.concat(rows.map((row, i) => (i === 0 ? row : row.subarray(4)))),
      ...(next && { nextStartPrimaryKey: writeRows([{ ...given(table, next)!, cells: [] }]) }),
    }
  },
}

function find(table: Table, key: Uint8Array, wish: Wish): Buffer {
  const row = table.get(keyIn(table, readRow(key).key))
  return row ? shown(table, row, wish) : Buffer.alloc(0)
}

/** Empty where it is filtered out. */
function shown(table: Table, row: StoredRow, wish: Wish): Buffer {
  if (has(wish, 'filter') && wish.filter.length > 0 && !passes(row, filterIn(wish.filter)))
    return Buffer.alloc(0)
  const one = given(table, row, wish.columnsToGet)
  return one ? writeRows([one]) : Buffer.alloc(0)
}

function write(
  table: Table,
  kind: number,
  bytes: Uint8Array,
  { condition, returnContent }: { condition: Condition } & Return,
  { now }: Desk,
): object {
  const change = readRow(bytes)
  const key = keyIn(table, change.key)
  const before = table.get(key)
  checkCondition(before, condition)
  if (kind === writeKinds.delete) table.remove(key)
  else table.set({ key, written: now(), cells: cellsAfter(table, kind, change, before, now()) })
  return { consumed: written, row: returned(table, table.get(key), returnContent) }
}

function cellsAfter(
  table: Table,
  kind: number,
  { cells }: PlainRow,
  before: StoredRow | undefined,
  at: number,
): StoredRow['cells'] {
  if (kind === writeKinds.update && !table.options.allowUpdate)
    throw invalid('UpdateRow is not allowed on this table.')
  const after = new Map(kind === writeKinds.update ? before?.cells : undefined)
  for (const { name, value, operation, at: version = at } of cells) {
    if (operation === cellOperations.deleteAll || operation === cellOperations.deleteOne) after.delete(name)
    else if (operation === cellOperations.increment) {
      const now = after.get(name)?.value ?? 0n
      if (typeof now !== 'bigint' || typeof value !== 'bigint') throw invalid(`Column ${name} is no integer.`)
      after.set(name, { value: BigInt.asIntN(64, now + value), at: version })
    } else if (value !== undefined) {
      checkCell(name, value)
      after.set(name, { value, at: version })
    }
  }
  return after
}

function returned(
  table: Table,
  row: StoredRow | undefined,
  wish: Return['returnContent'],
): Buffer | undefined {
  const { returnType = 0, returnColumnNames = [] } = wish ?? {}
  if (returnType === 0 || !row) return undefined
  const one = given(table, row)!
  const cells = returnType === 2 ? one.cells.filter(({ name }) => returnColumnNames.includes(name)) : []
  return writeRows([{ ...one, cells }])
}

/** Of a batch each row has its own outcome. */
function attempt(work: () => object): object {
  try {
    return { isOk: true, ...work() }
  } catch (error) {
    if (!(error instanceof TablestoreError)) throw error
    return { isOk: false, error: { code: error.code, message: error.message } }
  }
}

function checkCount(count: number, most: number): void {
  if (count === 0) throw invalid('No row is specified in the request.')
  if (count > most) throw refusal('OTSParameterInvalid', `Rows count exceeds the upper limit: ${most}.`)
}
