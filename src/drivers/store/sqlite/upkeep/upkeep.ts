// Upkeep of the SQLite file: removes what deletions and replacements leave in the search index and in the log.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../../../domain/errors.ts'
import { log } from '../../../../log.ts'
import type { Connection } from '../connection.ts'
import { storeError } from '../errors.ts'
import { isErasing } from '../schema.ts'
import { eraseFreePages } from './erase-free-pages.ts'
import { type Exec, emptyLog, inBackground, logBytes } from './in-background.ts'
import { mergeIndex } from './merge-index.ts'

export interface Upkeep {
  /** Resolves with true when nothing is left, and with false after a few seconds; the work goes on then. */
  finish(): Promise<boolean>
  /** Does the work in the background, or when the store closes. */
  schedule(): void
  /** Finishes in the background what an earlier process has left. */
  start(): void
  /** Copies a large log into the file beside the event loop. Call it after each write. */
  limitLog(): void
  close(): Promise<void>
}

/** A process that closes leaves the rest to the next start. */
const maxCloseMs = 500
const logPauseMs = 100
const delayMs = 1_000
/** SQLite's own limit is 1,000 pages, but it copies them on the event loop. */
const maxLogBytes = 4_000_000
/** A replacement for every chunk of a long recording must not keep the disk busy. */
const minPauseFactor = 20

/** Only reads: damage that upkeep finds must not set the file aside. */
export function createUpkeep(
  { path, exists, read, keepReserve }: Pick<Connection, 'path' | 'exists' | 'read' | 'keepReserve'>,
  maxWaitMs = 2_000,
): Upkeep {
  let closing = new AbortController()
  const isClosing = () => closing.signal.aborted
  let isEraseTried = false
  let isRequested = false
  let work: Promise<boolean> | undefined
  let copying: Promise<unknown> | undefined
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
        isErased = await inBackground(path, async exec => {
          const isMerged = await mergeIndex(read, exec, isClosing).catch(warn)
          const isOverwritten = await eraseOldRows()
          await clearLog(exec)
          return isMerged && isOverwritten
        })
        await keepReserve()
      }
      return isErased && !isRequested && !isClosing()
    } catch (error) {
      return warn(error)
    } finally {
      lastMs = performance.now() - started
    }
  }

  /** Older versions left the bytes of deleted rows in free pages. Tries once: the next start may find more room. */
  async function eraseOldRows(): Promise<boolean> {
    if (isClosing()) return false
    if (await read(isErasing)) return true
    if (isEraseTried || isClosing()) return false
    isEraseTried = true
    // The copy goes on when the store is closed, until the process ends.
    return Promise.race([eraseFreePages(path), once(closing.signal, 'abort').then(() => false)])
  }

  /** Other processes may read from the log for a moment. */
  async function clearLog(exec: Exec): Promise<void> {
    while (!isRequested && !isClosing() && !(await emptyLog(path, exec))) await pause()
  }

  /** Ends when the store is closed: nothing else may keep the process alive until then. */
  async function pause(): Promise<void> {
    await sleep(logPauseMs, undefined, { ref: false, signal: closing.signal }).catch(() => {})
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
    limitLog() {
      if (work || copying || isClosing() || logBytes(path) < maxLogBytes) return
      copying = inBackground(path, exec => emptyLog(path, exec))
        .catch(warn)
        .finally(() => {
          copying = undefined
        })
    },
    async close() {
      clearTimeout(timer)
      timer = undefined
      if (isRequested) await within(maxCloseMs)
      closing.abort()
      await Promise.all([work, copying])
      if (exists()) await keepReserve()
      // The next call opens the file again.
      closing = new AbortController()
      isEraseTried = false
    },
  }
}

/** The next deletion or start tries again: the disk may have room by then. */
function warn(error: unknown): false {
  log.warn('upkeep-failed', { code: codeOf(storeError(error)) })
  return false
}
