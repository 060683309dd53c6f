// Several machines on one store, one queue and one bucket: what is ordered at one is carried out at another.
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLatch, me } from '../../support/jobs/harness.ts'
import { bucketOf, startTeam, type Team } from '../../support/jobs/shared-harness.ts'

let team: Team
beforeEach(async () => {
  team = await startTeam()
})
afterEach(() => team.close())

const patient = { timeout: 30_000, interval: 20 }

/** Nothing is left where the machines meet. */
async function allGone(): Promise<void> {
  await vi.waitFor(() => expect(team.bucket()).toEqual([]), patient)
  await vi.waitFor(() => expect(team.mns.messages()).toEqual([]), patient)
}

describe('a recording ordered at one machine', () => {
  it('is heard at another that does not see the file, and read at a third', async () => {
    const [front, other, worker] = await Promise.all([team.front(), team.front(), team.worker()])
    const { job } = await front.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.asked).toHaveLength(team.site.chunks)
    expect(front.asked).toHaveLength(0)
    const transcript = await other.jobs.read(me, job.id)
    expect(transcript).toMatchObject({ status: 'completed', title: 'talk' })
    await allGone()
  })

  it('waits where there is no worker yet, and says so', async () => {
    const front = await team.front()
    const { job } = await front.submit()
    const told: string[] = []
    const { signal } = new AbortController()
    const watched = front.jobs.watch(job.id, {
      owner: me,
      signal,
      onProgress: ({ message }) => told.push(message),
    })
    await vi.waitFor(() => expect(told).toContain('Waiting for a worker'), patient)
    await team.worker()
    expect((await watched).state).toBe('completed')
  })

  it('is one job for whoever orders the same at another machine', async () => {
    const { open, opened } = createLatch()
    const worker = await team.worker({ hear: () => opened })
    const [front, other] = await Promise.all([team.front(), team.front()])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.asked.length).toBeGreaterThan(0), patient)
    const second = await other.submit()
    expect(second.job.id).toBe(job.id)
    open()
    const outcomes = await Promise.all([front.over(job.id), other.over(job.id)])
    expect(outcomes.map(({ state }) => state)).toEqual(['completed', 'completed'])
    expect(worker.asked).toHaveLength(team.site.chunks)
    await allGone()
  })

  it('is stopped by whoever has ordered it, wherever it is heard', async () => {
    const [front, worker] = await Promise.all([
      team.front(),
      team.worker({ hear: () => new Promise(() => {}) }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.asked.length).toBeGreaterThan(0), patient)
    const caller = new AbortController()
    const watched = front.jobs.watch(job.id, { owner: me, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(watched).rejects.toThrow('The caller went.')
    await vi.waitFor(
      async () => expect((await front.store.getJob(me, job.id))?.state).toBe('cancelled'),
      patient,
    )
    await allGone()
  })

  it('goes on for others when somebody goes who has only joined them', async () => {
    const { open, opened } = createLatch()
    const worker = await team.worker({ hear: () => opened })
    const [front, other] = await Promise.all([team.front(), team.front()])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.asked.length).toBeGreaterThan(0), patient)
    await other.submit()
    const caller = new AbortController()
    const joined = other.jobs.watch(job.id, { owner: me, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(joined).rejects.toThrow('The caller went.')
    open()
    expect((await front.over(job.id)).state).toBe('completed')
  })

  it('is done again where it failed before, and is sent again for that', async () => {
    let isBroken = true
    const [front] = await Promise.all([
      team.front(),
      team.worker({ hear: async () => isBroken && Promise.reject(new Error('Broken.')) }),
    ])
    const first = await front.transcribe()
    expect(first.job.state).toBe('failed')
    await allGone()
    isBroken = false
    const second = await front.transcribe()
    expect(second.job).toMatchObject({ id: first.job.id, state: 'completed' })
    await allGone()
  })
})

describe('a recording on its way to the workers', () => {
  it('leaves nothing when its order is cancelled', async () => {
    const [front] = await Promise.all([team.front(), team.worker()])
    const off = team.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), patient)
    const cancelling = front.jobs.cancel(me, job.id)
    await vi.waitFor(
      async () => expect((await front.store.getJob(me, job.id))?.state).toBe('cancelled'),
      patient,
    )
    off()
    expect((await cancelling).state).toBe('cancelled')
    await allGone()
  })

  it('goes on when its server is started again', async () => {
    const [front, worker] = await Promise.all([team.front({ name: 'm/1//a' }), team.worker()])
    const off = team.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), patient)
    off()
    await front.close()
    const again = await team.front({ name: 'm/1//b' })
    again.jobs.startRecovery()
    expect((await again.over(job.id)).state).toBe('completed')
    expect(worker.asked).toHaveLength(team.site.chunks)
    await allGone()
  })

  it('whose server is gone is left to those who have the file, however many wait for it', async () => {
    const [front, blind] = await Promise.all([team.front(), team.front({ allowedDirs: [] })])
    team.oss.fault({ kind: 'hang', times: 1, when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), patient)
    await front.close()
    const waiting = blind.over(job.id)
    await vi.waitFor(
      async () => expect((await blind.store.getJob(me, job.id))?.lease).toBeUndefined(),
      patient,
    )
    const looks = team.tables.calls.length
    await vi.waitFor(() => expect(team.tables.calls.length).toBeGreaterThan(looks + 10), patient)
    expect((await blind.store.getJob(me, job.id))?.state).toBe('queued')

    // Whoever orders it now has it at another place.
    const file = join(team.site.folder, 'the same.wav')
    await copyFile(team.site.recording, file)
    await rm(team.site.recording)
    const [other] = await Promise.all([team.front(), team.worker()])
    expect((await other.submit({ audio: file })).job.id).toBe(job.id)
    expect((await waiting).state).toBe('completed')
  })

  it('that the bucket does not take fails, and says why', async () => {
    const front = await team.front()
    team.oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    const { job } = await front.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'BUCKET_REFUSED' } })
  })

  it('is given up where no worker can be told of it, and taken back', async () => {
    const front = await team.front()
    team.mns.set({ forbidden: ['SendMessage'] })
    const { job } = await front.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'QUEUE_REFUSED' } })
    await allGone()
  })

  it('is lost where somebody has emptied the bucket, and that is said', async () => {
    const front = await team.front()
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.mns.messages()).toHaveLength(1), patient)
    const { recording } = (await front.store.getJob(me, job.id))!
    await bucketOf(team.oss).delete(
      { way: 'bucket', keys: { any: recording! } },
      new AbortController().signal,
    )
    await team.worker()
    expect(await front.over(job.id)).toMatchObject({ state: 'failed', error: { code: 'RECORDING_LOST' } })
  })
})

