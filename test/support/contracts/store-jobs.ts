// Jobs and checkpoints in the contract of the `Store` port.
import { describe, expect, it } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import type { Store } from '../../../src/domain/ports.ts'

const ann = 'ann'

function job(facts: Partial<Job> = {}): Job {
  const createdAt = facts.createdAt ?? '2026-03-01T10:00:00.000Z'
  const request = { audio: '/talks/a.mp3' }
  return {
    id: 'j',
    owner: ann,
    tool: 'transcribe_audio',
    models: ['qwen3-asr-flash'],
    short: false,
    request,
    state: 'queued',
    revision: 1,
    ...facts,
    createdAt,
    updatedAt: createdAt,
  }
}

/** As large as a small recording in a `data:` URI, or as a chunk with all its words. */
const largeText = 'x'.repeat(1_500_000)

export function jobsContract(open: () => Store): void {
  describe('jobs', () => {
    it('a job is read back unchanged', async () => {
      const store = open()
      const given = job({
        request: { audio: `data:audio/mpeg;base64,${largeText}`, language: 'zh', title: '你好' },
        content: 'hash',
        names: [{ name: '陈', id: 'S1', voice: 'v:0', turns: [{ start: 0, end: 1 }], seconds: 1, until: 2 }],
        lease: { worker: 'w', until: 1_700_000_000_000 },
        progress: { done: 1, total: 2, message: 'Listening' },
        error: { code: 'THROTTLED', message: 'Too fast.', hint: 'Wait.' },
        batch: { id: 'ba_1', day: '2026-03-01' },
      })
      expect(await store.addJob(given)).toStrictEqual(given)
      expect(await open().getJob(ann, 'j')).toStrictEqual(given)
      expect(await store.getJob(ann, 'unknown')).toBeUndefined()
    })

    it('a batch is an unfinished job, and its list of a thousand recordings is read back whole', async () => {
      const store = open()
      const batch = job({ id: 'ba_1', models: [], terms: { day: '2026-03-01', usd: 4.5 } })
      const recordings = Array.from({ length: 1_000 }, (_, i) => ({
        audio: `/talks/${'Gespräch '.repeat(40)}${i}.mp3`,
        id: `tr_${i}`,
      }))
      await store.putCheckpoint(ann, 'batch:ba_1', { recordings }, 'ba_1')
      await store.addJob(batch)
      expect(await open().unfinishedJobs()).toStrictEqual([batch])
      expect(await open().getCheckpoint(ann, 'batch:ba_1')).toStrictEqual({ recordings })
      await store.deleteJob(ann, 'ba_1')
      await store.deleteCheckpoints(ann, 'ba_1')
      expect(await store.getCheckpoint(ann, 'batch:ba_1')).toBeUndefined()
    })

    it('the owners of a job are found by its id', async () => {
      const store = open()
      expect(await store.ownersOf('j')).toEqual([])
      for (const owner of ['ben', 'ann']) await store.addJob(job({ owner }))
      await store.addJob(job({ id: 'jj' }))
      expect((await open().ownersOf('j')).sort()).toEqual(['ann', 'ben'])
      await store.deleteJob('ann', 'j')
      expect(await store.ownersOf('j')).toEqual(['ben'])
    })

    it('adding a job with an existing id returns the existing job', async () => {
      const store = open()
      const first = job({ request: { audio: '/talks/a.mp3', title: 'First' } })
      await store.addJob(first)
      expect(await store.addJob(job({ state: 'running', revision: 7 }))).toStrictEqual(first)
      expect(await store.getJob(ann, 'j')).toStrictEqual(first)
    })

    it('a job that two stores add at once exists once', async () => {
      const stores = [open(), open()]
      const workers = Array.from({ length: 10 }, (_, i) => `w${i}`)
      const added = await Promise.all(
        workers.map((worker, i) => stores[i % 2]!.addJob(job({ lease: { worker, until: 1 } }))),
      )
      expect(new Set(added.map(({ lease }) => lease?.worker)).size).toBe(1)
      expect(await stores[0]!.getJob(ann, 'j')).toStrictEqual(added[0])
    })

    it('a job is replaced by its next revision', async () => {
      const store = open()
      await store.addJob(job())
      const next = job({ state: 'running', revision: 2 })
      expect(await store.replaceJob(next)).toBe(true)
      expect(await store.getJob(ann, 'j')).toStrictEqual(next)
    })

    it.each([1, 2, 4])('revision 2 of a job is not replaced by revision %i', async revision => {
      const store = open()
      await store.addJob(job())
      const second = job({ state: 'running', revision: 2 })
      await store.replaceJob(second)
      expect(await store.replaceJob(job({ state: 'cancelled', revision }))).toBe(false)
      expect(await store.getJob(ann, 'j')).toStrictEqual(second)
    })

    it('only one of several concurrent replacements of a job succeeds', async () => {
      const stores = [open(), open()]
      await stores[0]!.addJob(job())
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          stores[i % 2]!.replaceJob(job({ revision: 2, lease: { worker: `w${i}`, until: 1 } })),
        ),
      )
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      const { lease } = (await stores[0]!.getJob(ann, 'j'))!
      expect(lease?.worker).toBe(`w${outcomes.indexOf(true)}`)
    })

    it('a missing job is not replaced', async () => {
      const store = open()
      expect(await store.replaceJob(job({ revision: 2 }))).toBe(false)
      expect(await store.getJob(ann, 'j')).toBeUndefined()
    })

    it('unfinished jobs are the queued and running ones of all owners, oldest first', async () => {
      const store = open()
      const states = ['partial', 'queued', 'completed', 'running', 'failed', 'queued', 'cancelled'] as const
      for (const [i, state] of states.entries())
        await store.addJob(
          job({ id: `j${i}`, owner: `o${i}`, state, createdAt: `2026-03-0${9 - i}T10:00:00.000Z` }),
        )
      expect((await store.unfinishedJobs()).map(({ id }) => id)).toEqual(['j5', 'j3', 'j1'])
      await store.replaceJob(job({ id: 'j3', owner: 'o3', state: 'completed', revision: 2 }))
      expect((await store.unfinishedJobs()).map(({ id }) => id)).toEqual(['j5', 'j1'])
    })

    it('an empty store has no unfinished jobs', async () => {
      expect(await open().unfinishedJobs()).toEqual([])
    })

    it('a job belongs to one owner', async () => {
      const store = open()
      await store.addJob(job())
      expect(await store.getJob('bob', 'j')).toBeUndefined()
      expect(await store.replaceJob(job({ owner: 'bob', revision: 2 }))).toBe(false)
      await store.deleteJob('bob', 'j')
      const his = job({ owner: 'bob', state: 'failed' })
      expect(await store.addJob(his)).toStrictEqual(his)
      expect(await store.getJob(ann, 'j')).toStrictEqual(job())
    })

    it('a deleted job can be added again', async () => {
      const store = open()
      await store.addJob(job({ state: 'failed' }))
      await store.deleteJob(ann, 'j')
      await store.deleteJob(ann, 'j')
      expect(await store.getJob(ann, 'j')).toBeUndefined()
      expect(await store.addJob(job())).toStrictEqual(job())
    })
  })

  describe('checkpoints', () => {
    it.each([
      ['an object', { text: '你好', words: [{ start: 0.125 }], language: null }],
      ['a list', [1, 'two', [3]]],
      ['an empty text', ''],
      ['zero', 0],
      ['false', false],
      ['null', null],
      ['a large text', largeText],
    ])('a checkpoint stores %s', async (_, value) => {
      await open().putCheckpoint(ann, 'k', value, 'j')
      expect(await open().getCheckpoint(ann, 'k')).toStrictEqual(value)
    })

    it('an unknown checkpoint reads as undefined', async () => {
      expect(await open().getCheckpoint(ann, 'k')).toBeUndefined()
    })

    it('a later checkpoint replaces an earlier one and its job', async () => {
      const store = open()
      await store.putCheckpoint(ann, 'k', 'first', 'j1')
      await store.putCheckpoint(ann, 'k', 'second', 'j2')
      expect(await store.getCheckpoint(ann, 'k')).toBe('second')
      await store.deleteCheckpoints(ann, 'j1')
      expect(await store.getCheckpoint(ann, 'k')).toBe('second')
      await store.deleteCheckpoints(ann, 'j2')
      expect(await store.getCheckpoint(ann, 'k')).toBeUndefined()
    })

    it('checkpoints are deleted by job and owner', async () => {
      const store = open()
      await store.putCheckpoint(ann, 'k1', 1, 'j1')
      await store.putCheckpoint(ann, 'k2', 2, 'j1')
      await store.putCheckpoint(ann, 'k3', 3, 'j2')
      await store.putCheckpoint('bob', 'k1', 'his', 'j1')
      await store.deleteCheckpoints(ann, 'j1')
      const left = ['k1', 'k2', 'k3'].map(key => store.getCheckpoint(ann, key))
      expect(await Promise.all(left)).toEqual([undefined, undefined, 3])
      expect(await store.getCheckpoint('bob', 'k1')).toBe('his')
    })

    it('a checkpoint belongs to one owner', async () => {
      const store = open()
      await store.putCheckpoint(ann, 'k', 'hers', 'j')
      expect(await store.getCheckpoint('bob', 'k')).toBeUndefined()
      await store.putCheckpoint('bob', 'k', 'his', 'j')
      expect(await store.getCheckpoint(ann, 'k')).toBe('hers')
    })
  })
}
