// Operations on search indexes, and paginated search.
import { invalid, refusal } from '../errors.ts'
import { writeRows } from '../plain-buffer/write.ts'
import { decode, has } from '../protocol.ts'
import { given, isLonger, type StoredRow, type Table, tooLong } from '../table.ts'
import { compareKeys, compareValues, type Value } from '../values.ts'
import { type Document, matcherOf, type Query } from './queries.ts'
import { type Clock, createIndex, type Index, type IndexRequest } from './search-index.ts'

export interface SearchContext extends Clock {
  table(name: string): Table
  indexes: Map<string, Index>
}

interface Sorter {
  fieldSort?: { fieldName: string; order: number } | null
  pkSort?: { order: number } | null
}

interface SearchQuery {
  offset: number
  limit: number
  query: Query | null
  sort: { sorter: Sorter[] } | null
  getTotalCount: boolean
  token: Uint8Array
}

interface ReturnedColumns {
  returnType: number
  columnNames: string[]
}

interface Cursor {
  from: number
  sorters: Sorter[]
}

type Operation = (body: Uint8Array, context: SearchContext) => object

/** Service limits. */
const maxRows = 100
const maxDepth = 100_000
const descending = 1
const phases = { full: 1, increment: 2 }
const running = 3
const returns = { all: 1, specified: 2, none: 3, allOfIndex: 4 }
const defaultRows = 10

export const searchOperations: Record<string, Operation> = {
  CreateSearchIndex(body, context) {
    const request = decode<IndexRequest & { timeToLive: number }>('search', 'CreateSearchIndexRequest', body)
    const { tableName, indexName } = request
    const table = context.table(tableName)
    const timeToLive = readTimeToLive(request)
    checkTimeToLive(timeToLive, table)
    if (!(request.schema?.fieldSchemas.length > 0)) throw invalid('The schema of the index has no fields.')
    if (context.indexes.has(nameOf(tableName, indexName)))
      throw refusal('OTSObjectAlreadyExist', 'Requested index already exists.')
    context.indexes.set(nameOf(tableName, indexName), createIndex(request, timeToLive, table, context))
    return {}
  },
  UpdateSearchIndex(body, context) {
    const request = decode<Named & { timeToLive: number }>('search', 'UpdateSearchIndexRequest', body)
    const index = indexOf(request, context)
    const timeToLive = readTimeToLive(request)
    checkTimeToLive(timeToLive, context.table(index.tableName))
    index.timeToLive = timeToLive
    return {}
  },
  DeleteSearchIndex(body, context) {
    const { tableName, indexName } = indexOf(readNames('DeleteSearchIndexRequest', body), context)
    context.indexes.delete(nameOf(tableName, indexName))
    return {}
  },
  ListSearchIndex(body, context) {
    const { tableName } = readNames('ListSearchIndexRequest', body)
    if (tableName) context.table(tableName)
    const indices = [...context.indexes.values()].filter(index => !tableName || index.tableName === tableName)
    return { indices: indices.map(({ tableName, indexName }) => ({ tableName, indexName })) }
  },
  DescribeSearchIndex(body, context) {
    const { schema, ready, timeToLive } = indexOf(readNames('DescribeSearchIndexRequest', body), context)
    const at = context.now()
    const syncStat =
      ready > at
        ? { syncPhase: phases.full, currentSyncTimestamp: 0 }
        : { syncPhase: phases.increment, currentSyncTimestamp: Math.floor(at) }
    return { schema, timeToLive, syncStat, indexStatus: { status: running } }
  },
  Search(body, context) {
    const request = decode<Named & { columnsToGet: ReturnedColumns | null; searchQuery: Uint8Array }>(
      'search',
      'SearchRequest',
      body,
    )
    const index = indexOf(request, context)
    const table = context.table(request.tableName)
    const search = decode<SearchQuery>('search', 'SearchQuery', request.searchQuery)
    const { query } = search
    if (!query) throw invalid('query is missing.')
    const limit = has(search, 'limit') ? search.limit : defaultRows
    const { from, sorters } = cursorOf(search)
    checkPage(search, limit)
    checkSorters(sorters, index)
    const rows = index.rows(JSON.stringify(sorters), (one, other) => compare(one, other, sorters, table))
    const matches = matcherOf(query)
    const found: StoredRow[] = []
    for (const row of rows) {
      // One more tells that there is another page.
      if (!search.getTotalCount && found.length > from + limit) break
      if (matches(documentOf(row, table, index))) found.push(row)
    }
    const page = found.slice(from, from + limit)
    const next = from + page.length
    const columns = columnsOf(request.columnsToGet, index)
    return {
      totalHits: search.getTotalCount ? found.length : -1,
      isAllSucceeded: true,
      rows: page.map(row => rowOf(row, table, columns)),
      ...(next < found.length && limit > 0 && { nextToken: tokenOf({ from: next, sorters }) }),
    }
  },
}

