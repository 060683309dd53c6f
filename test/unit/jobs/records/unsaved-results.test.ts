// Results and formatted texts that the store did not take: they are offered again, and never lost to a new store.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import type { Store } from '../../../../src/domain/ports.ts'
import type { Transcript } from '../../../../src/domain/transcript.ts'
import { createJobRepository } from '../../../../src/jobs/records/job-repository.ts'
import type { StoredFormat } from '../../../../src/jobs/view/formatted.ts'
import { log } from '../../../../src/log.ts'
import { transcript } from '../../../support/transcripts.ts'

const owner = 'local'
const id = 'tr_1'
const diskFull = new SpeechError('DISK_FULL', 'The disk is full.', { hint: 'Free some space.' })
const ended = { id, owner, state: 'completed', revision: 4 } as Job
const format = {
  formatted: { style: 'faithful', of: 'hash', segments: [], warnings: [] },
} as unknown as StoredFormat

let rows: { jobs: Map<string, Job>; transcripts: Map<string, Transcript>; checkpoints: Map<string, unknown> }
let losses: number
let isFull: boolean

beforeEach(() => {
  rows = { jobs: new Map(), transcripts: new Map(), checkpoints: new Map() }
  losses = 0
  isFull = false
  vi.spyOn(log, 'error').mockImplementation(() => {})
  vi.spyOn(log, 'info').mockImplementation(() => {})
})

const store = {
  async addJob(job: Job) {
    rows.jobs.set(job.id, job)
    return job
  },
  getJob: async (_: string, job: string) => rows.jobs.get(job),
  async replaceJob(job: Job) {
    rows.jobs.set(job.id, job)
    return true
  },
  putTranscript: async (_: string, one: Transcript) => void rows.transcripts.set(one.id, one),
  getTranscript: async (_: string, one: string) => rows.transcripts.get(one),
  getCheckpoint: async (_: string, key: string) => rows.checkpoints.get(key),
  async putCheckpoint(_: string, key: string, value: unknown) {
    if (isFull) throw diskFull
    rows.checkpoints.set(key, value)
  },
  losses: () => losses,
} as unknown as Store

describe('a result that the store did not take', () => {
  it('a held result is stored with its job when the store was set aside and begun anew', async () => {
    const repository = createJobRepository(store)
    repository.keepResult(ended, { transcript: transcript({ id }), error: diskFull })
    losses += 1
    await repository.flush()
    expect([...rows.jobs.keys(), ...rows.transcripts.keys()]).toEqual([id, id])
  })

  it('a held result is dropped when its job was deleted from the same store', async () => {
    const repository = createJobRepository(store)
    repository.keepResult(ended, { transcript: transcript({ id }), error: diskFull })
    await repository.flush()
    expect(rows.jobs.size + rows.transcripts.size).toBe(0)
  })

  it('a transcript that is written again keeps no warning of the copy in memory', async () => {
    const repository = createJobRepository(store)
    repository.keepResult(ended, { transcript: transcript({ id }), error: diskFull })
    const held = (await repository.getTranscript(owner, id))!
    expect(held.warnings.join()).toContain('could not be stored')
    await repository.saveTranscript(owner, { ...held, title: 'Renamed' })
    expect(rows.transcripts.get(id)).toMatchObject({ title: 'Renamed', warnings: [] })
  })
})

describe('a formatted text that the store did not take', () => {
  it('an unsaved format is read with a warning, and stored once the store works again', async () => {
    const repository = createJobRepository(store)
    isFull = true
    await repository.saveFormat(owner, id, format)
    expect((await repository.getFormat(owner, id))!.formatted.warnings).toHaveLength(1)
    isFull = false
    expect(await repository.getFormat(owner, id)).toEqual(format)
    expect([...rows.checkpoints.values()]).toEqual([format])
  })

  it('an unsaved format is stored by the next look at unfinished jobs', async () => {
    const repository = createJobRepository(store)
    isFull = true
    await repository.saveFormat(owner, id, format)
    isFull = false
    await repository.flush()
    expect(rows.checkpoints.size).toBe(1)
  })
})
