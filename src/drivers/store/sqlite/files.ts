// The file on the disk: which one a path leads to, and how a damaged one is moved out of the way with every byte of it.
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type Database from 'libsql'

export type Sqlite = typeof Database

export interface OpenFile {
  database: Database.Database
  /** Which file it is, whatever its name may be by now. */
  inode: bigint
}

/** What SQLite keeps beside a file. They are moved first: a new file must never be begun next to an old log. */
const companions = ['-wal', '-shm']

/** Undefined where there is none. */
export function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

/** Opens the file, again where another process has moved it in this moment. */
export function openFile(path: string, sqlite: Sqlite): OpenFile {
  for (;;) {
    const before = inodeOf(path)
    const database = new sqlite(path)
    const inode = inodeOf(path)
    if (inode !== undefined && (before === undefined || before === inode)) return { database, inode }
    database.close()
  }
}

/**
 * Moves the file unless another process has done so since. Not one byte changes: it is moved while it is open, because
 * SQLite writes its log into the file on closing, but not into one that has moved. The caller closes it.
 */
export function setAside(path: string, { database, inode }: OpenFile, sqlite: Sqlite): void {
  // A lock that ends with its process, whatever becomes of that; the file that carries it stays empty.
  const lock = new sqlite(`${path}.lock`)
  try {
    lock.pragma('busy_timeout = 5000')
    lock.exec('BEGIN EXCLUSIVE')
    if (inodeOf(path) !== inode) return
    const kept = freeName(path)
    try {
      move(path, kept)
    } catch {
      // Windows moves nothing that is open.
      database.close()
      move(path, kept)
    }
  } finally {
    // Closing alone may leave the lock until the next garbage collection.
    if (lock.inTransaction) lock.exec('ROLLBACK')
    lock.close()
  }
}

function move(path: string, kept: string): void {
  for (const ending of [...companions, ''])
    if (existsSync(path + ending)) renameSync(path + ending, kept + ending)
}

function freeName(path: string): string {
  const name = `${path}.damaged-${new Date().toISOString().replaceAll(':', '-')}`
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`
    if (!['', ...companions].some(ending => existsSync(candidate + ending))) return candidate
  }
}

/** The name under which this file has been kept, by this process or another. */
export function keptName(path: string, inode: bigint): string | undefined {
  const folder = dirname(path)
  if (inodeOf(path) === inode || !existsSync(folder)) return undefined
  return readdirSync(folder).find(
    name => name.startsWith(`${basename(path)}.damaged-`) && inodeOf(join(folder, name)) === inode,
  )
}
