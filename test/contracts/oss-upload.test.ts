// Uploads to a bucket: the contract of object storage, multipart uploads, and what a failed upload leaves.
import { beforeEach, describe, expect, it } from 'vitest'
import { type OssEmulator, type OssRequest, startOss } from '../../emulators/oss/oss.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { ObjectStorage } from '../../src/domain/ports.ts'
import { fixedInstallationId } from '../../src/drivers/object-storage/installation-id.ts'
import { ossStorage } from '../../src/drivers/object-storage/oss/oss.ts'
import {
  failure,
  heldStream,
  models,
  noise,
  objectStorageContract,
  signal,
  stream,
  until,
  uploadOfAnn,
} from '../support/contracts/object-storage.ts'
import {
  captureWarnings,
  clientOf,
  faultControls,
  isTransfer,
  keyOf,
  optionsFor,
  refusal,
  useResources,
} from '../support/contracts/oss.ts'

const { track } = useResources()

objectStorageContract('OSS storage', async () => {
  const oss = await startOss()
  return {
    open: () => ossStorage(optionsFor(oss)),
    objects: () => oss.objects().map(({ key }) => key),
    unfinished: () => oss.unfinishedUploads().length,
    scratch: uploadOfAnn.scratch,
    read: oss.read,
    secrets: [oss.accessKeyId, oss.accessKeySecret, oss.endpoint, 'ann/', 'Busy', 'AccessDenied'],
    ...faultControls(oss),
  }
})

