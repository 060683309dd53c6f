// A search index: what it knows of the rows of its table, a little behind them, and for how long.

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
  /** From when on it knows what was there before it, in milliseconds since 1970. */
  ready: number
  /** Seconds; -1 for ever. It is that of whole rows, and not that of the table. */
  timeToLive: number
  rows(): StoredRow[]
}

export interface Clock {
  now(): number
  /** Seconds until a write, or a new index, is known. */
  delay(): number
}

interface PendingChange {
  due: number
  key: KeyValue[]
  row: StoredRow | undefined
}

const usualAnalyzer = 'single_word'

export function createIndex(
  { tableName, indexName, schema }: IndexRequest,
  timeToLive: number,
  table: Table,
  { now, delay }: Clock,
): Index {
  const known = new Map<string, StoredRow>()
  let coming: PendingChange[] = []
  const dueAt = () => now() + 1000 * delay()
  const ready = dueAt()
  for (const row of table.all()) coming.push({ due: ready, key: row.key, row })
  table.onChange((key, row) => {
    coming.push({ due: dueAt(), key, row })
    // Nobody may search for long; what was known meanwhile is then not held twice.
    if (coming.length % 1_000 === 0) learn()
  })

  function learn(): void {
    const at = now()
    for (const { due, key, row } of coming) {
      if (due > at) continue
      if (row) known.set(identityOf(key), row)
      else known.delete(identityOf(key))
    }
    coming = coming.filter(({ due }) => due > at)
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
        { type: fieldType, ...(fieldType === fieldTypes.text && { analyzer: analyzer || usualAnalyzer }) },
      ]),
    ),
    rows() {
      learn()
      const all = [...known.values()]
      const oldest = now() - 1000 * index.timeToLive
      return index.timeToLive === -1 ? all : all.filter(({ written }) => written > oldest)
    },
  }
  return index
}
