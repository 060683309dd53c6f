// Tickets and uploads by their rules: quotas, time, jobs that keep them, and a full disk.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import type { UploadStore, Uploads } from '../../../src/domain/network/uploads.ts'
import { uploadFiles } from '../../../src/drivers/uploads/files.ts'
import { createUploads } from '../../../src/drivers/uploads/uploads.ts'

const hourMs = 3600 * 1000
const maxBytes = 1_000

let folder: string
let now: number
let jobs: Job[]
let store: UploadStore
let uploads: Uploads
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'speech-mcp-uploads-')), 'uploads')
  now = Date.now()
  jobs = []
  store = uploadFiles(folder)
  uploads = open(store)
})
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }))

function open(store: UploadStore): Uploads {
  return createUploads({ store, maxBytes, jobs: { unfinishedJobs: async () => jobs }, now: () => now })
}

async function send(owner: string, bytes: number, name = 'a.wav'): Promise<string> {
  const { id } = await uploads.createTicket(owner, {})
  const begun = await uploads.begin(id, { bytes, name })
  await uploads.append(begun, 0, pieces(Buffer.alloc(bytes, 'x')))
  await uploads.finish(begun)
  return id
}

async function* pieces(...all: (Buffer | Error)[]) {
  for (const piece of all) {
    if (piece instanceof Error) throw piece
    yield piece
  }
}

const ids = async () => [...new Set((await readdir(folder)).map(name => name.split('.')[0]))]
const run = { signal: new AbortController().signal, scratch: async () => folder }
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('quotas', () => {
  it('a recording larger than the limit is refused with the ticket or before its bytes', async () => {
    await expect(uploads.createTicket('ann', { bytes: 1_001 })).rejects.toEqual(
      refused('TOO_LARGE', /at most/),
    )
    const { id } = await uploads.createTicket('ann', {})
    await expect(uploads.begin(id, { bytes: 1_001 })).rejects.toEqual(refused('TOO_LARGE', /at most/))
    await expect(uploads.begin(id, { bytes: 0 })).rejects.toEqual(refused('EMPTY_FILE', /empty/))
  })

  it('an owner has so many tickets and bytes, and another owner has its own', async () => {
    for (let i = 0; i < 4; i++) await send('ann', 1_000)
    const { id } = await uploads.createTicket('ann', {})
    await expect(uploads.begin(id, { bytes: 1 })).rejects.toEqual(refused('TOO_LARGE', /All your uploads/))
    for (let i = 5; i < 50; i++) await uploads.createTicket('ann', {})
    await expect(uploads.createTicket('ann', {})).rejects.toEqual(refused('BUSY', /50 tickets/))
    await send('bob', 1_000)
    now += 25 * hourMs
    await send('ann', 1_000)
  })
})

describe('time', () => {
  it('an unfinished upload ends with its ticket, a whole one a day after it was last opened', async () => {
    const left = await uploads.createTicket('ann', {})
    await uploads.begin(left.id, { bytes: 10 })
    const whole = await send('ann', 10)
    now += 23 * hourMs
    await uploads.open('ann', whole, run)
    now += 2 * hourMs
    await uploads.sweep()
    expect(await ids()).toEqual([whole])
    now += 24 * hourMs
    await uploads.sweep()
    expect(await ids()).toEqual([])
    await expect(uploads.find('ann', whole)).rejects.toEqual(refused('UPLOAD_NOT_FOUND', /No upload/))
  })

  it('a job and a batch that are not over keep their uploads, those of another owner do not', async () => {
    const [ordered, other, foreign] = [await send('ann', 10), await send('bob', 10), await send('cy', 10)]
    jobs = [
      { id: 'tr_1', owner: 'ann', request: { audio: `upload://${ordered}` } } as Job,
      { id: 'ba_1', owner: 'bob', request: { audio: '' } } as Job,
      { id: 'tr_2', owner: 'ann', request: { audio: `upload://${foreign}` } } as Job,
    ]
    now += 100 * hourMs
    await uploads.sweep()
    expect((await ids()).toSorted()).toEqual([ordered, other].toSorted())
    const { file } = await uploads.open('ann', ordered, run)
    expect((await stat(file)).size).toBe(10)
    jobs = []
    await uploads.sweep()
    expect(await ids()).toEqual([ordered])
  })
})