describe('a worker', () => {
  it('that stops gives its job back, and another one asks for nothing that was heard', async () => {
    const { opened } = createLatch()
    const [front, first] = await Promise.all([
      team.front(),
      team.worker({ hear: n => (n === 0 ? Promise.resolve() : opened) }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(first.asked).toHaveLength(team.site.chunks), patient)
    await vi.waitFor(async () => {
      const { coverage } = await front.jobs.read(me, job.id)
      expect(coverage.transcribedSeconds).toBeGreaterThan(0)
    }, patient)
    await first.close()
    const heir = await team.worker()
    expect((await front.over(job.id)).state).toBe('completed')
    expect(heir.asked).toHaveLength(team.site.chunks - 1)
    await allGone()
  })

  it('lets another one go on that has begun, when the message comes twice', async () => {
    const { open, opened } = createLatch()
    team.mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'lose' } })
    const [front, ...workers] = await Promise.all([
      team.front(),
      team.worker({ hear: () => opened }),
      team.worker({ hear: () => opened }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(
      () => expect(team.mns.messages().every(({ dequeued }) => dequeued > 0)).toBe(true),
      patient,
    )
    await vi.waitFor(
      () => expect(workers.flatMap(({ asked }) => asked)).toHaveLength(team.site.chunks),
      patient,
    )
    open()
    expect((await front.over(job.id)).state).toBe('completed')
    expect(workers.flatMap(({ asked }) => asked)).toHaveLength(team.site.chunks)
  })

  it('keeps what it has heard until the store takes it, and asks for nothing again', async () => {
    const [front, worker] = await Promise.all([team.front(), team.worker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = team.tables.fault({ ...refused, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.asked).toHaveLength(team.site.chunks), patient)
    const tries = () => team.tables.calls.filter(({ table }) => table === refused.table).length
    const before = tries()
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(before + 10), patient)
    expect((await front.store.getJob(me, job.id))?.state).toBe('running')
    off()
    expect((await front.over(job.id)).state).toBe('completed')
    expect(worker.asked).toHaveLength(team.site.chunks)
    await allGone()
  })

  it('that stops while the store takes nothing leaves the job to another one', async () => {
    const [front, worker] = await Promise.all([team.front(), team.worker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = team.tables.fault({ ...refused, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.asked).toHaveLength(team.site.chunks), patient)
    await worker.close()
    expect(await front.store.getJob(me, job.id)).toMatchObject({ state: 'queued' })
    off()
    const heir = await team.worker()
    expect((await front.over(job.id)).state).toBe('completed')
    expect(heir.asked).toEqual([])
  })
})

describe('services that fail now and then', () => {
  it('cost time and nothing else', async () => {
    team.tables.fault({ probability: 0.15, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    team.tables.fault({ probability: 0.1, how: { kind: 'lose' } })
    team.mns.fault({ probability: 0.2, how: { kind: 'html' } })
    team.mns.fault({ operation: /Send|Delete|Change/, probability: 0.2, how: { kind: 'lose' } })
    team.oss.fault({ kind: 'dropAfter', every: 4 })
    const [front, worker] = await Promise.all([team.front(), team.worker()])
    const { job } = await front.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.asked).toHaveLength(team.site.chunks)
    const transcript = await front.jobs.read(me, job.id)
    expect(transcript.coverage.gaps).toEqual([])
    await vi.waitFor(() => expect(team.bucket()).toEqual([]), patient)
  })
})
