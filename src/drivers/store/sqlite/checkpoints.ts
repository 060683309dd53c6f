// Checkpoints in SQLite: one row per owner and key.
import type { Store } from '../../../domain/ports.ts'
import { stringify } from '../serialize.ts'
import type { Connection } from './connection.ts'
import { fromJson } from './rows.ts'
import { readValue, writeValues } from './values.ts'

type Checkpoints = Pick<Store, 'getCheckpoint' | 'putCheckpoint' | 'deleteCheckpoints'>

export function checkpoints(connection: Connection): Checkpoints {
  return {
    async getCheckpoint(owner, key) {
      if (!connection.exists()) return undefined
      const value = await readValue(
        connection,
        'value',
        'checkpoints WHERE owner = ? AND key = ?',
        owner,
        key,
      )
      return value && fromJson<unknown>(value)
    },
    async putCheckpoint(owner, key, value, job) {
      const sql = `INSERT INTO checkpoints (owner, key, job, value) VALUES (?, ?, ?, ?)
        ON CONFLICT (owner, key) DO UPDATE SET job = excluded.job, value = excluded.value`
      await writeValues(connection, owner, [{ sql, values: [owner, key, job, await stringify(value)] }])
    },
    deleteCheckpoints: (owner, job) =>
      connection.writeOnFullDisk(database => {
        database.prepare('DELETE FROM checkpoints WHERE owner = ? AND job = ?').run(owner, job)
      }),
  }
}
