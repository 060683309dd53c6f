// How jobs end, and what is left of them: cancelled, ordered again at once, deserted, removed, changed under their hands.
import { createHash } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import type { Downloader, ObjectStorage, StoredUpload } from '../../../../src/domain/ports.ts'
import { uploadCheckpointKey } from '../../../../src/pipeline/file-tasks/upload.ts'
import {
  createLatch,
  type House,
  me,
  type Site,
  spokenWav,
  startSite,
} from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }
const nobody = { brief: 0, long: 0, remote: 0 }
const day = 24 * 3600 * 1000

/** A job whose worker has died, with what it had written by then. */
async function deserted(house: House, facts: Partial<Job> = {}) {
  const { job } = await house.submit()
  const lease = { worker: 'dead', until: 1 }
  await house.store.replaceJob({ ...job, state: 'running', lease, ...facts, revision: job.revision + 1 })
  await house.store.putTranscript(me, transcript({ id: job.id, status: 'running' }))
  return job.id
}

async function listed({ jobs }: House, id: string) {
  const { transcripts } = await jobs.list(me, { limit: 10 })
  return transcripts.find(one => one.id === id)?.status
}

/** A bucket that remembers what was taken away. */
function bucket(more: Partial<ObjectStorage> = {}) {
  const removed: unknown[] = []
  const blobs: Partial<ObjectStorage> = {
    way: 'bucket',
    delete: async upload => void removed.push(upload),
    ...more,
  }
  return { blobs, removed }
}

const upload = { way: 'bucket' as const, keys: { who: 'a.mp3', what: 'a.mp3' } }
const kept = { upload, duration: 5, speech: [], warnings: [] }

