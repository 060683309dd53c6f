// Reads the store of a program that runs, or was killed.
import { join } from 'node:path'
import Sqlite from 'libsql'

/** The texts of the chunks that are safe in the store, each as often as there are chunks of it. */
export function checkpointed(dataDir: string): string[] {
  try {
    const database = new Sqlite(join(dataDir, 'speech.db'))
    const rows = database
      .prepare("SELECT CAST(value AS TEXT) AS value FROM checkpoints WHERE key LIKE 'chunk:%'")
      .all() as { value: string }[]
    database.close()
    return rows.map(({ value }) => (JSON.parse(value) as { text: string }).text)
  } catch {
    // Killed before there was a store.
    return []
  }
}
