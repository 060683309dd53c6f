// Checkpoints in SQLite: one row per owner and key.
import type { Store } from '../../../domain/ports.ts'
import { createKeyedMutex } from '../../../domain/waiting/keyed-mutex.ts'
import { stringify } from '../serialize.ts'
import type { Connection } from './connection.ts'
import { fromJson } from './rows.ts'
import { readValue } from './values.ts'

type Checkpoints = Pick<Store, 'getCheckpoint' | 'putCheckpoint' | 'deleteCheckpoints'>

export function checkpoints(connection: Connection): Checkpoints {
  /** Writes for one job keep their order: a long value takes several turns of the event loop. */
  const inOrder = createKeyedMutex()

  return {
    async getCheckpoint(owner, key) {
      if (!connection.exists()) return undefined
      const from = 'checkpoints WHERE owner = ? AND key = ?'
      const value = await readValue(connection, 'value', from, owner, key)
      return value && fromJson<unknown>(value)
    },
    putCheckpoint: (owner, key, value, job) =>
      inOrder(`${owner}/${job}`, async () => {
        const json = await stringify(value)
        await connection.write(database => {
          const sql = `INSERT INTO checkpoints (owner, key, job, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (owner, key) DO UPDATE SET job = excluded.job, value = excluded.value`
          database.prepare(sql).run(owner, key, job, json)
        })
      }),
    deleteCheckpoints: (owner, job) =>
      inOrder(`${owner}/${job}`, () =>
        connection.writeOnFullDisk(database => {
          database.prepare('DELETE FROM checkpoints WHERE owner = ? AND job = ?').run(owner, job)
        }),
      ),
  }
}
