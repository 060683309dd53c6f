// The embedded store: transcripts, jobs and checkpoints in one SQLite file, through libsql.
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import { createConnection } from './connection.ts'
import { jobs } from './jobs.ts'
import { transcripts } from './transcripts.ts'

export interface SqliteOptions {
  /** Folder of the file; made when it is missing, for its owner alone. */
  folder: string
}

export function sqliteStore({ folder }: SqliteOptions): Store {
  const connection = createConnection(folder)
  return {
    ...transcripts(connection),
    ...jobs(connection),
    ...checkpoints(connection),
    warning: connection.notice,
    close: connection.close,
  }
}
