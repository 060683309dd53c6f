// Copies what can be read of a damaged file into the new one, in the background. The damaged file stays as it is.
import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type Database from 'libsql'
import { fromRecord, type JobRecord } from '../../../../domain/job-record.ts'
import { log } from '../../../../log.ts'
import type { Connection } from '../connection.ts'
import { endRecovery, type Recovery, readRecovery, writeRecovery } from '../files.ts'
import { fromJson, textOf } from '../rows.ts'
import { spendingTable } from '../spending.ts'
import { recovered } from '../transcripts.ts'
import { type Column, openPages, type Row } from './pages.ts'

export interface Salvage {
  /** Does in the background what this or an earlier process has left. */
  start(): void
  warnings(): string[]
  /** Leaves the rest to the next start. */
  close(): Promise<void>
}

type Insertion = (database: Database.Database) => void

const maxStepMs = 5
/** Room for the rows, their index and a log, in sizes of the damaged file. */
const roomFactor = 3

export function createSalvage(folder: string, { write }: Pick<Connection, 'write'>): Salvage {
  const path = join(folder, 'speech.db')
  let isClosing = false
  let isDone = true
  let name = ''
  let work: Promise<void> | undefined
  /** Numbers of the transcripts in the damaged file: those known, and those that were read. */
  let known = new Set<number>()
  let read = new Set<number>()

  async function perform(recovery: Recovery): Promise<void> {
    name = recovery.kept
    isDone = false
    known = new Set()
    read = new Set()
    // The call that opened the file goes first.
    await setImmediate()
    await copy(recovery)
    if (isClosing) return
    log.warn('store-salvaged', { kept: name, transcripts: read.size, lost: lost() })
  }

  /** False once another damaged file was set aside. */
  function isCurrent({ kept }: Pick<Recovery, 'kept'>): boolean {
    return readRecovery(path)?.kept === kept
  }

  function start(): void {
    const recovery = work || isClosing ? undefined : readRecovery(path)
    if (!recovery) return
    work = perform(recovery)
      .catch(error => log.warn('salvage-failed', { code: String(error?.code) }))
      .then(() => {
        work = undefined
        isDone = !isClosing
        if (!isDone) return
        if (isCurrent(recovery)) endRecovery(path)
        start()
      })
      .catch(error => log.warn('salvage-failed', { code: String(error?.code) }))
  }

  async function copy({ kept, done }: Recovery): Promise<void> {
    const damaged = join(folder, kept)
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize < roomFactor * statSync(damaged).size) return
    const pages = await openPages(damaged)
    if (!pages) return
    const jobPages = new Set<number>()
    let turn = performance.now()
    try {
      for (let page = 1; page <= pages.count && !isClosing; page++) {
        let isWritten = false
        for (const row of pages.rowsOf(page)) {
          if (isJob(row)) jobPages.add(page)
          else isWritten = (await take(row, page > done)) || isWritten
        }
        if (isWritten && !isCurrent({ kept })) return
        if (isWritten) writeRecovery(path, { kept, done: page })
        if (performance.now() - turn < maxStepMs) continue
        await setImmediate()
        turn = performance.now()
      }
      // After the transcripts: a finished job without its transcript would not be run again.
      for (const page of jobPages)
        for (const row of pages.rowsOf(page)) {
          if (isJob(row)) await add(() => jobIn(row))
          if (isClosing) return
        }
    } finally {
      pages.close()
    }
  }

  /** Returns true if the row was added. */
  async function take({ number, columns }: Row, isNew: boolean): Promise<boolean> {
    const [first, second, third, fourth] = columns
    if (number === undefined) {
      if (columns.length === 4 && isNumber(fourth)) known.add(fourth)
      return columns.length === 3 && isNew && add(() => spendingIn(first, second, third))
    }
    if (columns.length === 4) return isNew && add(() => checkpointIn(columns))
    if (columns.length !== 6 || first !== null) return false
    known.add(number)
    const isRead = await add(() => recovered(text(second), bytes(columns[5])), isNew)
    if (isRead) read.add(number)
    return isRead && isNew
  }

  /** Returns false for a row that is not whole. */
  async function add(parse: () => Insertion | Promise<Insertion>, isNew = true): Promise<boolean> {
    let insertion: Insertion
    try {
      insertion = await parse()
    } catch {
      return false
    }
    await setImmediate()
    if (isNew) await write(insertion)
    return true
  }

  function lost(): number {
    return [...known].filter(number => !read.has(number)).length
  }

  return {
    start,
    warnings() {
      const rest = lost()
      if (!isDone)
        return [`Transcripts of ${name} are being recovered: ${read.size} until now, others may follow.`]
      if (known.size === 0) return []
      return [
        `Recovered from ${name}: ${read.size} transcripts.${rest > 0 ? ` At least ${rest} could not be read.` : ''}`,
      ]
    },
    async close() {
      isClosing = true
      await work
      isClosing = false
    },
  }
}

function isJob({ number, columns }: Row): boolean {
  return number !== undefined && columns.length === 7
}

function jobIn({ columns }: Row): Insertion {
  const body = text(columns[6])
  const { owner, id, state, revision, createdAt, updatedAt } = fromRecord(
    fromJson<JobRecord>(bytes(columns[6])),
  )
  const sql = `INSERT OR IGNORE INTO jobs (owner, id, state, revision, created_at, updated_at, body)
    SELECT ?, ?, ?, ?, ?, ?, ? WHERE ? NOT IN ('completed', 'partial')
      OR EXISTS (SELECT 1 FROM transcripts WHERE owner = ? AND id = ?)`
  return database =>
    database.prepare(sql).run(owner, id, state, revision, createdAt, updatedAt, body, state, owner, id)
}

function checkpointIn(columns: Column[]): Insertion {
  const values = columns.map(text)
  JSON.parse(values[3]!)
  return database =>
    database
      .prepare('INSERT OR IGNORE INTO checkpoints (owner, key, job, value) VALUES (?, ?, ?, ?)')
      .run(...values)
}

/** Columns of the index that is the table: its key comes first. */
function spendingIn(...columns: Column[]): Insertion {
  const [day, owner, record] = columns.map(text)
  const { usd } = JSON.parse(record!) as { usd?: unknown }
  if (!isNumber(usd)) throw new TypeError('no record of costs')
  return database => {
    database.exec(spendingTable)
    database
      .prepare('INSERT OR IGNORE INTO spending (owner, day, record) VALUES (?, ?, ?)')
      .run(owner, day, record)
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function bytes(column: Column): Uint8Array {
  if (column instanceof Uint8Array) return column
  throw new TypeError('no text')
}

/** Throws for bytes that are not text. */
function text(column: Column): string {
  const found = textOf(bytes(column))
  if (found.includes('\0')) throw new TypeError('no text')
  return found
}
