// Connection to the SQLite file: opens it on first use, reopens it after it was moved, and sets a damaged file aside.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'libsql'
import { codeOf, describeError, isSpeechError, type SpeechError } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import { privateDataFolder } from '../../../system/private-files.ts'
import { untilUnlocked } from './busy.ts'
import { cannotSetAside, damaged, isDamage, obstacleAt, storeError } from './errors.ts'
import {
  findKeptName,
  freeReserve,
  inodeOf,
  keepReserve,
  type OpenFile,
  openFile,
  type Sqlite,
  setAside,
} from './files.ts'
import { ensureValues, transaction, type Value } from './rows.ts'
import { prepare, truncateLog, withoutOverwriting } from './schema.ts'

type Work<T> = (database: Database.Database) => T

export interface Connection {
  /** Of the file. */
  readonly path: string
  /** Fails on damage, without consequences for other reads. */
  read<T>(work: Work<T>): Promise<T>
  /** The rows of a statement whose only column is `bytes`, read beside the event loop. Owners take turns. */
  readAside(owner: string, sql: string, ...values: Value[]): Promise<Uint8Array[]>
  /** Runs the work in a transaction. Sets a damaged file aside and repeats the work on a new one. */
  write<T>(work: Work<T>): Promise<T>
  /** As `write`, for work that makes room: also on a full disk. */
  writeOnFullDisk<T>(work: Work<T>): Promise<T>
  /** Keeps room on the disk for `writeOnFullDisk`. */
  keepReserve(): Promise<void>
  /** Opens the file in advance. The next call tells what is wrong. */
  warmUp(): void
  /** False if the next call would create the file. */
  exists(): boolean
  /** Throws where the file is known to take nothing. */
  ensureWritable(): void
  warnings(): string[]
  losses(): number
  close(): Promise<void>
}

export interface ConnectionOptions {
  /** Called with each file that was opened. */
  onOpen?(): void
  /** Called after each write. */
  onWrite?(): void
}

export function createConnection(folder: string, { onOpen, onWrite }: ConnectionOptions = {}): Connection {
  const path = join(folder, 'speech.db')
  let library: Promise<{ default: Sqlite }> | undefined
  let file: OpenFile | undefined
  let keptName: string | undefined
  let closing: Promise<void> | undefined
  let losses = 0
  /** The last write failed with this error. */
  let failure: SpeechError | undefined
  let isPartlyDamaged = false
  /** Nothing is opened in advance any more. */
  let hasClosed = false

  /** Not for the list of tools, but after it. */
  const load = () => (library ??= import('libsql'))

  async function call<T>(work: (sqlite: Sqlite) => T): Promise<T> {
    try {
      const { default: sqlite } = await load()
      return await untilUnlocked(() => work(sqlite))
    } catch (error) {
      return fail(error)
    }
  }

  function fail(cause: unknown): never {
    const error = storeError(cause)
    isPartlyDamaged ||= error.code === 'STORE_DAMAGED'
    throw error
  }

  async function write<T>(work: Work<T>): Promise<T> {
    try {
      const result = await call(sqlite => withRecovery(sqlite, () => transaction(open(sqlite), work)))
      failure = undefined
      onWrite?.()
      return result
    } catch (error) {
      if (isSpeechError(error) && !error.retryable && error.code !== 'INTERNAL') failure = error
      throw error
    }
  }

  async function readAside(owner: string, sql: string, values: Value[]): Promise<Uint8Array[]> {
    ensureValues(values)
    const { readThread } = await call(sqlite =>
      withRecovery(sqlite, () => {
        open(sqlite)
        return file!
      }),
    )
    const rows = await readThread.read(owner, sql, values).catch(fail)
    // The file was moved meanwhile.
    return rows ?? readAside(owner, sql, values)
  }

  async function writeOnFullDisk<T>(work: Work<T>): Promise<T> {
    try {
      return await write(work)
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') throw error
    }
    freeReserve(path)
    await call(sqlite => truncateLog(open(sqlite))).catch(() => {})
    try {
      return await write(work)
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') throw error
      return write(database => withoutOverwriting(database, work))
    }
  }

  /** Why nothing can be stored now. */
  function obstacle(): SpeechError | undefined {
    return failure ?? (existsSync(path) ? obstacleAt(path) : undefined)
  }

  /** True if another process or a person has moved or deleted the file. */
  function hasMoved(): boolean {
    return file !== undefined && inodeOf(path) !== file.inode
  }

  /** Reopens the path if the file has moved. */
  function open(sqlite: Sqlite): Database.Database {
    if (hasMoved()) leave()
    if (!file) {
      privateDataFolder(folder)
      file = openFile(path, sqlite)
      try {
        prepare(file.database)
        onOpen?.()
      } catch (error) {
        // The next call tries again: the disk may have room by then. `withRecovery` needs a damaged or moved file open.
        if (!isDamage(error) && !hasMoved()) leave()
        throw error
      }
    }
    return file.database
  }

  function opened(sqlite: Sqlite): Database.Database {
    return withRecovery(sqlite, () => open(sqlite))
  }

  function leave(): void {
    if (!file) return
    const { database, inode, readThread } = file
    file = undefined
    closing = readThread.close()
    database.close()
    const found = findKeptName(path, inode)
    if (found === undefined) return
    keptName = found
    losses += 1
    isPartlyDamaged = false
  }

  function withRecovery<T>(sqlite: Sqlite, attempt: () => T): T {
    try {
      return attempt()
    } catch (error) {
      if (!file) throw error
      // Another process may have set the file aside after this one had opened it.
      if (hasMoved()) return attempt()
      if (!isDamage(error)) throw error
      try {
        setAside(path, file, sqlite)
      } catch (reason) {
        throw cannotSetAside(reason)
      } finally {
        leave()
      }
      log.error('store-damaged', { kept: keptName })
      return attempt()
    }
  }

  return {
    path,
    read: work => call(sqlite => work(opened(sqlite))),
    readAside: (owner, sql, ...values) => readAside(owner, sql, values),
    write,
    writeOnFullDisk,
    keepReserve: () => keepReserve(path),
    warmUp: () => void call(sqlite => hasClosed || opened(sqlite)).catch(() => {}),
    exists: () => existsSync(path),
    ensureWritable() {
      const error = existsSync(path) ? obstacleAt(path) : undefined
      if (error) throw error
    },
    warnings() {
      const error = obstacle()
      return [
        ...(error ? [`Nothing can be stored now. ${describeError(error)}`] : []),
        ...(isPartlyDamaged ? [describeError(damaged(undefined))] : []),
        ...(keptName
          ? [
              `The transcript database was damaged. It is kept as ${keptName} in the data folder, with all older transcripts.`,
            ]
          : []),
      ]
    },
    losses: () => losses,
    async close() {
      hasClosed = true
      // Earlier calls may still wait for the library.
      await library?.catch(() => undefined)
      leave()
      await closing
    },
  }
}
