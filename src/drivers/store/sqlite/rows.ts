// Values of rows: JSON stored as text and read as bytes; and write transactions.
import type Database from 'libsql'
import type { Transcript } from '../../../domain/transcript.ts'
import { parseBody } from '../serialize.ts'
import { damaged } from './errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

export type Value = string | number

/**
 * Selects a column as `bytes`, for `fromJson`: libsql aborts the process when a damaged file contains text that is not
 * UTF-8.
 */
export function selectBytes(column: string, from: string): string {
  return `SELECT CAST(${column} AS BLOB) AS bytes FROM ${from}`
}

/** A column of the rows of a FROM clause, as bytes. */
export function bytesOf(database: Database.Database, column: string, from: string, ...values: Value[]) {
  const rows = database.prepare(selectBytes(column, from)).all(...values)
  return (rows as { bytes: Uint8Array }[]).map(({ bytes }) => bytes)
}

export function fromJson<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(utf8.decode(bytes)) as T
  } catch (error) {
    throw damaged(error)
  }
}

export async function transcriptFrom(body: Uint8Array): Promise<Transcript> {
  try {
    return await parseBody(utf8.decode(body))
  } catch (error) {
    throw damaged(error)
  }
}

/** Locks at the start: a transaction that upgrades from reading to writing would deadlock with another one. */
export function transaction<T>(database: Database.Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has already ended the transaction.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}