interface Named {
  tableName: string
  indexName: string
}

function readNames(message: string, body: Uint8Array): Named {
  return decode('search', message, body)
}

function nameOf(tableName: string, indexName: string): string {
  return `${tableName}/${indexName}`
}

function indexOf({ tableName, indexName }: Named, context: SearchContext): Index {
  context.table(tableName)
  const found = context.indexes.get(nameOf(tableName, indexName))
  if (!found) throw refusal('OTSObjectNotExist', 'Requested index does not exist.')
  return found
}

function readTimeToLive(request: { timeToLive: number }): number {
  const seconds = has(request, 'timeToLive') ? request.timeToLive : -1
  if (seconds === 0 || seconds < -1) throw invalid('TimeToLive cannot be 0 or less than -1.')
  return seconds
}

/** Updatable rows expire cell by cell, but an index expires whole rows; and it may not outlive its table. */
function checkTimeToLive(timeToLive: number, { options }: Table): void {
  if (options.allowUpdate && (timeToLive !== -1 || options.timeToLive !== -1))
    throw invalid('A search index with a time to live needs a table whose allowUpdate is false.')
  if (isLonger(timeToLive, options.timeToLive)) throw invalid(tooLong(timeToLive, options.timeToLive))
}

function checkPage({ offset, token, sort }: SearchQuery, limit: number): void {
  if (limit < 0 || limit > maxRows) throw invalid(`The limit must be in range: [0, ${maxRows}].`)
  if (offset < 0 || offset + limit > maxDepth) throw invalid(`offset + limit must not exceed ${maxDepth}.`)
  if (token.length > 0 && sort) throw invalid('The sort is that of the token.')
}

function checkSorters(sorters: Sorter[], { fields }: Index): void {
  for (const { fieldSort } of sorters)
    if (fieldSort && !fields.has(fieldSort.fieldName))
      throw invalid(`field:${fieldSort.fieldName} not exist.`)
}

function documentOf(row: StoredRow, table: Table, { fields }: Index): Document {
  return { fields, value: name => columnOf(row, name, table) }
}

function columnOf(row: StoredRow, name: string, { columns }: Table): Value | undefined {
  const inKey = columns.findIndex(column => column.name === name)
  return inKey >= 0 ? row.key[inKey] : row.cells.get(name)?.value
}

/** A token carries the sort order of the first page. */
function cursorOf({ offset, token, sort }: SearchQuery): Cursor {
  if (token.length === 0) return { from: offset, sorters: (sort?.sorter ?? []).map(plain) }
  try {
    const { from, sorters } = JSON.parse(Buffer.from(token).toString()) as Cursor
    return { from: Number(from), sorters: [...sorters] }
  } catch {
    throw invalid('The token is invalid.')
  }
}

function tokenOf(cursor: Cursor): Buffer {
  return Buffer.from(JSON.stringify(cursor))
}

/** Copies a sorter: the JSON of a protocol message differs from its properties. */
function plain({ fieldSort, pkSort }: Sorter): Sorter {
  if (fieldSort) return { fieldSort: { fieldName: fieldSort.fieldName, order: fieldSort.order } }
  if (pkSort) return { pkSort: { order: pkSort.order } }
  throw invalid('The sorter is not supported here.')
}

function compare(one: StoredRow, other: StoredRow, sorters: Sorter[], table: Table): number {
  for (const { fieldSort, pkSort } of sorters) {
    const { order: direction } = fieldSort ?? pkSort ?? { order: 0 }
    const by = fieldSort
      ? compareFields(columnOf(one, fieldSort.fieldName, table), columnOf(other, fieldSort.fieldName, table))
      : compareKeys(one.key, other.key)
    if (by !== 0) return direction === descending ? -by : by
  }
  return compareKeys(one.key, other.key)
}

function compareFields(one: Value | undefined, other: Value | undefined): number {
  if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? 1 : -1
  return compareValues(one, other) ?? 0
}

/** Undefined means all. The key is always returned. */
function columnsOf(columns: ReturnedColumns | null, { fields }: Index): string[] | undefined {
  const type = columns && has(columns, 'returnType') ? columns.returnType : returns.none
  if (type === returns.all) return undefined
  if (type === returns.allOfIndex) return [...fields.keys()]
  return type === returns.specified ? columns!.columnNames : []
}

function rowOf(row: StoredRow, table: Table, columns: string[] | undefined): Buffer {
  const { key, cells } = given(table, row)!
  return writeRows([{ key, cells: columns ? cells.filter(({ name }) => columns.includes(name)) : cells }])
}
