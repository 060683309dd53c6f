// Values that exceed the size of a row: stored in parts of their own, which are written before the row that refers to them.
import { createHash, randomBytes } from 'node:crypto'
import pLimit from 'p-limit'
import { damagedRow } from './errors.ts'
import { allRows, bytesIn, type Columns, numberIn, type Rows, textIn } from './rows.ts'

export interface LargeValues {
  /** Resolves with the columns that hold the value or its location. Write the row afterwards. */
  write(value: Buffer): Promise<Columns>
  /** The value of a row; undefined if its parts were deleted because the row has been replaced. */
  read(row: Columns): Promise<Buffer | undefined>
  /** Deletes the parts of a deleted row. */
  delete(row: Columns): Promise<void>
}

/** Columns with the location of the parts. */
export const locationColumns = ['text', 'parts']

/** The service accepts 2 MB a column and 4 MB a write. */
const maxInlineBytes = 1_000_000
const partBytes = 1_000_000
const concurrency = 3

export function createLargeValues(rows: Rows): LargeValues {
  const keysOf = (id: string, parts: number) => Array.from({ length: parts }, (_, part) => ({ of: id, part }))

  return {
    async write(value) {
      if (value.length <= maxInlineBytes) return { body: value, parts: 0 }
      const id = randomBytes(16).toString('hex')
      const keys = keysOf(id, Math.ceil(value.length / partBytes))
      await pLimit(concurrency).map(keys, key => {
        const data = value.subarray(key.part * partBytes, (key.part + 1) * partBytes)
        return rows.put('texts', key, { data })
      })
      return { text: id, parts: keys.length, sum: checksum(value) }
    },
    async read(row) {
      const count = numberIn(row, 'parts')
      if (count === 0) return bytesIn(row, 'body')
      const of = textIn(row, 'text')
      const parts = await allRows(rows.range('texts', { within: { of } }, count))
      if (parts.length < count) return undefined
      const value = Buffer.concat(parts.map(part => bytesIn(part, 'data')))
      if (checksum(value) !== row.sum) throw damagedRow()
      return value
    },
    async delete(row) {
      if (row.text === undefined) return
      const keys = keysOf(textIn(row, 'text'), numberIn(row, 'parts'))
      await pLimit(concurrency).map(keys, key => rows.delete('texts', key))
    },
  }
}

function checksum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
