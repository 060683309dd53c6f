// A connection whose statements run beside the event loop: upkeep may take seconds.
import { statSync } from 'node:fs'

/** Runs statements without parameters or rows. */
export type Exec = (sql: string) => Promise<void>

const lockTimeoutMs = 5_000

/** Opens the file for the time of the work. */
export async function inBackground<T>(path: string, work: (exec: Exec) => Promise<T>): Promise<T> {
  const { default: Database } = await import('libsql/promise')
  const database = new Database(path, { timeout: lockTimeoutMs })
  try {
    await database.exec('PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON')
    return await work(async sql => {
      await database.exec(sql)
    })
  } finally {
    database.close()
  }
}

/** Copies the log into the file and empties it. Resolves with false while another connection reads from it. */
export async function emptyLog(path: string, exec: Exec): Promise<boolean> {
  // The first checkpoint does the work, beside writers; the second one locks them out, and would wait for readers.
  await exec('PRAGMA wal_checkpoint(PASSIVE); PRAGMA busy_timeout = 0')
  await exec('PRAGMA wal_checkpoint(TRUNCATE)').finally(() => exec(`PRAGMA busy_timeout = ${lockTimeoutMs}`))
  return logBytes(path) === 0
}

export function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}
