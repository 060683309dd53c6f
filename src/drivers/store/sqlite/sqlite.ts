// Embedded store: transcripts, jobs and checkpoints in one SQLite file (libsql).
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import { createConnection } from './connection.ts'
import { damagedFilesIn } from './files.ts'
import { jobs } from './jobs.ts'
import { createSalvage } from './salvage/salvage.ts'
import { spending } from './spending.ts'
import { transcripts } from './transcripts.ts'
import { createUpkeep } from './upkeep/upkeep.ts'

export interface SqliteOptions {
  /** Folder of the file; created if missing, with access for its owner only. */
  folder: string
  /** Time limit of `erase`; the rest is done in the background. */
  maxEraseMs?: number
}

const stillErasing =
  'Words of it are still in the search index or the log of the database, and are removed in the background.'

export function sqliteStore({ folder, maxEraseMs }: SqliteOptions): Store {
  const connection = createConnection(folder, {
    onOpen() {
      upkeep.start()
      salvage.start()
    },
    onWrite: () => upkeep.limitLog(),
  })
  const salvage = createSalvage(folder, connection)
  const upkeep = createUpkeep(connection, maxEraseMs)
  return {
    ...transcripts(connection, upkeep),
    ...jobs(connection),
    ...checkpoints(connection),
    ...spending(connection),
    warnings: () => [...connection.warnings(), ...salvage.warnings()],
    losses: connection.losses,
    warmUp: connection.warmUp,
    async erase() {
      const isErased = !connection.exists() || (await upkeep.finish())
      const kept = damagedFilesIn(folder).join(', ')
      return [
        ...(isErased ? [] : [stillErasing]),
        ...(kept
          ? [`Copies of a damaged database may still contain its words: ${kept} in the data folder.`]
          : []),
      ]
    },
    async close() {
      await salvage.close()
      await upkeep.close()
      await connection.close()
    },
  }
}