describe('bytes', () => {
  it('what had come before a break is kept, and the rest makes it whole', async () => {
    const { id } = await uploads.createTicket('ann', {})
    const begun = await uploads.begin(id, { bytes: 6 })
    const broken = pieces(Buffer.from('abc'), new Error('The line broke.'))
    await expect(uploads.append(begun, 0, broken)).rejects.toThrow('The line broke.')
    expect([await uploads.received(begun), await uploads.finish(begun)]).toEqual([3, undefined])
    await expect(uploads.find('ann', id)).rejects.toEqual(refused('UPLOAD_UNFINISHED', /0\.0 MB of 0\.0 MB/))
    await uploads.append(begun, 3, pieces(Buffer.from('def')))
    expect(await open(uploadFiles(folder)).find('ann', id)).toMatchObject({ bytes: 6, name: 'recording' })
  })

  it('a full disk is named before the bytes and while they come', async () => {
    const { id } = await uploads.createTicket('ann', {})
    const full = open({ ...store, freeBytes: async () => 9 })
    await expect(full.begin(id, { bytes: 10 })).rejects.toEqual(refused('DISK_FULL', /too full/))
    const begun = await uploads.begin(id, { bytes: 10 })
    const fills = pieces(Buffer.from('abc'), Object.assign(new Error('write'), { code: 'ENOSPC' }))
    await expect(uploads.append(begun, 0, fills)).rejects.toEqual(refused('DISK_FULL', /too full/))
    expect(await uploads.received(begun)).toBe(3)
  })

  it('an upload leaves room for the rest of those under way, of other owners too', async () => {
    const roomy = open({ ...store, freeBytes: async () => 64e6 + 1_000 })
    const begin = async (owner: string, bytes: number) =>
      roomy.begin((await roomy.createTicket(owner, {})).id, { bytes })
    await begin('ann', 600)
    await expect(begin('bob', 600)).rejects.toEqual(refused('DISK_FULL', /too full/))
    await begin('bob', 400)
    await expect(begin('cy', 1)).rejects.toEqual(refused('DISK_FULL', /too full/))
    const both = await Promise.allSettled([begin('dan', 0.5), begin('eve', 0.5)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    now += 25 * hourMs
    const next = await Promise.allSettled([begin('ann', 600), begin('bob', 600)])
    expect(next.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  it('the server takes 64 uploads at once, and the next one when one has ended', async () => {
    const ends: (() => void)[] = []
    async function* held() {
      await new Promise<void>(resolve => ends.push(resolve))
      yield Buffer.from('x')
    }
    const begin = async (owner: string) =>
      uploads.begin((await uploads.createTicket(owner, {})).id, { bytes: 1 })
    const sent: Promise<void>[] = []
    for (let i = 0; i < 64; i++) sent.push(uploads.append(await begin(`owner ${i % 4}`), 0, held()))
    const next = await begin('ann')
    await expect(uploads.append(next, 0, held())).rejects.toEqual(refused('BUSY', /no more uploads at once/))
    await vi.waitFor(() => expect(ends.length).toBe(64))
    for (const end of ends) end()
    await Promise.all(sent)
    await uploads.append(next, 0, pieces(Buffer.from('x')))
    expect((await uploads.finish(next))?.bytes).toBe(1)
  })

  it('names lose their folders, and files are closed to other users', async () => {
    await send('ann', 10, '../../etc/secret\u0007 talk.wav')
    const [record] = await store.list()
    expect(record!.name).toBe('secret talk.wav')
    for (const path of [folder, ...(await readdir(folder)).map(name => join(folder, name))])
      expect((await stat(path)).mode & 0o077, path).toBe(0)
  })
})
