// Costs in SQLite: one row per owner and day.
import type Database from 'libsql'
import {
  type DaySpending,
  nothingSpent,
  type OwnerSpending,
  type SpendingStore,
} from '../../../domain/costs/spending.ts'
import type { Connection } from './connection.ts'
import { bytesOf, fromJson } from './rows.ts'

/** Added on its first use, as older versions of the program do not miss it: a new schema version would lock them out. */
export const spendingTable = `CREATE TABLE IF NOT EXISTS spending (
  owner TEXT NOT NULL,
  day TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (day, owner)
) STRICT, WITHOUT ROWID`

export function spending(connection: Connection): SpendingStore {
  return {
    updateSpending: (owner, day, change) =>
      connection.write(database => {
        database.exec(spendingTable)
        const [found] = bytesOf(database, 'record', 'spending WHERE day = ? AND owner = ?', day, owner)
        const record = change(found ? fromJson<DaySpending>(found) : nothingSpent)
        const sql = 'INSERT OR REPLACE INTO spending (owner, day, record) VALUES (?, ?, ?)'
        database.prepare(sql).run(owner, day, JSON.stringify(record))
      }),
    async listSpending(month) {
      if (!connection.exists()) return []
      return connection.read(database => {
        if (!hasTable(database)) return []
        const columns = "json_object('owner', owner, 'day', day, 'record', json(record))"
        const rows = bytesOf(database, columns, 'spending WHERE day LIKE ? ORDER BY day, owner', `${month}-%`)
        return rows.map(bytes => {
          const { record, ...of } = fromJson<OwnerSpending & { record: DaySpending }>(bytes)
          return { ...of, ...record }
        })
      })
    },
  }
}

function hasTable(database: Database.Database): boolean {
  return bytesOf(database, 'name', "sqlite_schema WHERE name = 'spending'").length > 0
}
