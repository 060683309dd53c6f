// Search indexes: what they know of their table, a little behind it, and the pages that they give.
import { invalid, refusal } from './errors.ts'
import { writeRows } from './plain-buffer-writer.ts'
import { decode, has } from './protocol.ts'
import { type Document, type Field, matches, type Query } from './queries.ts'
import { given, type StoredRow, type Table } from './table.ts'
import { compareKeys, compareValues, identityOf, type KeyValue, type Value } from './values.ts'

export interface SearchDesk {
  table(name: string): Table
  indexes: Map<string, Index>
  now(): number
  /** Seconds until a write, or a new index, is known. */
  delay(): number
}

interface FieldSchema {
  fieldName: string
  fieldType: number
  analyzer: string
  fieldSchemas: FieldSchema[]
}

export interface Index {
  tableName: string
  indexName: string
  schema: { fieldSchemas: FieldSchema[] }
  fields: Map<string, Field>
  /** From when on it knows what was there before it. */
  ready: number
  rows(): StoredRow[]
}

interface Sorter {
  fieldSort?: { fieldName: string; order: number } | null
  pkSort?: { order: number } | null
}

interface SearchQuery {
  offset: number
  limit: number
  query: Query
  sort: { sorter: Sorter[] } | null
  getTotalCount: boolean
  token: Uint8Array
}

type Operation = (body: Uint8Array, desk: SearchDesk) => object

const mostRows = 100
const descending = 1
const phases = { full: 1, increment: 2 }
const running = 3

export const searchOperations: Record<string, Operation> = {
  CreateSearchIndex(body, desk) {
    const request = decode<{ tableName: string; indexName: string; schema: Index['schema'] }>(
      'search',
      'CreateSearchIndexRequest',
      body,
    )
    const { tableName, indexName } = request
    const table = desk.table(tableName)
    if (table.options.timeToLive !== -1 && table.options.allowUpdate)
      throw invalid('A search index on a table with a time to live needs allowUpdate to be false.')
    if (find(tableName, indexName, desk))
      throw refusal('OTSObjectAlreadyExist', 'Requested index already exists.')
    desk.indexes.set(nameOf(tableName, indexName), createIndex(request, table, desk))
    return {}
  },
  DeleteSearchIndex(body, desk) {
    const { tableName, indexName } = named('DeleteSearchIndexRequest', body)
    theIndex(tableName, indexName, desk)
    desk.indexes.delete(nameOf(tableName, indexName))
    return {}
  },
  ListSearchIndex(body, desk) {
    const { tableName } = named('ListSearchIndexRequest', body)
    const indices = [...desk.indexes.values()].filter(index => !tableName || index.tableName === tableName)
    return { indices: indices.map(({ tableName, indexName }) => ({ tableName, indexName })) }
  },
  DescribeSearchIndex(body, desk) {
    const { tableName, indexName } = named('DescribeSearchIndexRequest', body)
    const { schema, ready } = theIndex(tableName, indexName, desk)
    const syncPhase = ready > desk.now() ? phases.full : phases.increment
    return { schema, syncStat: { syncPhase, currentSyncTimestamp: 0 }, indexStatus: { status: running } }
  },
  Search(body, desk) {
    interface Request {
      tableName: string
      indexName: string
      columnsToGet: { returnType: number; columnNames: string[] } | null
      searchQuery: Uint8Array
    }
    const request = decode<Request>('search', 'SearchRequest', body)
    const index = theIndex(request.tableName, request.indexName, desk)
    const table = desk.table(request.tableName)
    const query = decode<SearchQuery>('search', 'SearchQuery', request.searchQuery)
    if (query.limit > mostRows) throw invalid(`The limit is too large; it may be ${mostRows}.`)
    const { from, sorters } = placeOf(query)
    const found = index
      .rows()
      .filter(row => matches(query.query, documentOf(row, table, index.fields)))
      .sort((one, other) => compare(one, other, sorters, table))
    const page = found.slice(from, from + query.limit)
    const next = from + page.length
    const columns = columnsOf(request.columnsToGet, page)
    return {
      ...{ totalHits: query.getTotalCount ? found.length : -1, isAllSucceeded: true },
      rows: page.map(row => writeRows([{ ...given(table, row, columns)!, key: given(table, row)!.key }])),
      ...(next < found.length && { nextToken: Buffer.from(JSON.stringify({ from: next, sorters })) }),
    }
  },
}

function named(message: string, body: Uint8Array): { tableName: string; indexName: string } {
  return decode('search', message, body)
}

function nameOf(tableName: string, indexName: string): string {
  return `${tableName}/${indexName}`
}

function find(tableName: string, indexName: string, { indexes }: SearchDesk): Index | undefined {
  return indexes.get(nameOf(tableName, indexName))
}

function theIndex(tableName: string, indexName: string, desk: SearchDesk): Index {
  const found = find(tableName, indexName, desk)
  if (!found) throw refusal('OTSObjectNotExist', 'Requested index does not exist.')
  return found
}

function createIndex(
  { tableName, indexName, schema }: Pick<Index, 'tableName' | 'indexName' | 'schema'>,
  table: Table,
  { now, delay }: SearchDesk,
): Index {
  const known = new Map<string, StoredRow>()
  let coming: { due: number; identity: string; row: StoredRow | undefined }[] = []
  const fields = schema.fieldSchemas.map(({ fieldName, fieldType, analyzer }): [string, Field] => [
    fieldName,
    { type: fieldType, analyzer: analyzer || 'single_word' },
  ])
  const ready = now() + 1000 * delay()
  const learn = (due: number, key: KeyValue[], row: StoredRow | undefined) =>
    void coming.push({ due, identity: identityOf(key), row })
  for (const row of table.all()) learn(ready, row.key, row)
  table.onChange((key, row) => learn(now() + 1000 * delay(), key, row))
  return {
    ...{ tableName, indexName, schema, ready, fields: new Map(fields) },
    rows() {
      const due = coming.filter(one => one.due <= now())
      coming = coming.filter(one => one.due > now())
      for (const { identity, row } of due) {
        if (row) known.set(identity, row)
        else known.delete(identity)
      }
      return [...known.values()]
    },
  }
}

function documentOf(row: StoredRow, table: Table, fields: Map<string, Field>): Document {
  return { fields, value: name => columnOf(row, name, table) }
}

function columnOf(row: StoredRow, name: string, { columns }: Table): Value | undefined {
  const inKey = columns.findIndex(column => column.name === name)
  return inKey >= 0 ? row.key[inKey] : row.cells.get(name)?.value
}

/** With a token the order is the one of the first page. */
function placeOf({ offset, token, sort }: SearchQuery): { from: number; sorters: Sorter[] } {
  if (token.length === 0) return { from: offset, sorters: (sort?.sorter ?? []).map(plain) }
  try {
    return JSON.parse(Buffer.from(token).toString()) as { from: number; sorters: Sorter[] }
  } catch {
    throw invalid('The token is invalid.')
  }
}

/** A message of the protocol writes itself to JSON in another way than it is read. */
function plain({ fieldSort, pkSort }: Sorter): Sorter {
  if (fieldSort) return { fieldSort: { fieldName: fieldSort.fieldName, order: fieldSort.order } }
  return { pkSort: { order: pkSort?.order ?? 0 } }
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

function columnsOf(wish: { returnType: number; columnNames: string[] } | null, page: StoredRow[]): string[] {
  if (!wish || !has(wish, 'returnType') || wish.returnType === 3) return ['']
  return wish.returnType === 1 ? [...new Set(page.flatMap(row => [...row.cells.keys()]))] : wish.columnNames
}
