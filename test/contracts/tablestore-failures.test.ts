// What a service far away does to the store that machines share: it throttles, loses answers, hangs, and is not set up.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTablestore, type TablestoreEmulator } from '../../emulators/tablestore/tablestore.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { Job } from '../../src/domain/job.ts'
import {
  type TablestoreOptions,
  type TablestoreStore,
  tablestoreStore,
} from '../../src/drivers/store/tablestore/tablestore.ts'
import { failure } from '../support/failure.ts'
import { longTranscript, segment, transcript } from '../support/transcripts.ts'

const me = 'ann'
const { signal } = new AbortController()
const day = 24 * 3_600_000
let tables: TablestoreEmulator
let opened: TablestoreStore[]
let now: number

beforeEach(async () => {
  now = Date.now()
  tables = await startTablestore({ now: () => now })
  opened = []
  await open().setUp(signal)
})
afterEach(async () => {
  for (const store of opened) await store.close()
  await tables.close()
})

function open(more: Partial<TablestoreOptions> = {}): TablestoreStore {
  const { endpoint, instance, accessKeyId, accessKeySecret } = tables
  const key = { accessKeyId, accessKeySecret }
  const store = tablestoreStore({
    endpoint,
    instance,
    key,
    prefix: 'speech_',
    firstDelaySeconds: 0.01,
    ...more,
  })
  opened.push(store)
  return store
}

function job(facts: Partial<Job> = {}): Job {
  const at = '2026-03-01T10:00:00.000Z'
  const base = {
    id: 'j',
    owner: me,
    tool: 'transcribe_audio',
    models: ['m'],
    short: false,
    revision: 1,
  } as const
  return {
    ...base,
    request: { audio: '/a.mp3' },
    state: 'queued',
    createdAt: at,
    updatedAt: at,
    ...facts,
  } as Job
}

const lose = (operation: string, table: string) =>
  tables.fault({ operation, table: `speech_${table}`, times: 1, how: { kind: 'lose' } })

describe('a write', () => {
  it.each([
    'OTSServerBusy',
    'OTSPartitionUnavailable',
    'OTSRowOperationConflict',
    'OTSNotEnoughCapacityUnit',
  ])('that is refused with %s is made again', async code => {
    tables.fault({ operation: 'PutRow', times: 4, how: { kind: 'refuse', status: 503, code } })
    const store = open()
    await store.putTranscript(me, transcript())
    await store.addJob(job())
    expect(await store.getTranscript(me, 't1')).toBeDefined()
    expect(await store.getJob(me, 'j')).toEqual(job())
  })

  it('of a job that was done though its answer was lost counts as done, once', async () => {
    const store = open()
    lose('PutRow', 'jobs')
    expect(await store.addJob(job())).toEqual(job())
    lose('PutRow', 'jobs')
    expect(await store.replaceJob(job({ revision: 2, state: 'running' }))).toBe(true)
    expect(await store.replaceJob(job({ revision: 2, state: 'running' }))).toBe(false)
  })

  it('of a job that another made meanwhile does not count as done', async () => {
    const [left, right] = [open(), open()]
    await left.addJob(job())
    // The answer to the first attempt is a refusal; by the second one, the other was there.
    tables.fault({
      operation: 'PutRow',
      times: 1,
      how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' },
    })
    const mine = job({ revision: 2, state: 'running', lease: { worker: 'left', until: 1 } })
    const theirs = job({ revision: 2, state: 'running', lease: { worker: 'right', until: 1 } })
    const outcomes = await Promise.all([left.replaceJob(mine), right.replaceJob(theirs)])
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect((await left.getJob(me, 'j'))?.lease?.worker).toBe(outcomes[0] ? 'left' : 'right')
  })

  it('of a transcript whose answer was lost leaves one, and of its parts none that nobody speaks of', async () => {
    const store = open()
    lose('PutRow', 'transcripts')
    lose('PutRow', 'texts')
    await store.putTranscript(me, longTranscript('t1'))
    await store.putTranscript(me, longTranscript('t1'))
    const { speech_texts: parts } = tables.tables()
    expect(await store.getTranscript(me, 't1')).toStrictEqual(longTranscript('t1'))
    await store.putTranscript(me, transcript())
    expect(tables.tables()).toMatchObject({ speech_texts: 0, speech_transcripts: 1, speech_listing: 1 })
    expect(parts).toBeGreaterThan(1)
  })
})

