// A search in Tablestore whose candidates hardly ever match: words that all have, in a phrase that was said once.
import { expect, it } from 'vitest'
import { writeCursor } from '../../../../src/domain/reading/page-cursor.ts'
import type { Listing } from '../../../../src/drivers/store/tablestore/listing.ts'
import type { Rows } from '../../../../src/drivers/store/tablestore/rows.ts'
import { createSearch } from '../../../../src/drivers/store/tablestore/search.ts'
import type { SearchIndex } from '../../../../src/drivers/store/tablestore/search-index.ts'

const count = 3_000
const all = Array.from({ length: count }, (_, n) => {
  const id = `t${String(count - n).padStart(4, '0')}`
  const words = n === 1_700 ? ' the budget meeting ' : ' meeting of the budget '
  return { id, created: `2026-${id}`, summary: JSON.stringify({ id }), words }
})

it('a page reads a limited number of candidates, and its cursor leads on to the match', async () => {
  let read = 0
  const rows = {
    async getMany(_: string, keys: { id: string }[]) {
      read += keys.length
      return keys.map(key => all.find(({ id }) => id === key.id))
    },
  } as unknown as Rows
  const index: SearchIndex = {
    isReady: async () => true,
    async *candidates(_, __, { createdAt, id: after }, size) {
      const older = all.filter(
        ({ created, id }) => created < createdAt || (created === createdAt && id < after),
      )
      for (let from = 0; from < older.length; from += size)
        yield older.slice(from, from + size).map(({ created, id }) => ({ createdAt: created, id }))
    },
  }
  const search = createSearch(rows, { recent: async () => [] } as unknown as Listing, index)
  const first = await search('ann', '"the budget meeting"', { limit: 9 })
  expect(first).toEqual({
    transcripts: [],
    nextCursor: writeCursor({ createdAt: all[999]!.created, id: all[999]!.id }),
  })
  expect(read).toBe(1_000)
  const second = await search('ann', '"the budget meeting"', { limit: 9, cursor: first.nextCursor! })
  expect(second.transcripts).toEqual([{ id: all[1_700]!.id }])
  const third = await search('ann', '"the budget meeting"', { limit: 9, cursor: second.nextCursor! })
  expect(third).toEqual({ transcripts: [], nextCursor: expect.any(String) })
  expect(await search('ann', '"the budget meeting"', { limit: 9, cursor: third.nextCursor! })).toEqual({
    transcripts: [],
  })
})
