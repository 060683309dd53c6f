// Waits for another process that writes to the file. SQLite's own wait would block the event loop.
import { setTimeout as sleep } from 'node:timers/promises'

/** SQLite's own wait, within a call. */
export const lockTimeoutMs = 10
/** Longer than `eraseFreePages` takes for a file of some hundred megabytes. */
const maxBusyMs = 15_000
const minPauseMs = 5
const maxPauseMs = 50

/** Repeats work that leaves nothing behind when it finds the file locked. */
export async function untilUnlocked<T>(work: () => T): Promise<T> {
  const until = performance.now() + maxBusyMs
  for (let pause = minPauseMs; ; pause = Math.min(2 * pause, maxPauseMs)) {
    try {
      return work()
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (!String(code).startsWith('SQLITE_BUSY') || performance.now() > until) throw error
    }
    await sleep(pause * (0.5 + Math.random() / 2))
  }
}
