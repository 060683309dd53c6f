// Values of rows: JSON stored as text and read as bytes; and write transactions.
import type Database from 'libsql'
import { SpeechError } from '../../../domain/errors.ts'
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
  return (rows as { bytes: ArrayBuffer }[]).map(({ bytes }) => new Uint8Array(bytes))
}

/** Throws `TypeError` for bytes that are not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

export function fromJson<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(textOf(bytes)) as T
  } catch (error) {
    throw damaged(error)
  }
}

/** Decoded one by one: megabytes at once take long. */
function* linesOf(text: Uint8Array): Generator<string> {
  const lineBreak = 10
  let from = 0
  for (let end = text.indexOf(lineBreak); end >= 0; end = text.indexOf(lineBreak, from)) {
    yield textOf(text.subarray(from, end))
    from = end + 1
  }
  yield textOf(text.subarray(from))
}

export async function transcriptFrom(body: Uint8Array): Promise<Transcript> {
  try {
    return await parseBody(linesOf(body))
  } catch (error) {
    throw damaged(error)
  }
}

/** Lets through only values that SQLite has a type for: libsql may end the process on others. */
export function guardValues(database: Database.Database): void {
  const prepare = database.prepare.bind(database) as (sql: string) => Database.Statement<unknown[]>
  const guarded = (sql: string) => {
    const statement = prepare(sql)
    for (const name of ['run', 'get', 'all'] as const) {
      const call = statement[name].bind(statement)
      statement[name] = (...values: unknown[]) => {
        ensureValues(values)
        return call(...values) as never
      }
    }
    return statement
  }
  database.prepare = guarded as typeof database.prepare
}

export function ensureValues(values: unknown[]): void {
  const isValue = (value: unknown) =>
    typeof value === 'string' || Number.isFinite(value) || value === null || value instanceof Uint8Array
  const wrong = values.findIndex(value => !isValue(value))
  if (wrong >= 0)
    throw new SpeechError('INTERNAL', `Value ${wrong + 1} of a statement is no text, number or bytes.`, {
      hint: 'This is a defect of the server: report it.',
    })
}

/**
 * Locks at the start: a transaction that upgrades from reading to writing would deadlock with another one. Every write
 * needs one: a prepared statement that finds the file locked stays open in libsql, and then no later commit succeeds.
 */
export function transaction<T>(database: Database.Database, work: (database: Database.Database) => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work(database)
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has already ended the transaction.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}
