// Recordings in the bucket, on their way from the machine that has the file to a worker.
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type OssEmulator, startOss } from '../../../../emulators/oss/oss.ts'
import type { StoredUpload } from '../../../../src/domain/ports.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { failure } from '../../../support/failure.ts'
import { bucketOf } from '../../../support/jobs/shared-harness.ts'

const of = { owner: 'ann', job: 'tr_1' }
const never = new AbortController().signal
/** Bytes: more than one piece of a fetch, and some parts of an upload. */
const size = 9_500_000

let oss: OssEmulator
let folder: TempFolder
let blobs: ReturnType<typeof bucketOf>
let file: string
let content: Buffer

beforeEach(async () => {
  oss = await startOss()
  folder = await tempFolder()
  blobs = bucketOf(oss)
  file = join(folder.path, 'talk with a space.m4a')
  content = randomBytes(size)
  await writeFile(file, content)
})
afterEach(async () => {
  await blobs.close()
  await Promise.all([oss.close(), folder.remove()])
})

const left = () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key)
const upload = (signal = never, onBytes?: (done: number) => void) =>
  blobs.recordings!.upload(file, of, { signal, ...(onBytes && { onBytes }) })
const target = () => join(folder.path, 'fetched')
const fetched = (key: string, signal = never) => blobs.recordings!.download(key, target(), { signal })

describe('a recording', () => {
  it('a recording is downloaded as it was uploaded, with progress both ways', async () => {
    const there: number[] = []
    const back: number[] = []
    const key = await upload(never, done => there.push(done))
    expect(left()).toEqual([key])
    await blobs.recordings!.download(key, target(), { signal: never, onBytes: done => back.push(done) })
    expect((await readFile(target())).equals(content)).toBe(true)
    expect([there.at(-1), back.at(-1)]).toEqual([size, size])
    for (const steps of [there, back]) expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    await blobs.delete({ way: 'bucket', keys: { recording: key } }, never)
    expect(left()).toEqual([])
  })

  it('a small recording is uploaded with one request', async () => {
    await writeFile(file, 'hello')
    const key = await upload()
    await fetched(key)
    expect(await readFile(target(), 'utf8')).toBe('hello')
    expect(oss.requests.filter(({ kind }) => kind === 'put')).toHaveLength(1)
  })

  it('a second upload has a key of its own, so that deleting the first leaves it alone', async () => {
    const [first, second] = [await upload(), await upload()]
    expect(first).not.toBe(second)
    await blobs.delete({ way: 'bucket', keys: { recording: first } }, never)
    expect(left()).toEqual([second])
  })

  it('a sweep sees the owner and job of each recording, and keeps wanted ones', async () => {
    const key = await upload()
    await blobs.recordings!.upload(file, { ...of, job: 'tr_2' }, { signal: never })
    const seen: StoredUpload[] = []
    const removed = await blobs.sweep(async one => {
      seen.push(one)
      return one.job === of.job
    }, never)
    expect(removed).toBe(1)
    expect(seen.map(({ owner, job, isOwn }) => [owner, job, isOwn])).toEqual([
      ['ann', 'tr_1', true],
      ['ann', 'tr_2', true],
    ])
    expect(left()).toEqual([key])
  })
})

describe('broken connections', () => {
  it('a recording arrives complete despite broken connections', async () => {
    oss.fault({ kind: 'drop', every: 3 })
    const key = await upload()
    await fetched(key)
    expect((await readFile(target())).equals(content)).toBe(true)
  })

  it('lost responses leave nothing in the bucket but the recording', async () => {
    oss.fault({ kind: 'dropAfter', every: 3 })
    const key = await upload()
    expect(left()).toEqual([key])
  })
})

describe('an unfinished upload', () => {
  it('an unfinished upload can be deleted by its key, which is reported first', async () => {
    let named: string | undefined
    const stop = new AbortController()
    oss.fault({ kind: 'hang', when: ({ kind }) => kind === 'part' })
    const uploading = blobs.recordings!.upload(file, of, {
      signal: stop.signal,
      onKey: async key => {
        expect(left()).toEqual([])
        named = key
      },
    })
    await vi.waitFor(() => expect(left()).toEqual([named]))
    await bucketOf(oss).delete({ way: 'bucket', keys: { recording: named! } }, never)
    expect(left()).toEqual([])
    stop.abort(new Error('Enough.'))
    await expect(uploading).rejects.toThrow('Enough.')
  })
})

describe('an aborted transfer', () => {
  it('an aborted upload leaves nothing in the bucket', async () => {
    const stop = new AbortController()
    const uploading = upload(stop.signal, () => stop.abort(new Error('Enough.')))
    await expect(uploading).rejects.toThrow('Enough.')
    expect(left()).toEqual([])
  })

  it('an upload of a file that changes leaves nothing in the bucket', async () => {
    const uploading = upload(never, () => appendFileSync(file, 'more'))
    expect((await failure(uploading)).code).toBe('RECORDING_CHANGED')
    expect(left()).toEqual([])
  })

  it('an aborted download leaves nothing on the disk', async () => {
    const key = await upload()
    const stop = new AbortController()
    oss.fault({ kind: 'hang' })
    const fetching = fetched(key, stop.signal)
    stop.abort(new Error('Enough.'))
    await expect(fetching).rejects.toThrow('Enough.')
    await expect(stat(target())).rejects.toThrow('ENOENT')
  })
})

describe('an error', () => {
  it('an upload of a missing file is reported as FILE_NOT_FOUND', async () => {
    file = join(folder.path, 'nowhere.mp3')
    expect((await failure(upload())).code).toBe('FILE_NOT_FOUND')
  })

  it('a download of a missing recording is reported as RECORDING_LOST', async () => {
    const key = await upload()
    await blobs.delete({ way: 'bucket', keys: { recording: key } }, never)
    expect(await failure(fetched(key))).toMatchObject({ code: 'RECORDING_LOST', retryable: false })
    await expect(stat(target())).rejects.toThrow('ENOENT')
  })

  it('a key without the permission is reported as BUCKET_REFUSED', async () => {
    const key = await upload()
    oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    expect((await failure(fetched(key))).code).toBe('BUCKET_REFUSED')
    expect((await failure(upload())).code).toBe('BUCKET_REFUSED')
  })
})
