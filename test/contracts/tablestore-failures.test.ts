// Tablestore as a remote service: lost responses, refusals, large values and missing tables.
import { describe, expect, it, vi } from 'vitest'
import { startTablestore } from '../../emulators/tablestore/tablestore.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { TablestoreOptions } from '../../src/drivers/store/tablestore/tablestore.ts'
import { job, owner, signal, useTablestore } from '../support/contracts/tablestore.ts'
import { failure } from '../support/failure.ts'
import { longTranscript, segment, transcript } from '../support/transcripts.ts'

const { advance, loseResponse, open, tables } = useTablestore()
const dayMs = 24 * 3_600_000

describe('writes to Tablestore', () => {
  it.each([
    'OTSServerBusy',
    'OTSPartitionUnavailable',
    'OTSRowOperationConflict',
    'OTSNotEnoughCapacityUnit',
  ])('a write that is refused with %s is retried', async code => {
    tables().fault({ operation: 'PutRow', times: 4, how: { kind: 'refuse', status: 503, code } })
    const store = open()
    await store.putTranscript(owner, transcript())
    await store.addJob(job())
    expect(await store.getTranscript(owner, 't1')).toBeDefined()
    expect(await store.getJob(owner, 'j')).toEqual(job())
  })

  it('a job write whose response was lost counts as done, once', async () => {
    const store = open()
    loseResponse('PutRow', 'jobs')
    expect(await store.addJob(job())).toEqual(job())
    loseResponse('PutRow', 'jobs')
    expect(await store.replaceJob(job({ revision: 2, state: 'running' }))).toBe(true)
    expect(await store.replaceJob(job({ revision: 2, state: 'running' }))).toBe(false)
  })

  it('a cost whose response was lost is counted once, also beside others', async () => {
    const add = (usd: number) =>
      open().updateSpending(owner, '2026-03-01', before => ({ ...before, usd: before.usd + usd }))
    loseResponse('PutRow', 'kept')
    await add(1)
    loseResponse('PutRow', 'kept')
    await Promise.all([add(2), add(4)])
    expect(await open().listSpending('2026-03')).toMatchObject([{ usd: 7 }])
  })

  it('a job write loses to a concurrent one of another store', async () => {
    const [left, right] = [open(), open()]
    await left.addJob(job())
    // The first attempt is refused, and the other write comes before the second attempt.
    tables().fault({
      operation: 'PutRow',
      times: 1,
      how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' },
    })
    const first = job({ revision: 2, state: 'running', lease: { worker: 'left', until: 1 } })
    const second = job({ revision: 2, state: 'running', lease: { worker: 'right', until: 1 } })
    const outcomes = await Promise.all([left.replaceJob(first), right.replaceJob(second)])
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect((await left.getJob(owner, 'j'))?.lease?.worker).toBe(outcomes[0] ? 'left' : 'right')
  })

  it('a transcript write whose responses were lost leaves one row and no orphaned parts', async () => {
    const store = open()
    loseResponse('PutRow', 'transcripts')
    loseResponse('PutRow', 'texts')
    await store.putTranscript(owner, longTranscript('t1'))
    await store.putTranscript(owner, longTranscript('t1'))
    const { speech_texts: parts } = tables().tables()
    expect(await store.getTranscript(owner, 't1')).toStrictEqual(longTranscript('t1'))
    await store.putTranscript(owner, transcript())
    expect(tables().tables()).toMatchObject({ speech_texts: 0, speech_transcripts: 1, speech_listing: 1 })
    expect(parts).toBeGreaterThan(1)
  })
})

describe('transcripts larger than a row', () => {
  it('a transcript of 5 MB is stored, and leaves nothing after its deletion', async () => {
    const store = open()
    const segments = Array.from({ length: 50 }, (_, i) => segment('word '.repeat(20_000), i, i + 1))
    const given = transcript({ segments })
    await store.putTranscript(owner, given)
    expect(await store.getTranscript(owner, 't1')).toStrictEqual(given)
    expect(await store.deleteTranscript(owner, 't1')).toBe(true)
    expect(tables().tables()).toMatchObject({ speech_texts: 0, speech_transcripts: 0, speech_listing: 0 })
  })

  it('a transcript that is replaced during a read is read in one of the two versions', async () => {
    const store = open()
    const versions = ['One', 'Two'].map(title => ({ ...longTranscript('t1'), title }))
    await store.putTranscript(owner, versions[0]!)
    const reads: string[] = []
    const writing = (async () => {
      for (let i = 1; i <= 6; i++) await store.putTranscript(owner, versions[i % 2]!)
    })()
    let isOver = false
    void writing.then(() => {
      isOver = true
    })
    const reader = open()
    while (!isOver) reads.push((await reader.getTranscript(owner, 't1'))!.title)
    await writing
    expect(new Set([...reads, 'One', 'Two']).size).toBe(2)
  })
})

