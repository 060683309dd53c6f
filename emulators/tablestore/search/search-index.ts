// A search index: an eventually consistent copy of its table's rows, with its own time to live.

import type { StoredRow, Table } from '../table.ts'
import { identityOf, type KeyValue } from '../values.ts'
import { type Field, fieldTypes } from './queries.ts'

export interface FieldSchema {
  fieldName: string
  fieldType: number
  analyzer: string
}

export interface IndexRequest {
  tableName: string
  indexName: string
  schema: { fieldSchemas: FieldSchema[] }
}

export interface Index extends IndexRequest {
  fields: Map<string, Field>
  /** When it contains the existing rows, in milliseconds since 1970. */
  ready: number
  /** Seconds; -1 means forever. Applies to whole rows, independent of the table's. */
  timeToLive: number
  /** In this order, whose name is that of the function: it is kept until a row changes. */
  rows(name: string, order: (one: StoredRow, other: StoredRow) => number): StoredRow[]
}

export interface Clock {
  now(): number
  /** Seconds until a write or a new index is searchable. */
  delay(): number
}

interface PendingChange {
  due: number
  key: KeyValue[]
  row: StoredRow | undefined
}

const defaultAnalyzer = 'single_word'

export function createIndex(
  { tableName, indexName, schema }: IndexRequest,
  timeToLive: number,
  table: Table,
  { now, delay }: Clock,
): Index {
  const indexed = new Map<string, StoredRow>()
  let pending: PendingChange[] = []
  let sorted: { name: string; rows: StoredRow[] } | undefined
  const dueAt = () => now() + 1000 * delay()
  const ready = dueAt()
  for (const row of table.all()) pending.push({ due: ready, key: row.key, row })
  table.onChange((key, row) => {
    pending.push({ due: dueAt(), key, row })
    // Bounds memory if no search happens for long.
    if (pending.length % 1_000 === 0) applyPending()
  })

  function applyPending(): void {
    const at = now()
    for (const { due, key, row } of pending) {
      if (due > at) continue
      sorted = undefined
      if (row) indexed.set(identityOf(key), row)
      else indexed.delete(identityOf(key))
    }
    pending = pending.filter(({ due }) => due > at)
  }

  const index: Index = {
    tableName,
    indexName,
    schema,
    ready,
    timeToLive,
    fields: new Map(
      schema.fieldSchemas.map(({ fieldName, fieldType, analyzer }) => [
        fieldName,
        { type: fieldType, ...(fieldType === fieldTypes.text && { analyzer: analyzer || defaultAnalyzer }) },
      ]),
    ),
    rows(name, order) {
      applyPending()
      if (sorted?.name !== name) sorted = { name, rows: [...indexed.values()].sort(order) }
      const all = sorted.rows
      const oldest = now() - 1000 * index.timeToLive
      return index.timeToLive === -1 ? all : all.filter(({ written }) => written > oldest)
    },
  }
  return index
}
