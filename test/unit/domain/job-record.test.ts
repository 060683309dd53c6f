// Record of a job: the stored JSON keeps its names, so that data folders of earlier versions open.
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import { fromRecord, toRecord } from '../../../src/domain/job-record.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { type TempFolder, tempFolder } from '../../support/e2e/system.ts'

/** As commit 2544202 has written it. */
const stored = `{"id":"tr_1","owner":"local","tool":"transcribe_audio","order":{"audio":"/talks/a.mp3",
"language":"de","title":"Talk"},"models":["qwen3-asr-flash"],"state":"queued","revision":4,"brief":true,
"createdAt":"2026-11-01T10:00:00.000Z","updatedAt":"2026-11-01T10:00:05.000Z","content":"hash",
"laying":"speech-mcp/a/b/tr_1","sent":2,"tries":{"count":3},
"lease":{"worker":"m/1/2/x","until":1700000000000,"time":15000},"progress":{"done":0,"message":"Starting"}}`

const job: Job = {
  id: 'tr_1',
  owner: 'local',
  tool: 'transcribe_audio',
  request: { audio: '/talks/a.mp3', language: 'de', title: 'Talk' },
  models: ['qwen3-asr-flash'],
  state: 'queued',
  revision: 4,
  short: true,
  createdAt: '2026-11-01T10:00:00.000Z',
  updatedAt: '2026-11-01T10:00:05.000Z',
  content: 'hash',
  uploadKey: 'speech-mcp/a/b/tr_1',
  redeliveries: 2,
  attempts: { count: 3 },
  lease: { worker: 'm/1/2/x', until: 1_700_000_000_000, time: 15_000 },
  progress: { done: 0, message: 'Starting' },
}

describe('the record of a job', () => {
  it('a record of an earlier version is read with the names of today', () => {
    expect(fromRecord(JSON.parse(stored))).toStrictEqual(job)
  })

  it('a job is written with the names that earlier versions read', () => {
    expect(JSON.parse(JSON.stringify(toRecord(job)))).toStrictEqual(JSON.parse(stored))
  })
})

describe('a data folder of an earlier version', () => {
  let folder: TempFolder
  let store: ReturnType<typeof sqliteStore>
  beforeEach(async () => {
    folder = await tempFolder()
    store = sqliteStore({ folder: folder.path })
  })
  afterEach(async () => {
    await store.close()
    await folder.remove()
  })

  it('opens, and its jobs are found and can be written', async () => {
    await store.addJob({ ...job, request: { audio: 'other' }, short: false })
    const database = new Database(join(folder.path, 'speech.db'))
    database.prepare('UPDATE jobs SET body = ? WHERE id = ?').run(stored, 'tr_1')
    expect(await store.getJob('local', 'tr_1')).toStrictEqual(job)
    expect(await store.unfinishedJobs()).toStrictEqual([job])

    await store.replaceJob({ ...job, state: 'running', revision: 5 })
    const { body } = database.prepare('SELECT body FROM jobs WHERE id = ?').get('tr_1') as { body: string }
    expect(JSON.parse(String(body))).toStrictEqual({ ...JSON.parse(stored), state: 'running', revision: 5 })
    database.close()
  })
})
