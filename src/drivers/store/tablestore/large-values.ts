// What is too large for one row: in parts of their own, which are there before anything speaks of them.
import { createHash, randomBytes } from 'node:crypto'
import { damagedRows } from './errors.ts'
import { bytesIn, type Facts, numberIn, type Rows, textIn } from './rows.ts'

export interface LargeValues {
  /** What is to stand in a row instead of the text, or with it: the row must be written after it. */
  write(text: Buffer): Promise<Facts>
  /** The text of a row; undefined where its parts are gone because the row has been replaced. */
  read(row: Facts): Promise<Buffer | undefined>
  /** Removes the parts of a row that is gone. */
  remove(row: Facts): Promise<void>
}

/** The columns that tell where the parts are. */
export const textColumns = ['text', 'parts']

/** Bytes. A value may have 2 MB, and all of a row that is written at once 4 MB. */
const mostInline = 1_000_000
const partSize = 1_000_000
const atOnce = 3

export function createLargeValues(rows: Rows): LargeValues {
  const keysOf = (text: string, parts: number) =>
    Array.from({ length: parts }, (_, part) => ({ of: text, part }))

  return {
    async write(bytes) {
      if (bytes.length <= mostInline) return { body: bytes, parts: 0 }
      const text = randomBytes(16).toString('hex')
      const keys = keysOf(text, Math.ceil(bytes.length / partSize))
      await eachOf(keys, atOnce, async key => {
        const data = bytes.subarray(key.part * partSize, (key.part + 1) * partSize)
        await rows.put('texts', key, { data })
      })
      return { text, parts: keys.length, sum: sumOf(bytes) }
    },
    async read(row) {
      const parts = numberIn(row, 'parts')
      if (parts === 0) return bytesIn(row, 'body')
      const of = textIn(row, 'text')
      const found: Buffer[] = []
      for await (const page of rows.range('texts', { from: { of }, to: { of } }, parts))
        found.push(...page.map(part => bytesIn(part, 'data')))
      if (found.length < parts) return undefined
      const bytes = Buffer.concat(found)
      if (sumOf(bytes) !== row.sum) throw damagedRows()
      return bytes
    },
    async remove(row) {
      if (row.text === undefined) return
      const keys = keysOf(textIn(row, 'text'), numberIn(row, 'parts'))
      await eachOf(keys, atOnce, async key => void (await rows.remove('texts', key)))
    },
  }
}

/** Works on a few at once. */
export async function eachOf<T>(all: T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values()
  await Promise.all(
    Array.from({ length: Math.min(atOnce, all.length) }, async () => {
      for (const one of waiting) await work(one)
    }),
  )
}

function sumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