describe('missing responses from Tablestore', () => {
  it('a request on a broken connection is retried', async () => {
    tables().fault({ operation: 'GetRow', times: 1, how: { kind: 'drop' } })
    expect(await open().getJob(owner, 'unknown')).toBeUndefined()
  })

  it('a request without a response fails in time and names the setting', async () => {
    tables().fault({ how: { kind: 'hang' } })
    const error = await failure(open({ timeoutSeconds: 0.3 }).getJob(owner, 'j'))
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true })
    expect(error.hint).toContain('TABLESTORE_ENDPOINT')
  })

  it('a request to a closed port fails as retryable', async () => {
    const store = open({ endpoint: 'http://127.0.0.1:1', timeoutSeconds: 0.3 })
    expect(await failure(store.unfinishedJobs())).toMatchObject({ code: 'STORE_FAILED', retryable: true })
  })
})

describe('refused requests to Tablestore', () => {
  it.each<[string, () => Partial<TablestoreOptions>, string, RegExp]>([
    [
      'a wrong key',
      () => ({ key: { accessKeyId: 'unknown-id', accessKeySecret: 'wrong-secret' } }),
      'STORE_REFUSED',
      /ALIBABA_ACCESS_KEY/,
    ],
    [
      'a wrong secret',
      () => ({ key: { accessKeyId: tables().accessKeyId, accessKeySecret: 'wrong-secret' } }),
      ...(['STORE_REFUSED', /ALIBABA_SECRET_KEY/] as const),
    ],
    ['missing tables', () => ({ prefix: 'others_' }), 'STORE_NOT_SET_UP', /speech-mcp doctor/],
    [
      'a missing permission',
      () => {
        tables().set({ forbidden: ['GetRow'] })
        return {}
      },
      ...(['STORE_REFUSED', /ots:GetRow/] as const),
    ],
  ])('the error about %s names the remedy and no secret', async (_, wrong, code, hint) => {
    const error = await failure(open(wrong()).getJob(owner, 'j'))
    expect(error).toMatchObject({ code, retryable: false })
    expect(error.hint).toMatch(hint)
    expect(`${describeError(error)} ${String((error.cause as Error)?.message)}`).not.toMatch(
      /wrong-secret|unknown-id|LTAI|127\.0/,
    )
  })
})

describe('setting up Tablestore', () => {
  it('two stores that set up at once create everything once', async () => {
    const other = await startTablestore()
    const { endpoint, instance, accessKeyId, accessKeySecret } = other
    const stores = [1, 2].map(() => open({ endpoint, instance, key: { accessKeyId, accessKeySecret } }))
    await Promise.all(stores.map(store => store.setUp(signal)))
    expect(Object.keys(other.tables())).toHaveLength(7)
    await other.close()
  })

  it('setting up needs no permission to create what exists', async () => {
    tables().set({ forbidden: ['CreateTable', 'CreateSearchIndex', 'UpdateTable'] })
    const report = await open().setUp(signal)
    expect(report).toHaveLength(8)
    expect(report.join(' ')).not.toContain('was created')
  })

  it('setting up sets the retention, after which rows expire', async () => {
    // Shortens and extends it, because the service rejects an index that outlives its table.
    for (const retentionDays of [3, 30]) await open({ retentionDays }).setUp(signal)
    const store = open({ retentionDays: 2 })
    expect((await store.setUp(signal)).join(' ')).toContain('2 days')
    await store.putTranscript(owner, transcript())
    await store.addJob(job())
    await store.putCheckpoint(owner, 'k', 1, 'j')
    vi.useFakeTimers({ toFake: ['Date'], now: advance(1.9 * dayMs) })
    expect(await store.getTranscript(owner, 't1')).toBeDefined()
    vi.setSystemTime(advance(0.2 * dayMs))
    const left = [store.getTranscript(owner, 't1'), store.getJob(owner, 'j'), store.getCheckpoint(owner, 'k')]
    expect(await Promise.all(left)).toEqual([undefined, undefined, undefined])
    expect((await store.listTranscripts(owner, { limit: 5 })).transcripts).toEqual([])
    vi.useRealTimers()
  })
})
