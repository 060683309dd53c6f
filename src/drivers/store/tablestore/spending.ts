// Costs in Tablestore: one row per owner and day, in the table of small indexes, so that no set-up is needed for them.
import { randomBytes } from 'node:crypto'
import { type DaySpending, nothingSpent, type SpendingStore } from '../../../domain/costs/spending.ts'
import { allRows, bytesIn, parsed, type Rows, textIn } from './rows.ts'
import { hashOf } from './tables.ts'

/** Orders of one owner write at once; each round at least one of them succeeds. */
const maxPauseMs = 50
/** Ids of the latest writes that a row names: more than are made while a response is awaited. */
const maxWrites = 16

export function spending(rows: Rows): SpendingStore {
  const partition = (month: string) => hashOf('spending', month)
  return {
    async updateSpending(owner, day, change) {
      const key = { of: partition(day.slice(0, 7)), hash: `${day} ${owner}` }
      for (;;) {
        const row = await rows.get('kept', key)
        const record = change(row ? parsed<DaySpending>(bytesIn(row, 'record')) : nothingSpent)
        const write = randomBytes(12).toString('hex')
        const earlier = row && textIn(row, 'write')
        const condition = earlier === undefined ? 'absent' : { column: 'write', value: earlier }
        const latest = [write, ...(earlier?.split(' ') ?? [])].slice(0, maxWrites)
        const columns = { record: Buffer.from(JSON.stringify(record)), write: latest.join(' ') }
        if (await rows.put('kept', key, columns, condition)) return
        // The response to our own write may have been lost, and others may have written since.
        const now = await rows.get('kept', key, ['write'])
        if (now && textIn(now, 'write').split(' ').includes(write)) return
        await new Promise(resolve => setTimeout(resolve, Math.random() * maxPauseMs))
      }
    },
    async listSpending(month) {
      const found = await allRows(rows.range('kept', { within: { of: partition(month) } }))
      return found.map(row => {
        const [day, owner] = [textIn(row, 'hash').slice(0, 10), textIn(row, 'hash').slice(11)]
        return { owner, day, ...parsed<DaySpending>(bytesIn(row, 'record')) }
      })
    },
  }
}
