// Lists of transcripts with each recording once: the newest of its transcripts, over pages too.
import { describe, expect, it } from 'vitest'
import type { PageRequest } from '../../../../src/domain/ports.ts'
import { isAfter, readCursor, writeCursor } from '../../../../src/domain/reading/page-cursor.ts'
import type { JobBasis } from '../../../../src/jobs/context.ts'
import { createOnceEach } from '../../../../src/jobs/view/once-each.ts'
import { transcript } from '../../../support/transcripts.ts'

/** Named by their recording and the number of the transcript of it; the newest first. */
function list(...ids: string[]) {
  const get = async (_: string, id: string) => (id.includes('-') ? { content: id.split('-')[0] } : undefined)
  const open = () => createOnceEach({ repository: { get } } as unknown as JobBasis)
  let onceEach = open()
  let reads = 0
  const transcripts = ids.map((id, i) => transcript({ id, createdAt: at(1000 - i) }))
  const read = async ({ limit, cursor }: PageRequest) => {
    reads++
    const rest = transcripts.filter(one => isAfter(one, readCursor(cursor)))
    const page = rest.slice(0, limit)
    return { transcripts: page, ...(rest.length > limit && { nextCursor: writeCursor(page.at(-1)!) }) }
  }
  return {
    reads: () => reads,
    restart() {
      onceEach = open()
    },
    add: (id: string) =>
      void transcripts.unshift(transcript({ id, createdAt: at(2000 + transcripts.length) })),
    async page(limit: number, cursor?: string, owner = 'ann') {
      const { transcripts, nextCursor } = await onceEach(owner, '', { limit, cursor }, read)
      return { found: transcripts.map(({ id, others }) => `${id} ${others ?? 0}`), nextCursor }
    },
  }
}

const at = (seconds: number) => new Date(1000 * seconds).toISOString()

describe('a list of recordings', () => {
  it('a recording shows once, with the number of its older transcripts', async () => {
    const { page } = list('a-3', 'b-1', 'a-2', 'a-1', 'c')
    expect(await page(10)).toEqual({ found: ['a-3 2', 'b-1 0', 'c 0'], nextCursor: undefined })
  })

  it('a page is filled with others where older transcripts are left out', async () => {
    const { page } = list('a-2', 'a-1', 'b-1', 'c-1')
    expect((await page(2)).found).toEqual(['a-2 1', 'b-1 0'])
  })

  it('a recording of an earlier page does not show again', async () => {
    const { page } = list('a-2', 'b-1', 'a-1', 'c-1')
    const { nextCursor } = await page(2)
    expect((await page(2, nextCursor)).found).toEqual(['c-1 0'])
  })

  it('a recording of an earlier page does not show again at another server, or after a restart', async () => {
    const { page, restart } = list('a-2', 'b-1', 'a-1', 'c-1', 'b-0', 'd-1')
    const first = await page(2)
    restart()
    const second = await page(1, first.nextCursor)
    expect(second.found).toEqual(['c-1 0'])
    restart()
    expect((await page(2, second.nextCursor)).found).toEqual(['d-1 0'])
  })

  it('a transcript that comes while a client turns the pages hides none of them', async () => {
    const { page, restart, add } = list('a-2', 'b-1', 'c-1')
    const { nextCursor } = await page(2)
    add('c-2')
    restart()
    expect((await page(2, nextCursor)).found).toEqual(['c-1 0'])
  })

  it('a cursor far behind reads a bounded number of pages again, and only once', async () => {
    const { page, reads, restart } = list(...Array.from({ length: 3_000 }, (_, i) => `r${i}-1`))
    const first = await page(2)
    const far = writeCursor({ ...readCursor(first.nextCursor!), id: 'r2900-1', createdAt: at(1000 - 2900) })
    restart()
    const before = reads()
    expect((await page(2, far)).found).toHaveLength(2)
    expect(reads() - before).toBeLessThanOrEqual(21)
    await page(2, far)
    expect(reads() - before).toBeLessThanOrEqual(22)
  })

  it('a cursor of another kind is refused', async () => {
    await expect(list('a-1').page(2, 'no cursor')).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('many transcripts of one recording end a page early, and it goes on from there', async () => {
    const { page, reads } = list(...Array.from({ length: 30 }, (_, i) => `a-${i}`), 'b-1')
    const first = await page(2)
    expect(first.found).toEqual([expect.stringMatching(/^a-0 \d+$/)])
    expect(reads()).toBeLessThanOrEqual(10)
    let cursor = first.nextCursor
    let found: string[] = []
    while (cursor !== undefined && found.length === 0) ({ found, nextCursor: cursor } = await page(2, cursor))
    expect(found).toEqual(['b-1 0'])
  })
})