describe('an order that is placed while its job is being cancelled', () => {
  it('starts anew, whatever is still unwinding', async () => {
    const { open, opened } = createLatch()
    const house = await site.open({ hear: () => opened })
    const first = await house.submit()
    for (let i = 0; i < 5; i++) {
      await vi.waitFor(() => expect(house.jobs.read(me, first.job.id)).resolves.toBeDefined(), patient)
      const cancelling = house.jobs.cancel(me, first.job.id)
      const again = house.submit()
      await cancelling
      expect((await again).job.id).toBe(first.job.id)
    }
    open()
    expect((await house.over(first.job.id)).state).toBe('completed')
  })

  it('elsewhere is not told of an end that is not its own', async () => {
    const { open: write, opened: mayWrite } = createLatch()
    const { open: unwind, opened: unwinding } = createLatch()
    const house = await site.open({
      hear: n => (n < 2 ? Promise.resolve() : n < site.chunks ? new Promise(() => {}) : Promise.resolve()),
      store: store => ({
        ...store,
        async putTranscript(owner, made) {
          if (made.status === 'cancelled') {
            unwind()
            await mayWrite
          }
          return store.putTranscript(owner, made)
        },
      }),
    })
    const { job } = await house.submit()
    await vi.waitFor(async () => {
      expect((await house.jobs.read(me, job.id)).coverage.transcribedSeconds).toBeGreaterThan(0)
    }, patient)
    const other = await site.open({ rooms: nobody })
    await other.jobs.cancel(me, job.id)
    await unwinding
    await house.submit()
    const over = house.over(job.id)
    write()
    expect((await over).state).toBe('completed')
  })

  it('by a caller who goes is not cancelled with that one', async () => {
    const { open, opened } = createLatch()
    const house = await site.open({ hear: () => opened })
    const { job } = await house.submit()
    const leaving = new AbortController()
    const left = house.jobs.watch(job.id, { owner: me, signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
    await house.submit()
    leaving.abort()
    await expect(left).rejects.toThrow()
    const waiting = house.over(job.id)
    open()
    expect((await waiting).state).toBe('completed')
    expect(house.asked).toHaveLength(site.chunks)
  })
})

describe('a job whose id somebody had', () => {
  it('is one that nobody knows again when it is over: the next caller who goes stops it', async () => {
    const { open: refuse, opened: refused } = createLatch()
    const house = await site.open({
      async hear(n) {
        await (n < site.chunks ? refused : new Promise(() => {}))
        throw new SpeechError('KEY_REFUSED', 'No.', { hint: 'Ask.', scope: 'account' })
      },
    })
    const { job } = await house.submit()
    await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
    // Somebody has the beginning, and may come back for the rest.
    const { signal } = new AbortController()
    expect((await house.jobs.watch(job.id, { owner: me, signal, seconds: 0 })).state).toBe('running')
    refuse()
    await vi.waitFor(async () => expect((await house.stored(job.id)).job?.state).toBe('failed'), patient)
    const leaving = new AbortController()
    await house.submit()
    const left = house.jobs.watch(job.id, { owner: me, signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(house.asked.length).toBeGreaterThan(site.chunks), patient)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect((await house.stored(job.id)).job?.state).toBe('cancelled')
  })
})

describe('cancelling', () => {
  it('a recording that came as text forgets the text', async () => {
    const house = await site.open({ rooms: nobody })
    const audio = `data:audio/wav;base64,${spokenWav(0).toString('base64')}`
    const { job } = await house.submit({ audio })
    await house.jobs.cancel(me, job.id)
    expect((await house.stored(job.id)).job).toMatchObject({ state: 'cancelled', order: { audio: 'data:' } })
    expect((await house.submit({ audio })).job).toMatchObject({ id: job.id, order: { audio } })
  })

  it('a job whose worker has died takes it out of the lists of what runs, and its recording out of the bucket', async () => {
    const { blobs, removed } = bucket()
    const house = await site.open({ rooms: nobody, blobs })
    const id = await deserted(house)
    await house.store.putCheckpoint(me, uploadCheckpointKey(id), kept, id)
    expect(await listed(house, id)).toBe('running')
    expect(await house.jobs.cancel(me, id)).toMatchObject({ state: 'cancelled' })
    expect(await listed(house, id)).toBe('cancelled')
    expect(removed).toEqual([upload])
    expect(await house.store.getCheckpoint(me, uploadCheckpointKey(id))).not.toHaveProperty('upload')
  })

  it('a transcript that has no job says that it is over', async () => {
    const house = await site.open()
    await house.store.putTranscript(me, transcript({ id: 'tr_old' }))
    expect(await house.jobs.cancel(me, 'tr_old')).toMatchObject({ id: 'tr_old', state: 'completed' })
    await expect(house.jobs.cancel(me, 'tr_none')).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    await expect(house.jobs.cancel('bob', 'tr_old')).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('a job that nobody came back for', () => {
  it('is over after a week, and ordered again goes on', async () => {
    const house = await site.open()
    const id = await deserted(await site.open({ rooms: nobody }), {
      updatedAt: new Date(Date.now() - 8 * day).toISOString(),
    })
    house.jobs.startRecovery()
    await vi.waitFor(async () => expect(await listed(house, id)).toBe('cancelled'), patient)
    expect((await house.stored(id)).job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect((await house.transcribe()).job.state).toBe('completed')
  })
})

describe('a recording over which every worker dies', () => {
  const forever = () => new Promise<never>(() => {})

  /** A worker takes the job over, gets as far as `done` seconds, and dies. */
  async function die(done: number): Promise<string> {
    const house = await site.open({ hear: forever })
    const { job } = await house.submit()
    const begun = await vi.waitFor(async () => {
      const { job: now } = await house.stored(job.id)
      expect(now).toMatchObject({ state: 'running', lease: { worker: house.name } })
      return now!
    }, patient)
    const progress = { done, message: 'Listening' }
    const dead = { ...begun, lease: { worker: 'dead', until: 1 }, progress, revision: begun.revision + 1 }
    expect(await house.store.replaceJob(dead)).toBe(true)
    return job.id
  }

  it('five times at the same place is given up, is said so, and goes on when it is ordered again', async () => {
    const { blobs, removed } = bucket()
    for (const done of [0, 0, 7, 3, 7, 7, 7]) await die(done)
    const house = await site.open({ blobs, hear: forever })
    const id = await die(5)
    await house.store.putTranscript(me, transcript({ id, status: 'running' }))
    await house.store.putCheckpoint(me, uploadCheckpointKey(id), kept, id)
    house.jobs.startRecovery()
    await vi.waitFor(async () => expect((await house.stored(id)).job?.state).toBe('failed'), patient)
    expect((await house.stored(id)).job).toMatchObject({ error: { code: 'POISON' } })
    await vi.waitFor(async () => expect(await listed(house, id)).toBe('failed'), patient)
    await vi.waitFor(() => expect(removed).toEqual([upload]), patient)
    expect(house.asked).toEqual([])

    const again = await site.open()
    expect((await again.transcribe()).job).toMatchObject({ id, state: 'completed' })
  })

  it('is not given up where each gets further', async () => {
    for (const done of [1, 2, 3, 4, 5, 6]) await die(done)
    expect((await (await site.open()).transcribe()).job.state).toBe('completed')
  })

  it('is not given up where they were only stopped', async () => {
    for (let stops = 0; stops < 6; stops++) {
      const house = await site.open({ hear: forever })
      const { job } = await house.submit()
      await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
      await house.close()
      await expect((await site.open({ rooms: nobody })).stored(job.id)).resolves.toMatchObject({
        job: { state: 'queued' },
      })
    }
    expect((await (await site.open()).transcribe()).job.state).toBe('completed')
  })
})

describe('removing a transcript', () => {
  it('takes its recording out of the bucket, also where the bucket fails', async () => {
    const { blobs, removed } = bucket()
    const house = await site.open({ blobs })
    const { job } = await house.transcribe()
    await house.store.putCheckpoint(me, uploadCheckpointKey(job.id), kept, job.id)
    await house.jobs.remove(me, job.id)
    expect(removed).toEqual([upload])
    expect(await house.stored(job.id)).toEqual({ job: undefined, transcript: undefined })

    const broken = await site.open({
      blobs: { way: 'bucket', delete: () => Promise.reject(new Error('gone')) },
    })
    await broken.store.putTranscript(me, transcript({ id: 'tr_x' }))
    await broken.store.putCheckpoint(me, uploadCheckpointKey('tr_x'), kept, 'tr_x')
    await broken.jobs.remove(me, 'tr_x')
    await expect(broken.jobs.read(me, 'tr_x')).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('the sweep of the bucket', () => {
  it('leaves what unfinished jobs and other machines may need, and nothing else', async () => {
    let verdicts: Promise<boolean[]> | undefined
    const wanted = createLatch()
    let lefts: StoredUpload[] = []
    const { blobs } = bucket({
      async sweep(isWanted) {
        verdicts = Promise.all(lefts.map(isWanted))
        wanted.open()
        return 0
      },
    })
    const other = await site.open()
    const { job: over } = await other.transcribe({ context: 'done' })
    const waiting = await site.open({ rooms: nobody, blobs })
    const { job: unfinished } = await waiting.submit({ context: 'not done' })
    const storedAt = Date.now()
    lefts = [
      { owner: me, job: unfinished.id, storedAt, isOwn: true },
      { owner: me, job: over.id, storedAt, isOwn: true },
      { owner: 'bob', job: unfinished.id, storedAt, isOwn: true },
      { owner: 'bob', job: unfinished.id, storedAt: storedAt - 2 * day, isOwn: true },
      { owner: me, job: over.id, storedAt, isOwn: false },
      { owner: me, job: unfinished.id, storedAt: storedAt - 2 * day, isOwn: false },
    ]
    waiting.jobs.startRecovery()
    await wanted.opened
    expect(await verdicts).toEqual([true, false, true, false, true, false])
  })

  it.each([
    ['fails', () => Promise.reject(new Error('no such bucket'))],
    ['never ends', () => new Promise<number>(() => {})],
  ])('holds nothing up when it %s', async (_, behave) => {
    const sweep = vi.fn(behave)
    const house = await site.open(bucket({ sweep }))
    house.jobs.startRecovery()
    await vi.waitFor(() => expect(sweep).toHaveBeenCalledOnce(), patient)
    expect((await house.transcribe()).job.state).toBe('completed')
  })

  it('is not asked of the provider’s own store', async () => {
    const sweep = vi.fn(async () => 0)
    const house = await site.open({ blobs: { way: 'temporary', sweep } })
    const dead = await deserted(await site.open({ rooms: nobody }))
    house.jobs.startRecovery()
    // What is left is taken over in the same look.
    await vi.waitFor(async () => expect((await house.stored(dead)).job?.state).toBe('completed'), patient)
    expect(sweep).not.toHaveBeenCalled()
  })
})

describe('an address that waits for another process', () => {
  const audio = 'https://talks.example/a.wav'

  async function ordered(tagThen: string) {
    let tag = 'one'
    const downloader: Downloader = {
      identify: async () => tag,
      async download(_, file) {
        await copyFile(site.recording, file)
        return 1
      },
    }
    const first = await site.open({ rooms: nobody, downloader })
    const { job } = await first.submit({ audio })
    await first.close()
    tag = tagThen
    const next = await site.open({ downloader })
    return { next, job: await next.over(job.id) }
  }

  it('is fetched as it was ordered', async () => {
    expect((await ordered('one')).job.state).toBe('completed')
  })

  it('is not fetched when its server has something else there by then', async () => {
    const { next, job } = await ordered('two')
    expect(job).toMatchObject({ state: 'failed', error: { code: 'RECORDING_CHANGED' } })
    expect(job.error!.hint).toContain('transcribe_audio')
    expect(next.asked).toEqual([])
  })
})

describe('the id of an order', () => {
  const audio = `data:audio/wav;base64,${spokenWav(0).toString('base64')}`
  const idOf = async (house: House, ...given: Parameters<House['submit']>) =>
    (await house.submit({ audio, ...given[0] }, given[1])).job.id

  it('is what it was before there were speakers', async () => {
    const house = await site.open({ rooms: nobody })
    const content = `bytes:${createHash('sha256').update(spokenWav(0)).digest('hex')}`
    const facts = JSON.stringify([me, 'transcribe_audio', content, 'ears', 'en', 'Anja', false])
    const bytes = createHash('sha256').update(facts).digest().subarray(0, 16)
    const letters = [...bytes].map(byte => '0123456789abcdefghjkmnpqrstvwxyz'[byte & 31]).join('')
    expect(await idOf(house, { language: 'English', context: 'Anja ' })).toBe(`tr_${letters}`)
  })

  it('depends on times only where they are measured', async () => {
    const estimating = await site.open({ rooms: nobody })
    const measuring = await site.open({ rooms: nobody, blobs: { way: 'bucket' } })
    const ids = await Promise.all([
      idOf(estimating, {}),
      idOf(estimating, { timestamps: 'segment' }),
      idOf(measuring, {}),
      idOf(measuring, { timestamps: 'segment' }),
    ])
    expect(ids.slice(1, 3)).toEqual([ids[0], ids[0]])
    expect(ids[3]).not.toBe(ids[0])
  })

  it('depends on the tool, and with speakers on how many there may be', async () => {
    const house = await site.open({ rooms: nobody })
    const ids = await Promise.all([
      idOf(house, {}),
      idOf(house, {}, 'diarize_audio'),
      idOf(house, { speakers: 2 }, 'diarize_audio'),
      idOf(house, { speakers: 3 }, 'diarize_audio'),
    ])
    expect(new Set(ids).size).toBe(4)
    expect(await idOf(house, { speakers: 2 }, 'diarize_audio')).toBe(ids[2])
  })
})
