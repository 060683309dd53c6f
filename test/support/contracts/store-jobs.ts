// What every driver of the `Store` port must do with jobs and checkpoints; part of its contract.
import { describe, expect, it } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import type { Store } from '../../../src/domain/ports.ts'

const me = 'ann'

function job(facts: Partial<Job> = {}): Job {
  const createdAt = facts.createdAt ?? '2026-03-01T10:00:00.000Z'
  const request = { audio: '/talks/a.mp3' }
  return {
    id: 'j',
    owner: me,
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

/** The largest text of one value: a small recording as a `data:` URI, and a chunk with all its words. */
const largest = 'x'.repeat(1_500_000)

export function jobsContract(open: () => Store): void {
  describe('jobs', () => {
    it('are got back as they were added', async () => {
      const store = open()
      const given = job({
        request: { audio: `data:audio/mpeg;base64,${largest}`, language: 'zh', title: '你好' },
        content: 'hash',
        names: [{ name: '陈', id: 'S1', voice: 'v:0', turns: [{ start: 0, end: 1 }], seconds: 1, until: 2 }],
        lease: { worker: 'w', until: 1_700_000_000_000 },
        progress: { done: 1, total: 2, message: 'Listening' },
        error: { code: 'THROTTLED', message: 'Too fast.', hint: 'Wait.' },
      })
      expect(await store.addJob(given)).toStrictEqual(given)
      expect(await open().getJob(me, 'j')).toStrictEqual(given)
      expect(await store.getJob(me, 'nobody')).toBeUndefined()
    })

    it('are found by their id alone, whoever owns them', async () => {
      const store = open()
      expect(await store.ownersOf('j')).toEqual([])
      for (const owner of ['ben', 'ann']) await store.addJob(job({ owner }))
      await store.addJob(job({ id: 'jj' }))
      expect((await open().ownersOf('j')).sort()).toEqual(['ann', 'ben'])
      await store.deleteJob('ann', 'j')
      expect(await store.ownersOf('j')).toEqual(['ben'])
    })

    it('that are there already stay, and are what adding gives', async () => {
      const store = open()
      const first = job({ request: { audio: '/talks/a.mp3', title: 'First' } })
      await store.addJob(first)
      expect(await store.addJob(job({ state: 'running', revision: 7 }))).toStrictEqual(first)
      expect(await store.getJob(me, 'j')).toStrictEqual(first)
    })

    it('that two stores add at once are one', async () => {
      const stores = [open(), open()]
      const workers = Array.from({ length: 10 }, (_, i) => `w${i}`)
      const added = await Promise.all(
        workers.map((worker, i) => stores[i % 2]!.addJob(job({ lease: { worker, until: 1 } }))),
      )
      expect(new Set(added.map(({ lease }) => lease?.worker)).size).toBe(1)
      expect(await stores[0]!.getJob(me, 'j')).toStrictEqual(added[0])
    })

    it('are replaced by the revision that follows the one that is there', async () => {
      const store = open()
      await store.addJob(job())
      const next = job({ state: 'running', revision: 2 })
      expect(await store.replaceJob(next)).toBe(true)
      expect(await store.getJob(me, 'j')).toStrictEqual(next)
    })

    it.each([1, 2, 4])('stay when the revision that would replace the second is %i', async revision => {
      const store = open()
      await store.addJob(job())
      const second = job({ state: 'running', revision: 2 })
      await store.replaceJob(second)
      expect(await store.replaceJob(job({ state: 'cancelled', revision }))).toBe(false)
      expect(await store.getJob(me, 'j')).toStrictEqual(second)
    })

    it('are replaced by one of several that have read the same revision', async () => {
      const stores = [open(), open()]
      await stores[0]!.addJob(job())
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          stores[i % 2]!.replaceJob(job({ revision: 2, lease: { worker: `w${i}`, until: 1 } })),
        ),
      )
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      const { lease } = (await stores[0]!.getJob(me, 'j'))!
      expect(lease?.worker).toBe(`w${outcomes.indexOf(true)}`)
    })

    it('that nobody added are not replaced', async () => {
      const store = open()
      expect(await store.replaceJob(job({ revision: 2 }))).toBe(false)
      expect(await store.getJob(me, 'j')).toBeUndefined()
    })

    it('that are unfinished are those queued and running, of all owners, oldest first', async () => {
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

    it('that are unfinished are none where there is no job', async () => {
      expect(await open().unfinishedJobs()).toEqual([])
    })

    it('belong to one owner', async () => {
      const store = open()
      await store.addJob(job())
      expect(await store.getJob('bob', 'j')).toBeUndefined()
      expect(await store.replaceJob(job({ owner: 'bob', revision: 2 }))).toBe(false)
      await store.deleteJob('bob', 'j')
      const his = job({ owner: 'bob', state: 'failed' })
      expect(await store.addJob(his)).toStrictEqual(his)
      expect(await store.getJob(me, 'j')).toStrictEqual(job())
    })

    it('that are deleted are gone and may be added again', async () => {
      const store = open()
      await store.addJob(job({ state: 'failed' }))
      await store.deleteJob(me, 'j')
      await store.deleteJob(me, 'j')
      expect(await store.getJob(me, 'j')).toBeUndefined()
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
      ['a large text', largest],
    ])('give back %s', async (_, value) => {
      await open().putCheckpoint(me, 'k', value, 'j')
      expect(await open().getCheckpoint(me, 'k')).toStrictEqual(value)
    })

    it('that nobody put are undefined', async () => {
      expect(await open().getCheckpoint(me, 'k')).toBeUndefined()
    })

    it('take the place of earlier ones, also for the job that found them', async () => {
      const store = open()
      await store.putCheckpoint(me, 'k', 'first', 'j1')
      await store.putCheckpoint(me, 'k', 'second', 'j2')
      expect(await store.getCheckpoint(me, 'k')).toBe('second')
      await store.deleteCheckpoints(me, 'j1')
      expect(await store.getCheckpoint(me, 'k')).toBe('second')
      await store.deleteCheckpoints(me, 'j2')
      expect(await store.getCheckpoint(me, 'k')).toBeUndefined()
    })

    it('are forgotten by job and owner', async () => {
      const store = open()
      await store.putCheckpoint(me, 'k1', 1, 'j1')
      await store.putCheckpoint(me, 'k2', 2, 'j1')
      await store.putCheckpoint(me, 'k3', 3, 'j2')
      await store.putCheckpoint('bob', 'k1', 'his', 'j1')
      await store.deleteCheckpoints(me, 'j1')
      const left = ['k1', 'k2', 'k3'].map(key => store.getCheckpoint(me, key))
      expect(await Promise.all(left)).toEqual([undefined, undefined, 3])
      expect(await store.getCheckpoint('bob', 'k1')).toBe('his')
    })

    it('belong to one owner', async () => {
      const store = open()
      await store.putCheckpoint(me, 'k', 'hers', 'j')
      expect(await store.getCheckpoint('bob', 'k')).toBeUndefined()
      await store.putCheckpoint('bob', 'k', 'his', 'j')
      expect(await store.getCheckpoint(me, 'k')).toBe('hers')
    })
  })
}
