// Search and the index of unfinished jobs in Tablestore, which may be out of date.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TablestoreStore } from '../../src/drivers/store/tablestore/tablestore.ts'
import { job, owner, useTablestore } from '../support/contracts/tablestore.ts'
import { failure } from '../support/failure.ts'
import { segment, transcript } from '../support/transcripts.ts'

const { advance, open, tables } = useTablestore()

describe('search in Tablestore', () => {
  const dayOfMarch = (n: number) => `2026-03-${String(n).padStart(2, '0')}T10:00:00.000Z`

  async function put(store: TablestoreStore, count: number, text = 'the budget meeting'): Promise<void> {
    for (let n = 1; n <= count; n++)
      await store.putTranscript(
        owner,
        transcript({ id: `t${n}`, createdAt: dayOfMarch(n), segments: [segment(text, 0, 1)] }),
      )
  }

  async function pages(store: TablestoreStore, query: string, limit: number): Promise<string[]> {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.searchTranscripts(owner, query, { limit, ...(cursor && { cursor }) })
      found.push(...page.transcripts.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor)
    return found
  }

  /** Makes earlier writes so old that only the index finds them. */
  function age(hours: number): void {
    vi.useFakeTimers({ toFake: ['Date'], now: advance(hours * 3_600_000) })
  }
  afterEach(() => {
    vi.useRealTimers()
  })

  it('a search for old transcripts uses the index', async () => {
    const store = open()
    await put(store, 7)
    age(1)
    expect(await pages(store, 'budget meet', 3)).toEqual(['t7', 't6', 't5', 't4', 't3', 't2', 't1'])
    expect(await pages(store, '"the budget"', 3)).toHaveLength(7)
    expect(await pages(store, '"budget the"', 3)).toEqual([])
    expect(tables().calls.some(({ operation }) => operation === 'Search')).toBe(true)
  })

  it('a search finds transcripts that the index does not contain yet, and none that it wrongly contains', async () => {
    const store = open()
    await put(store, 2)
    age(1)
    tables().set({ indexDelay: 3_600 })
    await store.putTranscript(
      owner,
      transcript({ id: 't2', createdAt: dayOfMarch(2), segments: [segment('other words', 0, 1)] }),
    )
    await put(store, 1)
    await store.putTranscript(
      owner,
      transcript({ id: 't3', createdAt: dayOfMarch(3), segments: [segment('budget', 0, 1)] }),
    )
    expect(await pages(store, 'budget', 5)).toEqual(['t3', 't1'])
    expect(await pages(store, 'other', 5)).toEqual(['t2'])
  })

  it('a search without a complete index reads the newest transcripts', async () => {
    const store = open()
    await put(store, 7)
    age(1)
    tables().set({ forbidden: ['DescribeSearchIndex'] })
    expect(await pages(store, 'budget', 3)).toEqual(['t7', 't6', 't5', 't4', 't3', 't2', 't1'])
    expect(tables().calls.some(({ operation }) => operation === 'Search')).toBe(false)
  })
})

describe('a list in Tablestore', () => {
  it('a page of a hundred and more takes one range, and lookups of at most a hundred rows at once', async () => {
    const store = open()
    for (let n = 0; n < 105; n++)
      await store.putTranscript(
        owner,
        transcript({ id: `t${n}`, createdAt: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString() }),
      )
    const before = tables().calls.length
    const page = await store.listTranscripts(owner, { limit: 100 })
    expect(page.transcripts.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, i) => `t${104 - i}`))
    expect(page.nextCursor).toBeDefined()
    const operations = tables()
      .calls.slice(before)
      .map(({ operation }) => operation)
    expect(operations).toEqual(['GetRange', 'BatchGetRow', 'BatchGetRow'])
  })
})

describe('the index of unfinished jobs in Tablestore', () => {
  it('a job has one entry until it ends', async () => {
    const store = open()
    await store.addJob(job())
    for (const revision of [2, 3, 4]) await store.replaceJob(job({ revision, state: 'running' }))
    expect(tables().tables().speech_unfinished).toBe(1)
    await store.replaceJob(job({ revision: 5, state: 'completed' }))
    expect(tables().tables().speech_unfinished).toBe(0)
  })

  it('an entry left by a crash is deleted by the next look-up', async () => {
    const store = open()
    await store.addJob(job())
    tables().fault({
      operation: 'DeleteRow',
      times: 1,
      how: { kind: 'refuse', status: 403, code: 'OTSNoPermissionAccess' },
    })
    await store.replaceJob(job({ revision: 2, state: 'completed' }))
    expect(tables().tables().speech_unfinished).toBe(1)
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables().tables().speech_unfinished).toBe(0)
  })

  it('an entry of a job that is being added stays for an hour', async () => {
    const store = open()
    const off = tables().fault({
      table: 'speech_jobs',
      operation: 'PutRow',
      how: { kind: 'refuse', status: 403, code: 'OTSNoPermissionAccess' },
    })
    await failure(store.addJob(job()))
    off()
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables().tables().speech_unfinished).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: advance(2 * 3_600_000) })
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables().tables().speech_unfinished).toBe(0)
    vi.useRealTimers()
  })

  it('of two processes that add the same job at once, the second leaves no entry', async () => {
    const [first, second] = [open(), open()]
    const how = { kind: 'delay', seconds: 0.3 } as const
    tables().fault({ table: 'speech_unfinished', operation: 'PutRow', times: 1, how })
    const adding = second.addJob(job({ createdAt: '2026-01-01T00:00:01.000Z' }))
    await vi.waitFor(() => expect(tables().tables().speech_unfinished).toBe(1), { interval: 2 })
    const added = await first.addJob(job())
    expect(await adding).toEqual(added)
    expect(tables().tables().speech_unfinished).toBe(1)
  })

  it('an entry of a job that is submitted again outlives the end of its first run', async () => {
    const [worker, front] = [open({ firstDelaySeconds: 0.4 }), open()]
    await front.addJob(job({ state: 'running' }))
    // The job is submitted again after its end was written and before its entry is deleted.
    const how = { kind: 'refuse', status: 503, code: 'OTSServerBusy' } as const
    tables().fault({ operation: 'DeleteRow', times: 1, how })
    const ending = worker.replaceJob(job({ revision: 2, state: 'failed' }))
    await vi.waitFor(async () => expect((await front.getJob(owner, 'j'))?.state).toBe('failed'), {
      interval: 2,
    })
    expect(await front.replaceJob(job({ revision: 3, state: 'queued' }))).toBe(true)
    await ending
    expect(tables().calls.filter(({ operation }) => operation === 'DeleteRow')).toHaveLength(2)
    expect(await front.unfinishedJobs()).toMatchObject([{ revision: 3 }])
  })
})
