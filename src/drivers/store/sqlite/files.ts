// The SQLite file on disk: which inode a path leads to, and how a damaged file is moved away without losing a byte.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { statfs, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type Database from 'libsql'
import { privateFile } from '../../../system/private-files.ts'
import { isAlive } from '../../../system/processes.ts'
import { createReadThread, type ReadThread } from './read-thread.ts'
import { guardValues } from './rows.ts'

export type Sqlite = typeof Database

export interface OpenFile {
  database: Database.Database
  /** Identifies the file after a rename. */
  inode: bigint
  readThread: ReadThread
}

/** Files that SQLite keeps beside the database. Moved first: a new database must not start next to an old log. */
const companions = ['-wal', '-shm']

/** Undefined if there is no file. */
export function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

/** Opens the file; tries again if another process has just moved it. */
export function openFile(path: string, sqlite: Sqlite): OpenFile {
  for (;;) {
    // SQLite gives the files beside it the same mode.
    privateFile(path)
    const before = inodeOf(path)
    const database = new sqlite(path)
    guardValues(database)
    const inode = inodeOf(path)
    if (inode !== undefined && (before === undefined || before === inode))
      return { database, inode, readThread: createReadThread(path) }
    database.close()
  }
}

/**
 * Moves the file, unless another process has done so. Moves it while it is open, because closing writes the log into a
 * file that is still at its path, but not into a moved one. The caller closes it.
 */
export function setAside(path: string, { database, inode }: OpenFile, sqlite: Sqlite): void {
  // A SQLite lock ends with its process, even after a crash. The lock file itself stays empty.
  privateFile(`${path}.lock`)
  const lock = new sqlite(`${path}.lock`)
  try {
    lock.pragma('busy_timeout = 5000')
    lock.exec('BEGIN EXCLUSIVE')
    if (inodeOf(path) !== inode) return
    const target = freeName(path)
    try {
      move(path, target)
    } catch {
      // Windows cannot move open files.
      database.close()
      move(path, target)
    }
    writeRecovery(path, { kept: basename(target), done: 0 })
  } finally {
    // Closing alone may keep the lock until the next garbage collection.
    if (lock.inTransaction) lock.exec('ROLLBACK')
    lock.close()
  }
}

function move(path: string, target: string): void {
  for (const ending of [...companions, ''])
    if (existsSync(path + ending)) renameSync(path + ending, target + ending)
}

function freeName(path: string): string {
  const name = `${path}.damaged-${new Date().toISOString().replaceAll(':', '-')}`
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`
    if (!['', ...companions].some(ending => existsSync(candidate + ending))) return candidate
  }
}

/** Name under which this or another process has set this file aside. */
export function findKeptName(path: string, inode: bigint): string | undefined {
  const folder = dirname(path)
  if (inodeOf(path) === inode) return undefined
  return damagedFilesIn(folder).find(name => inodeOf(join(folder, name)) === inode)
}

/** Room for the log of a deletion on a full disk. */
const maxReserveBytes = 4_000_000
/** Of the free room, at most one part is taken. */
const parts = 4
const reservePieceBytes = 100_000
const reserveOf = (path: string) => `${path}.reserve`

/** Takes room on the disk, or more of it, while there is some. */
export async function keepReserve(path: string): Promise<void> {
  const reserve = reserveOf(path)
  try {
    const { bavail, bsize } = await statfs(dirname(path))
    const kept = existsSync(reserve) ? statSync(reserve).size : 0
    const wanted = Math.min(maxReserveBytes, Math.floor((bavail * bsize + kept) / parts))
    if (wanted > kept) await writeFile(reserve, room(wanted - kept), { flag: 'a', mode: 0o600 })
  } catch {
    // A deletion on a full disk may still find room in the log.
  }
}

/** In pieces: memory for all of it would stay taken. */
function* room(bytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(Math.min(bytes, reservePieceBytes), 'room ')
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, left)
}

export function freeReserve(path: string): void {
  rmSync(reserveOf(path), { force: true })
}

/** Names of databases that were set aside. */
export function damagedFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => /^speech\.db\.damaged-.*(?<!-wal|-shm)$/.test(name))
}

/** The part of a damaged file that is still to be read. */
export interface Recovery {
  /** Name of the damaged file. */
  kept: string
  /** Pages whose rows are in the new file. */
  done: number
}

const recoveryOf = (path: string) => `${path}.recovery`

/** Written by the process that does the work. A full disk ends it. */
export function writeRecovery(path: string, recovery: Recovery): void {
  try {
    writeFileSync(recoveryOf(path), JSON.stringify({ ...recovery, pid: process.pid }), { mode: 0o600 })
  } catch {
    endRecovery(path)
  }
}

/** Undefined if nothing is left, or while another process does it. */
export function readRecovery(path: string): Recovery | undefined {
  try {
    const found = JSON.parse(readFileSync(recoveryOf(path), 'utf8')) as Recovery & { pid: number }
    return found.pid !== process.pid && isAlive(found.pid) ? undefined : found
  } catch {
    return undefined
  }
}

export function endRecovery(path: string): void {
  rmSync(recoveryOf(path), { force: true })
}
