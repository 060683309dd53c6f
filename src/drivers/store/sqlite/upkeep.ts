// Upkeep of the SQLite file: removes what deletions and replacements leave in the search index and in the log.
import { once } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type Database from 'libsql'
import { codeOf } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import type { Connection } from './connection.ts'
import { eraseFreePages } from './erase-free-pages.ts'
import { transaction } from './rows.ts'
import { isErasing, truncateLog } from './schema.ts'

export interface Upkeep {
  /** Resolves with true when nothing is left, and with false after a few seconds; the work goes on then. */
  finish(): Promise<boolean>
  /** Does the work in the background, or when the store closes. */
  schedule(): void
  /** Finishes in the background what an earlier process has left. */
  start(): void
  close(): Promise<void>
}

/** Index pages that one step merges, which take 5 ms. */
const pagesPerStep = 16
/** A process that closes leaves the rest to the next start. */
const maxCloseMs = 500
const logPauseMs = 100
const delayMs = 1_000
/** A replacement for every chunk of a long recording must not keep the disk busy. */
const minPauseFactor = 20

/** Only reads: damage that upkeep finds must not set the file aside. */
export function createUpkeep(
  { read, keepReserve }: Pick<Connection, 'read' | 'keepReserve'>,
  maxWaitMs = 3_000,
): Upkeep {
  let closing = new AbortController()
  const isClosing = () => closing.signal.aborted
  let isEraseTried = false
  let isRequested = false
  let work: Promise<boolean> | undefined
  let timer: NodeJS.Timeout | undefined
  let lastMs = 0

  /** All callers share the work; a request during the work repeats it. */
  function run(): Promise<boolean> {
    isRequested = true
    work ??= perform().finally(() => {
      work = undefined
    })
    return work
  }

  async function perform(): Promise<boolean> {
    const started = performance.now()
    try {
      let isErased = true
      while (isRequested && !isClosing()) {
        isRequested = false
        await mergeIndex()
        isErased = await eraseOldRows()
        await emptyLog()
        keepReserve()
      }
      return isErased && !isRequested && !isClosing()
    } catch (error) {
      // The next deletion or start tries again: the disk may have room by then.
      log.warn('upkeep-failed', { code: codeOf(error) })
      return false
    } finally {
      lastMs = performance.now() - started
    }
  }

  /** A row that was deleted from the index leaves its words there until its part of the index is merged. */
  async function mergeIndex(): Promise<void> {
    if (!(await read(hasDeletedRows))) return
    // A negative number begins to merge everything into one part.
    let pages = -pagesPerStep
    // Also ends the wait for another process.
    while (await read(database => !isClosing() && merge(database, pages))) {
      pages = pagesPerStep
      await setImmediate()
    }
  }

  /** Older versions left the bytes of deleted rows in free pages. Tries once: the next start may find more room. */
  async function eraseOldRows(): Promise<boolean> {
    if (isClosing()) return false
    const path = await read(database => (isErasing(database) ? undefined : pathOf(database)))
    if (path === undefined) return true
    if (isEraseTried || isClosing()) return false
    isEraseTried = true
    // The copy goes on when the store is closed, until the process ends.
    return Promise.race([eraseFreePages(path), once(closing.signal, 'abort').then(() => false)])
  }

  /** Other processes may read from the log for a moment. */
  async function emptyLog(): Promise<void> {
    while (!isRequested && !isClosing() && !(await read(truncateLog)))
      await sleep(logPauseMs, undefined, { ref: false })
  }

  /** Resolves with false if the work takes longer or fails. */
  async function within(milliseconds: number): Promise<boolean> {
    const done = new AbortController()
    const timeUp = sleep(milliseconds, false, { signal: done.signal }).catch(() => false)
    return Promise.race([run(), timeUp]).finally(() => done.abort())
  }

  function start(): void {
    if (timer || isClosing()) return
    const pause = Math.max(delayMs, lastMs * minPauseFactor)
    timer = setTimeout(() => {
      timer = undefined
      void run()
    }, pause)
    timer.unref()
  }

  return {
    finish: () => within(maxWaitMs),
    start,
    schedule() {
      isRequested = true
      start()
    },
    async close() {
      clearTimeout(timer)
      timer = undefined
      if (isRequested) await within(maxCloseMs)
      closing.abort()
      await work
      // The next call opens the file again.
      closing = new AbortController()
      isEraseTried = false
    },
  }
}

function pathOf(database: Database.Database): string {
  return (database.prepare('PRAGMA database_list').get() as { file: string }).file
}

/** FTS5 keeps a page of deleted rows for each part of the index, under ids from 2^53 on. */
function hasDeletedRows(database: Database.Database): boolean {
  return (
    database.prepare('SELECT 1 FROM search_data WHERE id >= 9007199254740992 LIMIT 1').get() !== undefined
  )
}

/** Returns false when nothing is left to merge: FTS5 then makes fewer than two changes. */
function merge(database: Database.Database, pages: number): boolean {
  const changes = () => (database.prepare('SELECT total_changes() AS n').get() as { n: number }).n
  const before = changes()
  const sql = "INSERT INTO search (search, rank) VALUES ('merge', ?)"
  transaction(database, () => database.prepare(sql).run(pages))
  return changes() - before >= 2
}
