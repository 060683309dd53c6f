// Sweeps of a bucket: they delete uploads that are not in use.

import type OSS from 'ali-oss'
import { beforeEach, describe, expect, it } from 'vitest'
import { type OssEmulator, startOss } from '../../emulators/oss/oss.ts'
import { SpeechError } from '../../src/domain/errors.ts'
import type { ObjectStorage, StoredUpload } from '../../src/domain/ports.ts'
import { fixedInstallationId } from '../../src/drivers/object-storage/installation-id.ts'
import { ossStorage } from '../../src/drivers/object-storage/oss/oss.ts'
import { failure, noise, signal, stream, uploadOfAnn } from '../support/contracts/object-storage.ts'
import { clientOf, keyOf, optionsFor, refusal, useResources } from '../support/contracts/oss.ts'

const { track } = useResources()

describe('a sweep of the bucket', () => {
  let oss: OssEmulator
  let storage: ObjectStorage
  let client: OSS
  const names = () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key).sort()

  beforeEach(async () => {
    oss = track(await startOss())
    storage = track(ossStorage(optionsFor(oss)))
    client = clientOf(oss)
  })

  it('a sweep deletes finished and unfinished uploads that are not in use, and nothing else', async () => {
    const before = Date.now()
    for (const owner of ['ann', 'bob@example.com', 'Zoë/..'])
      for (const job of ['old', 'new']) {
        await client.put(keyOf(owner, job), Buffer.from('whole'))
        await client.initMultipartUpload(keyOf(owner, `half-${job}`))
      }
    const foreign = ['speech-mcp/other.mp3', 'speech-mcp/uploads/notes.txt', 'speech-mcp/uploads/a/b/c.mp3']
    for (const key of foreign) await client.put(key, Buffer.from('not ours'))
    const asked: StoredUpload[] = []
    const deleted = await storage.sweep(async upload => {
      asked.push(upload)
      return upload.job.endsWith('new')
    }, signal())
    expect(deleted).toBe(6)
    expect(names()).toEqual(
      [
        ...foreign,
        ...['ann', 'bob@example.com', 'Zoë/..'].flatMap(owner =>
          ['new', 'half-new'].map(job => keyOf(owner, job)),
        ),
      ].sort(),
    )
    expect(new Set(asked.map(({ owner }) => owner))).toEqual(new Set(['ann', 'bob@example.com', 'Zoë/..']))
    for (const { storedAt } of asked)
      expect(storedAt).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000)
  })

  it('a sweep distinguishes uploads of other installations from its own', async () => {
    const other = track(ossStorage(optionsFor(oss, { installationId: fixedInstallationId('there') })))
    for (const [uploader, job] of [
      [storage, 'tr_1'],
      [other, 'tr_1'],
      [other, 'tr_2.here'],
    ] as const)
      await uploader.upload(stream(noise(0.01)), { ...uploadOfAnn, job }, signal())
    await client.initMultipartUpload(keyOf('ann', 'tr_3', 'there'))
    const asked: StoredUpload[] = []
    expect(await storage.sweep(async upload => asked.push(upload) > 0, signal())).toBe(0)
    expect(asked.map(({ job, isOwn }) => [job, isOwn])).toEqual([
      ['tr_1', true],
      ['tr_1', false],
      ['tr_2.here', false],
      ['tr_3', false],
    ])
  })

  it('a sweep reads every page of the list', async () => {
    const jobs = Array.from({ length: 101 }, (_, number) => keyOf('ann', `tr_${number}`))
    await Promise.all(jobs.map(key => client.put(key, Buffer.from('whole'))))
    await Promise.all(jobs.map(key => client.initMultipartUpload(key)))
    expect(await storage.sweep(async () => false, signal())).toBe(202)
    expect(names()).toEqual([])
  })

  it('a sweep continues after an upload that cannot be deleted or looked up', async () => {
    for (const job of ['stuck', 'doubtful', 'old'])
      await storage.upload(stream(noise(0.01)), { ...uploadOfAnn, job }, signal())
    oss.fault({
      kind: 'error',
      ...refusal,
      when: ({ kind, key }) => kind === 'delete' && key.includes('stuck'),
    })
    const isInUse = async ({ job }: StoredUpload) => {
      if (job === 'doubtful') throw new SpeechError('STORE_FAILED', 'Not now.', { hint: 'Later.' })
      return false
    }
    expect(await storage.sweep(isInUse, signal())).toBe(1)
    expect(names()).toEqual([keyOf('ann', 'doubtful'), keyOf('ann', 'stuck')])
  })

  it('a sweep without permission to list throws', async () => {
    oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'list' })
    expect(await failure(storage.sweep(async () => false, signal()))).toMatchObject({
      code: 'BUCKET_REFUSED',
    })
  })
})
