// How values stand in rows: JSON as text, read back as bytes; and writes that go together.
import type Database from 'libsql'
import { damaged } from './errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Rows are read as bytes: at text that is not UTF-8, which a damaged file holds, libsql ends the whole process. */
export function fromJson<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(utf8.decode(bytes)) as T
  } catch (error) {
    throw damaged(error)
  }
}

/** Takes the lock at once: one that reads first and writes then would meet another one doing the same. */
export function together<T>(database: Database.Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has ended the transaction already.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}
