// A data folder written by version 0.1.0: its transcripts, search index, checkpoints and jobs stay usable.
// It was made at /tmp/recordings: a formatted voice note, a dialogue with a named speaker, and a killed job.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { localOwner } from '../../src/domain/job.ts'
import type { Store } from '../../src/domain/ports.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import {
  fixture,
  root,
  type System,
  startSystem,
  type TempFolder,
  tempFolder,
  truth,
} from '../support/e2e/system.ts'

const voiceNote = 'tr_3xpnvgv5qx6e1gyx'
const dialogue = 'tr_y248zk4f1ryp9jhq'
const killedJob = 'tr_rfq4f8q80n1g6whe'

let temp: TempFolder
let folder: string

beforeEach(async () => {
  temp = await tempFolder()
  folder = join(temp.path, 'data')
  cpSync(join(root, 'test', 'support', 'data-folder-0.1.0'), folder, { recursive: true })
})
afterEach(() => temp.remove())

describe('the store on a data folder of version 0.1.0', () => {
  let store: Store
  beforeEach(() => {
    store = sqliteStore({ folder })
  })
  afterEach(() => store.close())

  it('lists the transcripts of version 0.1.0', async () => {
    const { transcripts } = await store.listTranscripts(localOwner, { limit: 9 })
    expect(transcripts.map(({ id, status }) => [id, status])).toEqual([
      [killedJob, 'running'],
      [dialogue, 'completed'],
      [voiceNote, 'completed'],
    ])
  })

  it('reads a transcript of version 0.1.0 with its named speaker', async () => {
    const { segments, speakers } = (await store.getTranscript(localOwner, dialogue))!
    expect(segments.length).toBeGreaterThan(5)
    expect(speakers).toMatchObject([{ id: 'S1', name: 'Ada' }, { id: 'S2' }])
  })

  it.each([
    ['a word', 'pharmacy', [voiceNote]],
    ['a prefix', 'pharm', [voiceNote]],
    ['the name of a speaker', 'ada', [dialogue]],
  ])('finds a transcript of version 0.1.0 by %s', async (_, query, expected) => {
    const { transcripts } = await store.searchTranscripts(localOwner, query, { limit: 9 })
    expect(transcripts.map(({ id }) => id)).toEqual(expected)
  })

  it('reads the checkpoints of version 0.1.0', async () => {
    const chunk = 'chunk:7e7b789232434f8781f430e1cb153b2ccb969d3db0485c0f216130b385bba6ea'
    expect(await store.getCheckpoint(localOwner, chunk)).toMatchObject({
      text: expect.stringContaining('pharmacy'),
    })
    expect(await store.getCheckpoint(localOwner, `upload:${dialogue}`)).toBeDefined()
    expect(await store.getCheckpoint(localOwner, `formatted:${voiceNote}`)).toBeDefined()
  })

  it('finds the jobs of version 0.1.0, finished and unfinished', async () => {
    expect(await store.getJob(localOwner, voiceNote)).toMatchObject({ state: 'completed' })
    expect(await store.unfinishedJobs()).toMatchObject([
      { id: killedJob, state: 'running', request: { audio: '/tmp/recordings/interview.mp3' } },
    ])
  })
})

describe('a server on a data folder of version 0.1.0', () => {
  let system: System
  beforeEach(async () => {
    system = await startSystem({ env: { SPEECH_DATA_DIR: folder } })
  })
  afterEach(() => system.close())

  it('answers for a recording that version 0.1.0 has transcribed without a request', async () => {
    const { data } = await system.call('transcribe_audio', { audio: fixture('voice-note.ogg') })
    expect(data).toMatchObject({ status: 'completed', transcript_id: voiceNote, usage: { cost_usd: 0 } })
    expect(cloudRequests()).toBe(0)
  })

  it('shows the formatted text that version 0.1.0 has made', async () => {
    const { data } = await system.call('get_transcript', { transcript_id: voiceNote })
    expect(data).toMatchObject({ formatted: { style: 'faithful', models: ['qwen-flash'] } })
  })

  it('continues a job that version 0.1.0 has not finished, and sends nothing twice', async () => {
    const { duration } = truth('interview')
    const order = { audio: fixture('interview.mp3'), wait_seconds: 50 }
    const { data } = await system.call('transcribe_audio', order)
    expect(data).toMatchObject({ status: 'completed', transcript_id: killedJob })
    const sentSeconds = system.dashscope.requests.reduce((sum, { seconds }) => sum + seconds, 0)
    expect(sentSeconds).toBeGreaterThan(0)
    // Checkpoints of then are of other chunks.
    expect(sentSeconds).toBeLessThan(duration + 1)
  })

  const cloudRequests = () => {
    const { dashscope: cloud } = system
    return cloud.requests.length + cloud.textRequests.length
  }
})
