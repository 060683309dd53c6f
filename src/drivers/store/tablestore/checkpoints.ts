// Results of paid or slow work in Tablestore, and which job has kept which.
import type { Store } from '../../../domain/ports.ts'
import { eachOf, type LargeValues, textColumns } from './large-values.ts'
import { parsed, type Rows, textIn } from './rows.ts'
import { hashOf } from './tables.ts'

type Checkpoints = Pick<Store, 'getCheckpoint' | 'putCheckpoint' | 'deleteCheckpoints'>

const atOnce = 8
const mostKept = 1_000_000

export function checkpoints(rows: Rows, texts: LargeValues): Checkpoints {
  return {
    async getCheckpoint(owner, key) {
      const row = await rows.get('checkpoints', { hash: hashOf(owner, key) })
      const bytes = row && (await texts.read(row))
      return bytes && parsed<unknown>(bytes)
    },
    async putCheckpoint(owner, key, value, job) {
      const hash = hashOf(owner, key)
      const laid = await texts.write(Buffer.from(JSON.stringify(value)))
      // One that nobody could forget would stay for ever.
      await rows.put('kept', { of: hashOf(owner, job), hash }, { noted: Date.now() })
      await rows.put('checkpoints', { hash }, { job, ...laid })
    },
    async deleteCheckpoints(owner, job) {
      const of = hashOf(owner, job)
      for await (const page of rows.range('kept', { from: { of }, to: { of } }, mostKept))
        await eachOf(page, atOnce, async kept => {
          const hash = textIn(kept, 'hash')
          const row = await rows.get('checkpoints', { hash }, ['job', ...textColumns])
          // What another job has found since is that one's.
          const isGone = await rows.remove('checkpoints', { hash }, { column: 'job', isIfThere: job })
          if (isGone && row) await texts.remove(row)
          await rows.remove('kept', { of, hash })
        })
    },
  }
}
