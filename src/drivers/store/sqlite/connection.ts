// The way to the file: opened with the first call, found again when it was moved, set aside when it is damaged.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'libsql'
import { log } from '../../../log.ts'
import { immovable, isDamage, storeError } from './errors.ts'
import { inodeOf, keptName, type OpenFile, openFile, type Sqlite, setAside } from './files.ts'
import { prepare } from './schema.ts'

type Work<T> = (database: Database.Database) => T

export interface Connection {
  /** Damage that a read meets is an error of that read alone. */
  read<T>(work: Work<T>): Promise<T>
  /** Damage that a write meets sets the file aside, and the work is done again, on a new one. */
  write<T>(work: Work<T>): Promise<T>
  /** False where a call would begin a file. */
  exists(): boolean
  notice(): string | undefined
  close(): Promise<void>
}

export function createConnection(folder: string): Connection {
  const path = join(folder, 'speech.db')
  let library: Promise<{ default: Sqlite }> | undefined
  let file: OpenFile | undefined
  let kept: string | undefined

  /** A start that only lists tools does not wait for the library. */
  async function call<T>(work: (sqlite: Sqlite) => T): Promise<T> {
    try {
      library ??= import('libsql')
      const { default: sqlite } = await library
      return work(sqlite)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** A file that was moved or deleted meanwhile, by another process or a person, is no place to write to any more. */
  function open(sqlite: Sqlite): Database.Database {
    if (file && inodeOf(path) !== file.inode) leave()
    if (!file) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      file = openFile(path, sqlite)
      try {
        prepare(file.database)
      } catch (error) {
        // A failed start is tried again: the disk may have room by then. A damaged file is needed open.
        if (!isDamage(error)) leave()
        throw error
      }
    }
    return file.database
  }

  function leave(): void {
    if (!file) return
    const { database, inode } = file
    file = undefined
    database.close()
    kept = keptName(path, inode) ?? kept
  }

  function mended<T>(sqlite: Sqlite, attempt: () => T): T {
    try {
      return attempt()
    } catch (error) {
      if (!isDamage(error) || !file) throw error
      try {
        setAside(path, file, sqlite)
      } catch (reason) {
        throw immovable(reason)
      } finally {
        leave()
      }
      log.error('store-damaged', { kept })
      return attempt()
    }
  }

  return {
    read: work => call(sqlite => work(mended(sqlite, () => open(sqlite)))),
    write: work => call(sqlite => mended(sqlite, () => work(open(sqlite)))),
    exists: () => existsSync(path),
    notice: () =>
      kept &&
      `The file of transcripts was damaged: it is kept as ${kept} in the data folder, and older transcripts are in it.`,
    async close() {
      // Calls that came before have the library first.
      await library?.catch(() => undefined)
      leave()
    },
  }
}
