// Embedded store: transcripts, jobs and checkpoints in one SQLite file (libsql).
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import { createConnection } from './connection.ts'
import { jobs } from './jobs.ts'
import { transcripts } from './transcripts.ts'

export interface SqliteOptions {
  /** Folder of the file; created if missing, with access for its owner only. */
  folder: string
}

export function sqliteStore({ folder }: SqliteOptions): Store {
  const connection = createConnection(folder)
  return {
    ...transcripts(connection),
    ...jobs(connection),
    ...checkpoints(connection),
    warning: connection.warning,
    close: connection.close,
  }
}