describe('an upload into a bucket', () => {
  let oss: OssEmulator
  let storage: ObjectStorage
  const kinds = () => oss.requests.map(({ kind }) => kind)

  beforeEach(async () => {
    oss = track(await startOss())
    storage = track(ossStorage(optionsFor(oss)))
  })

  it('a voice note is uploaded with one request besides a search for earlier unfinished uploads', async () => {
    await storage.upload(stream(noise(0.1)), uploadOfAnn, signal())
    expect(kinds().sort()).toEqual(['put', 'uploads'])
  })

  it.each([0.1, 2.5])(
    'an upload of %d MB aborts unfinished uploads that crashed processes have left of its job',
    async size => {
      const client = clientOf(oss)
      const others = [keyOf('ann', 'tr_2'), keyOf('ann', 'tr_1', 'there'), keyOf('bob', 'tr_1')]
      for (const key of [keyOf('ann', 'tr_1'), keyOf('ann', 'tr_1'), ...others])
        await client.initMultipartUpload(key)
      const bytes = noise(size)
      const { keys } = await storage.upload(stream(bytes), uploadOfAnn, signal())
      expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
      expect(oss.unfinishedUploads().map(({ key }) => key)).toEqual(others)
      expect(kinds().filter(kind => kind === 'uploads').length).toBe(1)
    },
  )

  it.each([
    ['put', 0.1],
    ['part', 2.5],
  ] as const)(
    'the first %s of an upload does not wait for the search for earlier uploads',
    async (kind, size) => {
      await clientOf(oss).initMultipartUpload(keyOf('ann', 'tr_1'))
      const resume = oss.fault({ kind: 'hang', when: request => request.kind === 'uploads' })
      const hasty = track(ossStorage(optionsFor(oss, { timeoutSeconds: { response: 2, transfer: 60 } })))
      const upload = hasty.upload(stream(noise(size)), uploadOfAnn, signal())
      await until(() => oss.requests.some(request => request.kind === kind && request.status === 200))
      resume()
      await upload
      expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
    },
  )

  it.each([0.1, 2.5])(
    'an upload of %d MB succeeds without permission to search for earlier uploads, and logs a warning',
    async size => {
      const warnings = captureWarnings()
      oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'uploads' })
      await storage.upload(stream(noise(size)), uploadOfAnn, signal())
      expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
      expect(warnings()).toMatchObject([{ event: 'earlier-upload-not-removed', code: 'BUCKET_REFUSED' }])
    },
  )

  it.each([0.1, 2.5])(
    'an upload of %d MB that is cancelled during the search for earlier uploads leaves nothing',
    async size => {
      oss.fault({ kind: 'hang', when: ({ kind }) => kind === 'uploads' })
      const hasty = track(ossStorage(optionsFor(oss, { timeoutSeconds: { response: 1, transfer: 60 } })))
      const controller = new AbortController()
      const upload = hasty.upload(stream(noise(size)), uploadOfAnn, controller.signal)
      await until(() => oss.objects().length === 1)
      // By its next search it has received the response to the upload.
      const searches = () => kinds().filter(kind => kind === 'uploads').length
      const before = searches()
      await until(() => searches() > before)
      controller.abort(new Error('enough'))
      await expect(upload).rejects.toThrow('enough')
      expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
    },
  )

  it('an installation deletes no upload of another one that has an equal job id', async () => {
    const there = track(ossStorage(optionsFor(oss, { installationId: fixedInstallationId('there') })))
    const theirs = noise(0.1)
    const upload = await there.upload(stream(theirs), uploadOfAnn, signal())
    await storage.delete(await storage.upload(stream(noise(0.1)), uploadOfAnn, signal()), signal())
    expect(oss.read(upload.keys[models[0]!]!)?.equals(theirs)).toBe(true)
  })

  it('the first part is sent while the recording is still being encoded', async () => {
    const held = heldStream(noise(1.5))
    const upload = storage.upload(held.stream, uploadOfAnn, signal())
    await held.reached
    await until(() => oss.requests.some(({ kind, status }) => kind === 'part' && status === 200))
    held.resume()
    await upload
    expect(kinds().sort()).toEqual(['complete', 'initiate', 'part', 'part', 'part', 'uploads'])
  })

  it('an upload applies backpressure to its stream', async () => {
    const resume = oss.fault({ kind: 'hang', when: isTransfer })
    let read = 0
    async function* counted() {
      for await (const piece of stream(noise(20))) {
        read += piece.length
        yield piece
      }
    }
    const controller = new AbortController()
    const upload = storage.upload(counted(), uploadOfAnn, controller.signal)
    await until(() => oss.requests.filter(isTransfer).length === 3)
    expect(read).toBeLessThan(6 * 1024 * 1024)
    controller.abort(new Error('enough'))
    resume()
    await expect(upload).rejects.toThrow('enough')
  })

  it.each(['initiate', 'part', 'complete'] as const)(
    'an upload survives a lost response to %s',
    async kind => {
      oss.fault({ kind: 'dropAfter', times: 1, when: request => request.kind === kind })
      const bytes = noise(2.5)
      const { keys } = await storage.upload(stream(bytes), uploadOfAnn, signal())
      expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
      expect(oss.unfinishedUploads()).toEqual([])
    },
  )

  it('an upload survives if every response to its last request is lost', async () => {
    oss.fault({ kind: 'dropAfter', when: ({ kind }) => kind === 'complete' })
    await storage.upload(stream(noise(2.5)), uploadOfAnn, signal())
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
  })

  it('an upload does not mistake the object of an earlier upload for its own', async () => {
    await storage.upload(stream(noise(1.5)), uploadOfAnn, signal())
    oss.fault({ kind: 'error', status: 500, code: 'InternalError', when: ({ kind }) => kind === 'complete' })
    expect(await failure(storage.upload(stream(noise(1.5)), uploadOfAnn, signal()))).toMatchObject({
      code: 'UPLOAD_FAILED',
    })
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it('an upload that is cancelled before it has an id leaves nothing', async () => {
    oss.fault({ kind: 'slow', seconds: 0.5, when: ({ kind }) => kind === 'initiate' })
    const controller = new AbortController()
    const upload = storage.upload(stream(noise(2.5)), uploadOfAnn, controller.signal)
    await until(() => kinds().includes('initiate'))
    controller.abort(new Error('enough'))
    await expect(upload).rejects.toThrow('enough')
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it.each([
    ['complete', 2.5],
    ['put', 0.0003],
  ] as const)(
    'an upload that is cancelled while the service processes %s leaves nothing',
    async (kind, size) => {
      // The network is so slow that the whole request arrives long before the response.
      const slowDown = (request: OssRequest) => {
        if (request.kind === kind) oss.set({ mbitPerSecond: 0.003 })
        return false
      }
      oss.fault({ kind: 'drop', when: slowDown })
      const request = () => oss.requests.find(one => one.kind === kind)
      const controller = new AbortController()
      const upload = storage.upload(stream(noise(size)), uploadOfAnn, controller.signal)
      await until(() => (request()?.bytes ?? 0) > 0)
      controller.abort(new Error('enough'))
      await expect(upload).rejects.toThrow('enough')
      await until(() => request()?.status === 200)
      expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
    },
  )

  it('a second upload of a job replaces the first', async () => {
    await storage.upload(stream(noise(2)), uploadOfAnn, signal())
    const bytes = noise(1.5)
    const { keys } = await storage.upload(stream(bytes), uploadOfAnn, signal())
    expect(oss.objects().map(({ key }) => key)).toEqual([keys[models[0]!]])
    expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
  })

  it('an upload that two models share is deleted with one request', async () => {
    const upload = await storage.upload(stream(noise(0.1)), uploadOfAnn, signal())
    await storage.delete(upload, signal())
    expect(oss.objects()).toEqual([])
    expect(kinds().filter(kind => kind !== 'uploads')).toEqual(['put', 'delete'])
  })

  it.each([0.1, 1.5])(
    'an upload of %d MB to an unreachable endpoint names the setting and logs no remaining object',
    async size => {
      const { endpoint } = oss
      await oss.close()
      const warnings = captureWarnings()
      const error = await failure(storage.upload(stream(noise(size)), uploadOfAnn, signal()))
      expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: true, hint: /OSS_ENDPOINT/ })
      expect(describeError(error)).not.toContain(endpoint)
      expect(warnings()).toEqual([])
    },
  )

  it.each([
    ['put', 'delete', 0.1],
    ['part', 'abort', 1.5],
  ] as const)(
    'a warning is logged if an upload may have left an object because %s and %s fail',
    async (kind, cleanup, size) => {
      const warnings = captureWarnings()
      oss.fault({ kind: 'dropAfter', when: request => request.kind === kind })
      oss.fault({ kind: 'error', ...refusal, when: request => request.kind === cleanup })
      await failure(storage.upload(stream(noise(size)), uploadOfAnn, signal()))
      expect(warnings()).toMatchObject([{ event: 'upload-left-behind', code: 'BUCKET_REFUSED' }])
    },
  )
})