describe('a transcript beyond the size of a row', () => {
  it('of 5 MB fits, and is gone when it is deleted', async () => {
    const store = open()
    const segments = Array.from({ length: 50 }, (_, i) => segment('word '.repeat(20_000), i, i + 1))
    const given = transcript({ segments })
    await store.putTranscript(me, given)
    expect(await store.getTranscript(me, 't1')).toStrictEqual(given)
    expect(await store.deleteTranscript(me, 't1')).toBe(true)
    expect(tables.tables()).toMatchObject({ speech_texts: 0, speech_transcripts: 0, speech_listing: 0 })
  })

  it('that is replaced while it is read is read as it was or as it is', async () => {
    const store = open()
    const versions = ['One', 'Two'].map(title => ({ ...longTranscript('t1'), title }))
    await store.putTranscript(me, versions[0]!)
    const reads: string[] = []
    const writing = (async () => {
      for (let i = 1; i <= 6; i++) await store.putTranscript(me, versions[i % 2]!)
    })()
    let isOver = false
    void writing.then(() => {
      isOver = true
    })
    const reader = open()
    while (!isOver) reads.push((await reader.getTranscript(me, 't1'))!.title)
    await writing
    expect(new Set([...reads, 'One', 'Two']).size).toBe(2)
  })
})

describe('where there is no answer', () => {
  it('a request that hangs is made again', async () => {
    tables.fault({ operation: 'GetRow', times: 1, how: { kind: 'drop' } })
    expect(await open().getJob(me, 'nobody')).toBeUndefined()
  })

  it('ends in time, and says what to check', async () => {
    tables.fault({ how: { kind: 'hang' } })
    const error = await failure(open({ timeoutSeconds: 0.3 }).getJob(me, 'j'))
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true })
    expect(error.hint).toContain('TABLESTORE_ENDPOINT')
  })

  it('nor anybody at the address says so', async () => {
    const store = open({ endpoint: 'http://127.0.0.1:1', timeoutSeconds: 0.3 })
    expect(await failure(store.unfinishedJobs())).toMatchObject({ code: 'STORE_FAILED', retryable: true })
  })
})

describe('what is wrong', () => {
  it.each<[string, () => Partial<TablestoreOptions>, string, RegExp]>([
    [
      'a wrong key',
      () => ({ key: { accessKeyId: 'who', accessKeySecret: 'hush' } }),
      'STORE_REFUSED',
      /ALIBABA_ACCESS_KEY/,
    ],
    [
      'a wrong secret',
      () => ({ key: { accessKeyId: tables.accessKeyId, accessKeySecret: 'hush' } }),
      ...(['STORE_REFUSED', /ALIBABA_SECRET_KEY/] as const),
    ],
    ['tables that are not there', () => ({ prefix: 'others_' }), 'STORE_NOT_SET_UP', /speech-mcp doctor/],
    [
      'a missing right',
      () => {
        tables.set({ forbidden: ['GetRow'] })
        return {}
      },
      ...(['STORE_REFUSED', /ots:GetRow/] as const),
    ],
  ])('is said of %s, without a secret', async (_, wrong, code, hint) => {
    const error = await failure(open(wrong()).getJob(me, 'j'))
    expect(error).toMatchObject({ code, retryable: false })
    expect(error.hint).toMatch(hint)
    expect(`${describeError(error)} ${String((error.cause as Error)?.message)}`).not.toMatch(
      /hush|who|LTAI|127\.0/,
    )
  })
})

describe('setting up', () => {
  it('twice at once makes all of it once', async () => {
    const other = await startTablestore()
    const { endpoint, instance, accessKeyId, accessKeySecret } = other
    const stores = [1, 2].map(() => open({ endpoint, instance, key: { accessKeyId, accessKeySecret } }))
    await Promise.all(stores.map(store => store.setUp(signal)))
    expect(Object.keys(other.tables())).toHaveLength(7)
    await other.close()
  })

  it('needs no right to make anything where all is there', async () => {
    tables.set({ forbidden: ['CreateTable', 'CreateSearchIndex', 'UpdateTable'] })
    const told = await open().setUp(signal)
    expect(told).toHaveLength(8)
    expect(told.join(' ')).not.toContain('was made')
  })

  it('sets how long things are kept, and they are gone then', async () => {
    // Longer than before and shorter, as the service takes no index that outlives its table.
    for (const retentionDays of [3, 30]) await open({ retentionDays }).setUp(signal)
    const store = open({ retentionDays: 2 })
    expect((await store.setUp(signal)).join(' ')).toContain('2 days')
    await store.putTranscript(me, transcript())
    await store.addJob(job())
    await store.putCheckpoint(me, 'k', 1, 'j')
    now += 1.9 * day
    vi.useFakeTimers({ toFake: ['Date'], now })
    expect(await store.getTranscript(me, 't1')).toBeDefined()
    now += 0.2 * day
    vi.setSystemTime(now)
    const left = [store.getTranscript(me, 't1'), store.getJob(me, 'j'), store.getCheckpoint(me, 'k')]
    expect(await Promise.all(left)).toEqual([undefined, undefined, undefined])
    expect((await store.listTranscripts(me, { limit: 5 })).transcripts).toEqual([])
    vi.useRealTimers()
  })
})

