// Checkpoints in Tablestore, and an index of the checkpoints of each job.
import pLimit from 'p-limit'
import type { Store } from '../../../domain/ports.ts'
import { type LargeValues, locationColumns } from './large-values.ts'
import { parsed, type Rows, textIn } from './rows.ts'
import { hashOf } from './tables.ts'

type Checkpoints = Pick<Store, 'getCheckpoint' | 'putCheckpoint' | 'deleteCheckpoints'>

const concurrency = 8

export function checkpoints(rows: Rows, largeValues: LargeValues): Checkpoints {
  return {
    async getCheckpoint(owner, key) {
      const row = await rows.get('checkpoints', { hash: hashOf(owner, key) })
      const bytes = row && (await largeValues.read(row))
      return bytes && parsed<unknown>(bytes)
    },
    async putCheckpoint(owner, key, value, job) {
      const hash = hashOf(owner, key)
      const columns = await largeValues.write(Buffer.from(JSON.stringify(value)))
      // The index entry comes first: a checkpoint without one would never be deleted.
      await rows.put('kept', { of: hashOf(owner, job), hash }, { noted: Date.now() })
      await rows.put('checkpoints', { hash }, { job, ...columns })
    },
    async deleteCheckpoints(owner, job) {
      const of = hashOf(owner, job)
      const condition = { column: 'job', value: job, orAbsent: true } as const
      for await (const page of rows.range('kept', { within: { of } }))
        await pLimit(concurrency).map(page, async entry => {
          const hash = textIn(entry, 'hash')
          const row = await rows.get('checkpoints', { hash }, ['job', ...locationColumns])
          // Spares a checkpoint that another job has replaced.
          const isDeleted = await rows.delete('checkpoints', { hash }, condition)
          if (isDeleted && row) await largeValues.delete(row)
          await rows.delete('kept', { of, hash })
        })
    },
  }
}
