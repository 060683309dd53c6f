// Checkpoints in SQLite: one row per owner and key.
import type { Store } from '../../../domain/ports.ts'
import type { Connection } from './connection.ts'
import { bytesOf, fromJson } from './rows.ts'

type Checkpoints = Pick<Store, 'getCheckpoint' | 'putCheckpoint' | 'deleteCheckpoints'>

export function checkpoints(connection: Connection): Checkpoints {
  return {
    async getCheckpoint(owner, key) {
      if (!connection.exists()) return undefined
      return connection.read(database => {
        const [value] = bytesOf(database, 'value', 'checkpoints WHERE owner = ? AND key = ?', owner, key)
        return value && fromJson<unknown>(value)
      })
    },
    putCheckpoint: (owner, key, value, job) =>
      connection.write(database => {
        const sql = `INSERT INTO checkpoints (owner, key, job, value) VALUES (?, ?, ?, ?)
          ON CONFLICT (owner, key) DO UPDATE SET job = excluded.job, value = excluded.value`
        database.prepare(sql).run(owner, key, job, JSON.stringify(value))
      }),
    deleteCheckpoints: (owner, job) =>
      connection.writeOnFullDisk(database => {
        database.prepare('DELETE FROM checkpoints WHERE owner = ? AND job = ?').run(owner, job)
      }),
  }
}