describe('a search', () => {
  const day1 = (n: number) => `2026-03-${String(n).padStart(2, '0')}T10:00:00.000Z`

  async function put(store: TablestoreStore, count: number, text = 'the budget meeting'): Promise<void> {
    for (let n = 1; n <= count; n++)
      await store.putTranscript(
        me,
        transcript({ id: `t${n}`, createdAt: day1(n), segments: [segment(text, 0, 1)] }),
      )
  }

  async function pages(store: TablestoreStore, query: string, limit: number): Promise<string[]> {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.searchTranscripts(me, query, { limit, ...(cursor && { cursor }) })
      found.push(...page.transcripts.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor)
    return found
  }

  /** What was written is old, so that nothing but the index tells of it. */
  function grow(hours: number): void {
    now += hours * 3_600_000
    vi.useFakeTimers({ toFake: ['Date'], now })
  }
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is answered by the index where what it finds is old', async () => {
    const store = open()
    await put(store, 7)
    grow(1)
    expect(await pages(store, 'budget meet', 3)).toEqual(['t7', 't6', 't5', 't4', 't3', 't2', 't1'])
    expect(await pages(store, '"the budget"', 3)).toHaveLength(7)
    expect(await pages(store, '"budget the"', 3)).toEqual([])
    expect(tables.calls.some(({ operation }) => operation === 'Search')).toBe(true)
  })

  it('finds what the index does not know yet, and not what it knows no longer to be so', async () => {
    const store = open()
    await put(store, 2)
    grow(1)
    tables.set({ indexDelay: 3_600 })
    await store.putTranscript(
      me,
      transcript({ id: 't2', createdAt: day1(2), segments: [segment('other words', 0, 1)] }),
    )
    await put(store, 1)
    await store.putTranscript(
      me,
      transcript({ id: 't3', createdAt: day1(3), segments: [segment('budget', 0, 1)] }),
    )
    expect(await pages(store, 'budget', 5)).toEqual(['t3', 't1'])
    expect(await pages(store, 'other', 5)).toEqual(['t2'])
  })

  it('reads the newest where there is no index, or where it is filled for the first time', async () => {
    const store = open()
    await put(store, 7)
    grow(1)
    tables.set({ forbidden: ['DescribeSearchIndex'] })
    expect(await pages(store, 'budget', 3)).toEqual(['t7', 't6', 't5', 't4', 't3', 't2', 't1'])
    expect(tables.calls.some(({ operation }) => operation === 'Search')).toBe(false)
  })
})

describe('notes of what is unfinished', () => {
  it('are one for a job, and gone when it is over', async () => {
    const store = open()
    await store.addJob(job())
    for (const revision of [2, 3, 4]) await store.replaceJob(job({ revision, state: 'running' }))
    expect(tables.tables().speech_unfinished).toBe(1)
    await store.replaceJob(job({ revision: 5, state: 'completed' }))
    expect(tables.tables().speech_unfinished).toBe(0)
  })

  it('that a crash has left are taken away by whoever looks', async () => {
    const store = open()
    await store.addJob(job())
    tables.fault({
      operation: 'DeleteRow',
      times: 1,
      how: { kind: 'refuse', status: 403, code: 'OTSNoPermissionAccess' },
    })
    await store.replaceJob(job({ revision: 2, state: 'completed' }))
    expect(tables.tables().speech_unfinished).toBe(1)
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables.tables().speech_unfinished).toBe(0)
  })

  it('of a job that is being added stay until nobody can be adding it', async () => {
    const store = open()
    const off = tables.fault({
      table: 'speech_jobs',
      operation: 'PutRow',
      how: { kind: 'refuse', status: 403, code: 'OTSNoPermissionAccess' },
    })
    await failure(store.addJob(job()))
    off()
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables.tables().speech_unfinished).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 })
    now = Date.now()
    expect(await store.unfinishedJobs()).toEqual([])
    expect(tables.tables().speech_unfinished).toBe(0)
    vi.useRealTimers()
  })

  it('of a job that is ordered again outlive the end of the attempt before', async () => {
    const [worker, front] = [open({ firstDelaySeconds: 0.4 }), open()]
    await front.addJob(job({ state: 'running' }))
    // The worker's end is written, and its note not yet taken away, when the job is ordered again.
    const how = { kind: 'refuse', status: 503, code: 'OTSServerBusy' } as const
    tables.fault({ operation: 'DeleteRow', times: 1, how })
    const ending = worker.replaceJob(job({ revision: 2, state: 'failed' }))
    await vi.waitFor(async () => expect((await front.getJob(me, 'j'))?.state).toBe('failed'), { interval: 2 })
    expect(await front.replaceJob(job({ revision: 3, state: 'queued' }))).toBe(true)
    await ending
    expect(tables.calls.filter(({ operation }) => operation === 'DeleteRow')).toHaveLength(2)
    expect(await front.unfinishedJobs()).toMatchObject([{ revision: 3 }])
  })
})
