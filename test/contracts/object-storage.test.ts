// Places for uploads: the contract for both of them, and what only a bucket or only the provider's store goes through.
import { mkdirSync, readdirSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import OSS from 'ali-oss'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { type OssEmulator, type OssRequest, startOss } from '../../emulators/oss/oss.ts'
import { createApp } from '../../src/app.ts'
import { checkUploads } from '../../src/cli/doctor/doctor.ts'
import { readConfig } from '../../src/config/config.ts'
import { describeError, SpeechError } from '../../src/domain/errors.ts'
import type { ObjectStorage, StoredUpload } from '../../src/domain/ports.ts'
import { type Dashscope, dashscope } from '../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../src/drivers/http/http.ts'
import { temporaryStorage } from '../../src/drivers/object-storage/dashscope-temporary/temporary.ts'
import { fixedInstallationId, installationIdIn } from '../../src/drivers/object-storage/installation-id.ts'
import { parseUploadKey, uploadKey } from '../../src/drivers/object-storage/keys.ts'
import { ossEndpoint } from '../../src/drivers/object-storage/oss/endpoint.ts'
import { partBytes } from '../../src/drivers/object-storage/oss/multipart-upload.ts'
import { type OssOptions, ossStorage } from '../../src/drivers/object-storage/oss/oss.ts'
import { setLogLevel } from '../../src/log.ts'
import {
  anns,
  blobsContract,
  failure,
  heldStream,
  models,
  noise,
  signal,
  stream,
  until,
} from '../support/contracts/object-storage.ts'
import { type TempFolder, tempFolder } from '../support/e2e/system.ts'

const firstDelaySeconds = 0.01
let opened: { close(): Promise<void> }[] = []
let temp: TempFolder

beforeEach(async () => {
  setLogLevel('silent')
  temp = await tempFolder()
})
afterEach(async () => {
  for (const one of opened.reverse()) await one.close()
  opened = []
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  setLogLevel('warn')
  await temp.remove()
})

function keep<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one)
  return one
}

const optionsFor = (oss: OssEmulator, changes: Partial<OssOptions> = {}): OssOptions => ({
  bucket: oss.bucket,
  endpoint: oss.endpoint,
  accessKeyId: oss.accessKeyId,
  accessKeySecret: oss.accessKeySecret,
  installationId: fixedInstallationId(installation),
  firstDelaySeconds,
  ...changes,
})
const installation = 'here'
const keyOf = (owner: string, job: string, place = installation) =>
  uploadKey({ owner, job, installation: place })
/** What the client library itself needs to reach the stand-in. */
const clientOf = (oss: OssEmulator) =>
  new OSS({ ...optionsFor(oss), region: oss.region, authorizationV4: true, sldEnable: true } as OSS.Options)
const isTransfer = ({ kind }: OssRequest) => kind === 'part' || kind === 'put' || kind === 'post'
const refusal = { status: 403, code: 'AccessDenied' }

/** The provider's door, which only gives leave to upload here. */
function doorOf(
  oss: OssEmulator,
  policy: (model: string) => object = model => oss.temporary.issuePolicy({ model }),
): Dashscope {
  return {
    baseUrl: 'http://127.0.0.1:1/api/v1',
    call: async ({ path, query }) => {
      expect({ path, action: query?.action }).toEqual({ path: 'uploads', action: 'getPolicy' })
      return { data: policy(query!.model!), request_id: 'r' }
    },
  }
}

/** What is logged from now on as a warning. */
function warned(): () => { event: string }[] {
  setLogLevel('warn')
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  return () => write.mock.calls.map(([line]) => JSON.parse(String(line)))
}

const faultsOf = (oss: OssEmulator) => ({
  transfers: () => oss.requests.filter(isTransfer).length,
  failTransfers(how: 'error' | 'drop' | 'refuse', times?: number) {
    const scope = { when: isTransfer, ...(times && { times }) }
    if (how === 'drop') oss.fault({ kind: 'drop', ...scope })
    else
      oss.fault({ kind: 'error', ...(how === 'refuse' ? refusal : { status: 503, code: 'Busy' }), ...scope })
  },
  hang: () => oss.fault({ kind: 'hang', when: isTransfer }),
  close: oss.close,
})

blobsContract('ossBlobs', async () => {
  const oss = await startOss()
  return {
    open: () => ossStorage(optionsFor(oss)),
    objects: () => oss.objects().map(({ key }) => key),
    unfinished: () => oss.unfinishedUploads().length,
    scratch: anns.scratch,
    read: oss.read,
    secrets: [oss.accessKeyId, oss.accessKeySecret, oss.endpoint, 'ann/', 'Busy', 'AccessDenied'],
    ...faultsOf(oss),
  }
})

blobsContract('temporaryBlobs', async () => {
  const standin = await startDashscope({ ffmpeg: 'not used', oss: true })
  const oss = standin.oss!
  const http = createHttpClient({ connections: 4 })
  const cloud = dashscope({ apiKey: standin.apiKey, baseUrl: standin.url, http })
  return {
    open: () => temporaryStorage({ cloud, firstDelaySeconds }),
    objects: () => oss.temporary.objects().map(({ key }) => key),
    // Its waiting room is a file.
    unfinished: () => readdirSync(temp.path).length,
    scratch: async () => temp.path,
    read: oss.temporary.read,
    secrets: [standin.apiKey, oss.endpoint, 'dashscope-instant', 'Busy', 'AccessDenied'],
    ...faultsOf(oss),
    async close() {
      await http.close()
      await standin.close()
    },
  }
})

describe('an upload into a bucket', () => {
  let oss: OssEmulator
  let blobs: ObjectStorage
  const kinds = () => oss.requests.map(({ kind }) => kind)

  beforeEach(async () => {
    oss = keep(await startOss())
    blobs = keep(ossStorage(optionsFor(oss)))
  })

  it('of a voice note is one request beside a look for what a dead process has left', async () => {
    await blobs.upload(stream(noise(0.1)), anns, signal())
    expect(kinds().sort()).toEqual(['put', 'uploads'])
  })

  it.each([0.1, 2.5])('of %d MB ends what dead processes have left half done of its job', async size => {
    const client = clientOf(oss)
    const others = [keyOf('ann', 'tr_2'), keyOf('ann', 'tr_1', 'there'), keyOf('bob', 'tr_1')]
    for (const key of [keyOf('ann', 'tr_1'), keyOf('ann', 'tr_1'), ...others])
      await client.initMultipartUpload(key)
    const bytes = noise(size)
    const { keys } = await blobs.upload(stream(bytes), anns, signal())
    expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
    expect(oss.unfinishedUploads().map(({ key }) => key)).toEqual(others)
    expect(kinds().filter(kind => kind === 'uploads').length).toBe(1)
  })

  it.each([
    ['put', 0.1],
    ['part', 2.5],
  ] as const)('does not wait for that with its first %s', async (kind, size) => {
    await clientOf(oss).initMultipartUpload(keyOf('ann', 'tr_1'))
    const answer = oss.fault({ kind: 'hang', when: request => request.kind === 'uploads' })
    const impatient = keep(ossStorage(optionsFor(oss, { timeoutSeconds: { response: 2, transfer: 60 } })))
    const put = impatient.upload(stream(noise(size)), anns, signal())
    await until(() => oss.requests.some(request => request.kind === kind && request.status === 200))
    answer()
    await put
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
  })

  it.each([0.1, 2.5])('of %d MB arrives also where it may not look for that, and says so', async size => {
    const warnings = warned()
    oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'uploads' })
    await blobs.upload(stream(noise(size)), anns, signal())
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
    expect(warnings()).toMatchObject([{ event: 'earlier-upload-not-removed', code: 'BUCKET_REFUSED' }])
  })

  it.each([0.1, 2.5])('of %d MB that is cancelled while it still looks leaves nothing', async size => {
    oss.fault({ kind: 'hang', when: ({ kind }) => kind === 'uploads' })
    const impatient = keep(ossStorage(optionsFor(oss, { timeoutSeconds: { response: 1, transfer: 60 } })))
    const controller = new AbortController()
    const put = impatient.upload(stream(noise(size)), anns, controller.signal)
    await until(() => oss.objects().length === 1)
    // By its next look it has long heard that the recording is there.
    const looks = () => kinds().filter(kind => kind === 'uploads').length
    const before = looks()
    await until(() => looks() > before)
    controller.abort(new Error('enough'))
    await expect(put).rejects.toThrow('enough')
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it('takes nothing from another installation, whose job of the same id it is', async () => {
    const there = keep(ossStorage(optionsFor(oss, { installationId: fixedInstallationId('there') })))
    const theirs = noise(0.1)
    const upload = await there.upload(stream(theirs), anns, signal())
    await blobs.delete(await blobs.upload(stream(noise(0.1)), anns, signal()), signal())
    expect(oss.read(upload.keys[models[0]!]!)?.equals(theirs)).toBe(true)
  })

  it('sends the first part while the recording is still being encoded', async () => {
    const held = heldStream(noise(1.5))
    const put = blobs.upload(held.stream, anns, signal())
    await held.reached
    await until(() => oss.requests.some(({ kind, status }) => kind === 'part' && status === 200))
    held.goOn()
    await put
    expect(kinds().sort()).toEqual(['complete', 'initiate', 'part', 'part', 'part', 'uploads'])
  })

  it('reads no further than it can send', async () => {
    const goOn = oss.fault({ kind: 'hang', when: isTransfer })
    let read = 0
    async function* counted() {
      for await (const piece of stream(noise(20))) {
        read += piece.length
        yield piece
      }
    }
    const controller = new AbortController()
    const put = blobs.upload(counted(), anns, controller.signal)
    await until(() => oss.requests.filter(isTransfer).length === 3)
    expect(read).toBeLessThan(6 * 1024 * 1024)
    controller.abort(new Error('enough'))
    goOn()
    await expect(put).rejects.toThrow('enough')
  })

  it.each(['initiate', 'part', 'complete'] as const)('survives a lost answer to %s', async kind => {
    oss.fault({ kind: 'dropAfter', times: 1, when: request => request.kind === kind })
    const bytes = noise(2.5)
    const { keys } = await blobs.upload(stream(bytes), anns, signal())
    expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
    expect(oss.unfinishedUploads()).toEqual([])
  })

  it('survives that no answer to the last request ever comes', async () => {
    oss.fault({ kind: 'dropAfter', when: ({ kind }) => kind === 'complete' })
    await blobs.upload(stream(noise(2.5)), anns, signal())
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([1, 0])
  })

  it('does not take the recording of an earlier upload for its own', async () => {
    await blobs.upload(stream(noise(1.5)), anns, signal())
    oss.fault({ kind: 'error', status: 500, code: 'InternalError', when: ({ kind }) => kind === 'complete' })
    expect(await failure(blobs.upload(stream(noise(1.5)), anns, signal()))).toMatchObject({
      code: 'UPLOAD_FAILED',
    })
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it('that is cancelled before it has a number leaves nothing', async () => {
    oss.fault({ kind: 'slow', seconds: 0.5, when: ({ kind }) => kind === 'initiate' })
    const controller = new AbortController()
    const put = blobs.upload(stream(noise(2.5)), anns, controller.signal)
    await until(() => kinds().includes('initiate'))
    controller.abort(new Error('enough'))
    await expect(put).rejects.toThrow('enough')
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it.each([
    ['complete', 2.5],
    ['put', 0.0003],
  ] as const)('that is cancelled while the bucket works on %s leaves nothing', async (kind, size) => {
    // The line gets so slow that the request is all there long before it is carried out.
    const slowDown = (request: OssRequest) => {
      if (request.kind === kind) oss.set({ mbitPerSecond: 0.003 })
      return false
    }
    oss.fault({ kind: 'drop', when: slowDown })
    const request = () => oss.requests.find(one => one.kind === kind)
    const controller = new AbortController()
    const put = blobs.upload(stream(noise(size)), anns, controller.signal)
    await until(() => (request()?.bytes ?? 0) > 0)
    controller.abort(new Error('enough'))
    await expect(put).rejects.toThrow('enough')
    await until(() => request()?.status === 200)
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it('takes the place of the one before it', async () => {
    await blobs.upload(stream(noise(2)), anns, signal())
    const bytes = noise(1.5)
    const { keys } = await blobs.upload(stream(bytes), anns, signal())
    expect(oss.objects().map(({ key }) => key)).toEqual([keys[models[0]!]])
    expect(oss.read(keys[models[0]!]!)?.equals(bytes)).toBe(true)
  })

  it('is removed with one request, although two models share it', async () => {
    const upload = await blobs.upload(stream(noise(0.1)), anns, signal())
    await blobs.delete(upload, signal())
    expect(oss.objects()).toEqual([])
    expect(kinds().filter(kind => kind !== 'uploads')).toEqual(['put', 'delete'])
  })

  it.each([0.1, 1.5])('says so where nobody listens, and that nothing was left there: %d MB', async size => {
    const { endpoint } = oss
    await oss.close()
    const warnings = warned()
    const error = await failure(blobs.upload(stream(noise(size)), anns, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: true, hint: /OSS_ENDPOINT/ })
    expect(describeError(error)).not.toContain(endpoint)
    expect(warnings()).toEqual([])
  })

  it.each([
    ['put', 'delete', 0.1],
    ['part', 'abort', 1.5],
  ] as const)('says what it may have left behind where %s and %s fail', async (kind, mend, size) => {
    const warnings = warned()
    oss.fault({ kind: 'dropAfter', when: request => request.kind === kind })
    oss.fault({ kind: 'error', ...refusal, when: request => request.kind === mend })
    await failure(blobs.upload(stream(noise(size)), anns, signal()))
    expect(warnings()).toMatchObject([{ event: 'upload-left-behind', code: 'BUCKET_REFUSED' }])
  })
})

describe('an upload that a bucket refuses says why:', () => {
  const token = { securityToken: 'hidden-token', accessKeyId: 'STS.key', accessKeySecret: 'hidden-secret' }
  const temporaryKey = (expiresAt: number) => [{ ...token, expiresAt }]
  const later = () => Date.now() + 3_600_000

  it.each<[string, Partial<OssOptions>, (oss: OssEmulator) => void, string, RegExp]>([
    ['the secret is wrong', { accessKeySecret: 'hidden' }, () => {}, 'BUCKET_REFUSED', /ALIBABA_SECRET_KEY/],
    ['the key is unknown', { accessKeyId: 'hidden' }, () => {}, 'BUCKET_REFUSED', /ALIBABA_ACCESS_KEY/],
    ['the region is another', { region: 'cn-hangzhou' }, () => {}, 'BUCKET_REFUSED', /OSS_REGION/],
    ['the endpoint is another', { bucket: 'faraway' }, () => {}, 'BUCKET_REFUSED', /OSS_ENDPOINT/],
    ['there is no such bucket', { bucket: 'nowhere' }, () => {}, 'BUCKET_NOT_FOUND', /OSS_BUCKET/],
    [
      'the key has no rights',
      {},
      oss => oss.fault({ kind: 'error', ...refusal }),
      'BUCKET_REFUSED',
      /PutObject/,
    ],
    [
      'the account is switched off',
      {},
      oss => oss.fault({ kind: 'error', status: 403, code: 'UserDisable' }),
      'BUCKET_REFUSED',
      /console/,
    ],
    ['the clock is slow', {}, oss => oss.set({ skewSeconds: 3600 }), 'CLOCK_WRONG', /network time/],
    ['the clock is fast', {}, oss => oss.set({ skewSeconds: -3600 }), 'CLOCK_WRONG', /network time/],
    [
      'the token is over',
      token,
      oss => oss.set({ credentials: temporaryKey(1) }),
      'BUCKET_REFUSED',
      /expire/,
    ],
    [
      'the token is another',
      { ...token, securityToken: 'hidden' },
      oss => oss.set({ credentials: temporaryKey(later()) }),
      'BUCKET_REFUSED',
      /SECURITY_TOKEN/,
    ],
    [
      'the token is missing',
      { accessKeyId: 'STS.key', accessKeySecret: 'hidden-secret' },
      oss => oss.set({ credentials: temporaryKey(later()) }),
      'BUCKET_REFUSED',
      /SECURITY_TOKEN/,
    ],
  ])('%s', async (_, changes, prepare, code, hint) => {
    const oss = keep(await startOss({ bucketsElsewhere: ['faraway'] }))
    prepare(oss)
    const blobs = keep(ossStorage(optionsFor(oss, changes)))
    for (const size of [0.1, 1.5]) {
      const error = await failure(blobs.upload(stream(noise(size)), anns, signal()))
      expect(error).toMatchObject({
        code,
        hint: expect.stringMatching(hint),
        retryable: false,
        scope: 'account',
      })
      const said = describeError(error) + JSON.stringify(error.cause)
      for (const secret of ['hidden', 'STS.', oss.accessKeyId, oss.accessKeySecret, oss.endpoint, 'ann/'])
        expect(said).not.toContain(secret)
    }
    // Asked once each time, as asking again would not help.
    const kinds = oss.requests.map(({ kind }) => kind).filter(kind => kind !== 'uploads')
    expect(kinds).toEqual(['put', 'initiate'])
    expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
  })

  it('a key that is replaced when its token ends goes on working, and nothing is printed', async () => {
    const printed = vi.spyOn(console, 'warn').mockReturnValue()
    const oss = keep(await startOss({ credentials: temporaryKey(later()) }))
    const options = optionsFor(oss, token)
    const blobs = keep(ossStorage(options))
    await blobs.upload(stream(noise(0.1)), anns, signal())
    const renewed = {
      accessKeyId: 'STS.2',
      accessKeySecret: 'renewed',
      securityToken: 'new/token+with=signs',
    }
    oss.set({ credentials: [{ ...renewed, expiresAt: later() }] })
    Object.assign(options, renewed)
    const upload = await blobs.upload(stream(noise(1.5)), anns, signal())
    const found = await fetch(await blobs.signedUrl(upload, models[0]!, 60, signal()))
    expect(found.status).toBe(200)
    expect(printed).not.toHaveBeenCalled()
  })
})

describe('the address of an upload in a bucket', () => {
  it('gives the recording to whoever asks, until its time is over', async () => {
    const oss = keep(await startOss())
    const blobs = keep(ossStorage(optionsFor(oss)))
    const bytes = noise(1.2)
    const upload = await blobs.upload(stream(bytes), { ...anns, owner: 'ann@example.com' }, signal())
    const address = await blobs.signedUrl(upload, models[1]!, 600, signal())
    const found = await fetch(address)
    expect(found.status).toBe(200)
    expect(Buffer.from(await found.arrayBuffer()).equals(bytes)).toBe(true)
    oss.set({ skewSeconds: 601 })
    expect((await fetch(address)).status).toBe(403)
  })

  it('is a public one also where uploads go by the internal network, and lives a week at most', async () => {
    const blobs = ossStorage({
      bucket: 'audio',
      endpoint: 'oss-eu-central-1-internal.aliyuncs.com',
      accessKeyId: 'id',
      accessKeySecret: 'secret',
    })
    const upload = { way: 'bucket' as const, keys: { m: keyOf('ann', 'tr_1') } }
    const { protocol, host, pathname, searchParams } = new URL(
      await blobs.signedUrl(upload, 'm', 1e9, signal()),
    )
    expect(`${protocol}//${host}${pathname}`).toBe(
      'https://audio.oss-eu-central-1.aliyuncs.com/speech-mcp/uploads/ann/tr_1.here.mp3',
    )
    expect(searchParams.get('x-oss-expires')).toBe('604800')
    expect(searchParams.get('x-oss-credential')).toMatch(/\/eu-central-1\/oss\//)
  })
})

describe('a sweep of the bucket', () => {
  let oss: OssEmulator
  let blobs: ObjectStorage
  let client: OSS
  const names = () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key).sort()

  beforeEach(async () => {
    oss = keep(await startOss())
    blobs = keep(ossStorage(optionsFor(oss)))
    client = clientOf(oss)
  })

  it('removes finished and unfinished uploads that nobody wants, and nothing else', async () => {
    const before = Date.now()
    for (const owner of ['ann', 'bob@example.com', 'Zoë/..'])
      for (const job of ['old', 'new']) {
        await client.put(keyOf(owner, job), Buffer.from('whole'))
        await client.initMultipartUpload(keyOf(owner, `half-${job}`))
      }
    const foreign = ['speech-mcp/other.mp3', 'speech-mcp/uploads/notes.txt', 'speech-mcp/uploads/a/b/c.mp3']
    for (const key of foreign) await client.put(key, Buffer.from('not ours'))
    const asked: StoredUpload[] = []
    const removed = await blobs.sweep(async left => {
      asked.push(left)
      return left.job.endsWith('new')
    }, signal())
    expect(removed).toBe(6)
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

  it('tells what other installations have left from what is its own', async () => {
    const there = keep(ossStorage(optionsFor(oss, { installationId: fixedInstallationId('there') })))
    for (const [place, job] of [
      [blobs, 'tr_1'],
      [there, 'tr_1'],
      [there, 'tr_2.here'],
    ] as const)
      await place.upload(stream(noise(0.01)), { ...anns, job }, signal())
    await client.initMultipartUpload(keyOf('ann', 'tr_3', 'there'))
    const asked: StoredUpload[] = []
    expect(await blobs.sweep(async left => asked.push(left) > 0, signal())).toBe(0)
    expect(asked.map(({ job, isOwn }) => [job, isOwn])).toEqual([
      ['tr_1', true],
      ['tr_1', false],
      ['tr_2.here', false],
      ['tr_3', false],
    ])
  })

  it('reads on where a list has more pages', async () => {
    const jobs = Array.from({ length: 101 }, (_, number) => keyOf('ann', `tr_${number}`))
    await Promise.all(jobs.map(key => client.put(key, Buffer.from('whole'))))
    await Promise.all(jobs.map(key => client.initMultipartUpload(key)))
    expect(await blobs.sweep(async () => false, signal())).toBe(202)
    expect(names()).toEqual([])
  })

  it('goes on where one cannot be removed or asked about', async () => {
    for (const job of ['stuck', 'doubtful', 'old'])
      await blobs.upload(stream(noise(0.01)), { ...anns, job }, signal())
    oss.fault({
      kind: 'error',
      ...refusal,
      when: ({ kind, key }) => kind === 'delete' && key.includes('stuck'),
    })
    const isWanted = async ({ job }: StoredUpload) => {
      if (job === 'doubtful') throw new SpeechError('STORE_FAILED', 'Not now.', { hint: 'Later.' })
      return false
    }
    expect(await blobs.sweep(isWanted, signal())).toBe(1)
    expect(names()).toEqual([keyOf('ann', 'doubtful'), keyOf('ann', 'stuck')])
  })

  it('says so where it may not look', async () => {
    oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'list' })
    expect(await failure(blobs.sweep(async () => false, signal()))).toMatchObject({ code: 'BUCKET_REFUSED' })
  })
})

describe('an upload into the store of the provider', () => {
  let oss: OssEmulator
  const waiting = { ...anns, scratch: async () => temp.path }
  const open = (policy?: (model: string) => object) =>
    keep(temporaryStorage({ cloud: doorOf(oss, policy), firstDelaySeconds }))

  beforeEach(async () => {
    oss = keep(await startOss())
  })

  it('is made once for each model, under a name that tells nothing', async () => {
    const { keys } = await open().upload(
      stream(noise(0.5)),
      { ...waiting, owner: 'ann@example.com' },
      signal(),
    )
    for (const model of models) expect(oss.temporary.modelOf(keys[model]!)).toBe(model)
    expect(Object.values(keys).join()).not.toMatch(/ann|tr_1/)
    expect(oss.requests.length).toBe(2)
  })

  it('gets new leave where the first has run out', async () => {
    let issued = 0
    const blobs = open(model =>
      oss.temporary.issuePolicy({ model, ...(issued++ < models.length && { expiresIn: 0 }) }),
    )
    const bytes = noise(0.5)
    const { keys } = await blobs.upload(stream(bytes), waiting, signal())
    for (const model of models) expect(oss.temporary.read(keys[model]!)?.equals(bytes)).toBe(true)
    expect(issued).toBe(4)
  })

  it('is given up where new leave does not help', async () => {
    const blobs = open(model => oss.temporary.issuePolicy({ model, expiresIn: 0 }))
    const error = await failure(blobs.upload(stream(noise(0.1)), { ...waiting, models: ['m'] }, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: false })
    expect(oss.requests.length).toBe(2)
  })

  it('is not begun where the recording is too large', async () => {
    const blobs = open(model => oss.temporary.issuePolicy({ model, maxMegabytes: 1 }))
    const error = await failure(blobs.upload(stream(noise(1.1)), waiting, signal()))
    expect(error).toMatchObject({ code: 'TOO_LARGE', hint: expect.stringContaining('OSS_BUCKET') })
    expect(oss.requests).toEqual([])
  })

  it.each([
    'http://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com',
    'https://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com.example',
    'https://oss-cn-beijing.aliyuncs.com@evil.example',
    'https://user:word@a.oss-cn-beijing.aliyuncs.com',
    'https://evil.example/a.oss-cn-beijing.aliyuncs.com',
    'http://10.0.0.1:8080',
    'no address',
  ])('does not go to %s', async host => {
    const blobs = open(model => ({ ...oss.temporary.issuePolicy({ model }), upload_host: host }))
    const error = await failure(blobs.upload(stream(noise(0.1)), waiting, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: false })
    expect(describeError(error)).not.toContain(host)
  })

  it('goes to this machine only where the provider is a stand-in on it', async () => {
    const cloud = { ...doorOf(oss), baseUrl: 'https://dashscope-intl.aliyuncs.com/api/v1' }
    const blobs = keep(temporaryStorage({ cloud, firstDelaySeconds }))
    expect(await failure(blobs.upload(stream(noise(0.1)), waiting, signal()))).toMatchObject({
      code: 'UPLOAD_FAILED',
    })
    expect(oss.requests).toEqual([])
  })

  it('fails as the provider says where its key is refused', async () => {
    const refused = new SpeechError('KEY_REFUSED', 'Refused.', { hint: 'Check it.', scope: 'account' })
    const blobs = open(() => {
      throw refused
    })
    await expect(blobs.upload(stream(noise(0.1)), waiting, signal())).rejects.toBe(refused)
  })

  it('tries again where the provider fails to give leave', async () => {
    let asked = 0
    const blobs = open(model => {
      if (asked++ < 2)
        throw new SpeechError('PROVIDER_FAILED', 'Not now.', { hint: 'Later.', retryable: true })
      return oss.temporary.issuePolicy({ model })
    })
    await blobs.upload(stream(noise(0.1)), waiting, signal())
    expect(oss.temporary.objects().length).toBe(2)
  })

  it('waits in the folder of its job, which is swept where the process dies, and nowhere else', async () => {
    const elsewhere = join(temp.path, 'elsewhere')
    const scratch = join(temp.path, 'scratch')
    for (const folder of [elsewhere, scratch]) mkdirSync(folder)
    vi.stubEnv('TMPDIR', elsewhere)
    const held = heldStream(noise(0.5))
    const put = open().upload(held.stream, { ...anns, scratch: async () => scratch }, signal())
    await held.reached
    expect([readdirSync(scratch).length, readdirSync(elsewhere).length]).toEqual([1, 0])
    held.goOn()
    await put
    expect(readdirSync(scratch)).toEqual([])
  })

  it('says so where the folder it waits in cannot be written', async () => {
    const nowhere = { ...anns, scratch: async () => join(temp.path, 'nowhere') }
    const error = await failure(open().upload(stream(noise(0.1)), nowhere, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', hint: expect.stringContaining('SPEECH_DATA_DIR') })
    expect(describeError(error)).not.toContain(temp.path)
  })

  it('fails as the folder does where there is none', async () => {
    const full = new SpeechError('DISK_FULL', 'Full.', { hint: 'Free some space.' })
    const nowhere = { ...anns, scratch: () => Promise.reject(full) }
    await expect(open().upload(stream(noise(0.1)), nowhere, signal())).rejects.toBe(full)
    expect(oss.requests).toEqual([])
  })
})

describe('names and places', () => {
  it.each(['ann', 'ann@example.com', '..', '.hidden', 'Zoë 张/..\\%2e=', '=2e'])(
    'the owner %j is read back from a name in plain signs',
    owner => {
      const key = keyOf(owner, 'tr_1')
      expect(key).toMatch(/^speech-mcp\/uploads\/[\w@=-][\w@.=-]*\/tr_1\.here\.mp3$/)
      expect(new URL(`https://host/${key}`).pathname).toBe(`/${key}`)
      expect(parseUploadKey(key)).toEqual({ owner, job: 'tr_1', installation })
    },
  )

  it('one data folder keeps its name in the bucket, and another one has another', async () => {
    const oss = keep(await startOss())
    const { bucket, endpoint, accessKeyId, accessKeySecret } = oss
    const env = {
      OSS_BUCKET: bucket,
      OSS_ENDPOINT: endpoint,
      OSS_ACCESS_KEY_ID: accessKeyId,
      OSS_ACCESS_KEY_SECRET: accessKeySecret,
    }
    const open = async (folder: string) =>
      keep(await createApp(readConfig({ ...env, SPEECH_DATA_DIR: join(temp.path, folder) }))).objectStorage
    const installations = []
    for (const folder of ['one', 'one', 'two']) {
      const { keys } = await (await open(folder)).upload(stream(noise(0.01)), anns, signal())
      installations.push(parseUploadKey(keys[models[0]!]!)?.installation)
    }
    const [first, again, other] = installations
    expect(first).toMatch(/^[a-z0-9]{12}$/)
    expect([again === first, other === first]).toEqual([true, false])
  })

  it('a data folder keeps its name in the bucket on another machine, and where it is moved to', async () => {
    const folder = join(temp.path, 'data')
    const name = await installationIdIn(folder).getOrCreate()
    await rename(folder, join(temp.path, 'moved'))
    const moved = installationIdIn(join(temp.path, 'moved'))
    expect([await moved.get(), await moved.getOrCreate()]).toEqual([name, name])
    expect(await readdir(join(temp.path, 'moved'))).toEqual(['installation'])
  })

  it('processes that share a data folder agree on its name, whoever was first', async () => {
    const folder = join(temp.path, 'data')
    const names = await Promise.all(Array.from({ length: 20 }, () => installationIdIn(folder).getOrCreate()))
    expect(new Set(names).size).toBe(1)
    expect(await readdir(folder)).toEqual(['installation'])
  })

  it('a look at the bucket makes no data folder', async () => {
    const folder = join(temp.path, 'none')
    expect(await installationIdIn(folder).get()).toMatch(/^[a-z0-9]{8}$/)
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([
    ['cannot be written', async (folder: string) => writeFile(folder, 'a file')],
    [
      'holds half a name',
      async (folder: string) => {
        await mkdir(folder)
        await writeFile(join(folder, 'installation'), '')
      },
    ],
  ])('a data folder that %s has the name of host and folder', async (_, prepare) => {
    const folder = join(temp.path, 'data')
    await prepare(folder)
    const warnings = warned()
    const name = await installationIdIn(folder).getOrCreate()
    expect(name).toMatch(/^[a-z0-9]{8}$/)
    expect([await installationIdIn(folder).getOrCreate(), await installationIdIn(folder).get()]).toEqual([
      name,
      name,
    ])
    expect(await installationIdIn(join(temp.path, 'data', 'x')).getOrCreate()).not.toBe(name)
    expect(warnings()[0]).toMatchObject({ event: 'installation-not-kept' })
  })

  const frankfurt = 'https://oss-eu-central-1.aliyuncs.com'
  it.each<
    [string, string | undefined, { upload: string; public: string; region: string; pathStyle: boolean }]
  >([
    [
      'oss-eu-central-1.aliyuncs.com',
      undefined,
      { upload: frankfurt, public: frankfurt, region: 'eu-central-1', pathStyle: false },
    ],
    [
      'https://audio.oss-eu-central-1.aliyuncs.com/',
      'oss-eu-central-1',
      { upload: frankfurt, public: frankfurt, region: 'eu-central-1', pathStyle: false },
    ],
    [
      'oss-eu-central-1-internal.aliyuncs.com',
      undefined,
      {
        upload: 'https://oss-eu-central-1-internal.aliyuncs.com',
        public: frankfurt,
        region: 'eu-central-1',
        pathStyle: false,
      },
    ],
    [
      'cn-hangzhou.oss.aliyuncs.com',
      undefined,
      {
        upload: 'https://cn-hangzhou.oss.aliyuncs.com',
        public: 'https://cn-hangzhou.oss.aliyuncs.com',
        region: 'cn-hangzhou',
        pathStyle: false,
      },
    ],
    [
      'http://localhost:8089',
      undefined,
      {
        upload: 'http://localhost:8089',
        public: 'http://localhost:8089',
        region: 'eu-central-1',
        pathStyle: true,
      },
    ],
  ])('endpoint %s with region %s is understood', (endpoint, region, expected) => {
    expect(ossEndpoint({ bucket: 'audio', endpoint, region })).toEqual(expected)
  })

  it('an endpoint that does not say its region asks for OSS_REGION, when it is used', async () => {
    for (const endpoint of [
      'oss-accelerate.aliyuncs.com',
      'oss-accelerate-overseas.aliyuncs.com',
      'a.example',
    ]) {
      const blobs = keep(
        ossStorage({ bucket: 'audio', endpoint, accessKeyId: 'id', accessKeySecret: 'secret' }),
      )
      const error = await failure(blobs.upload(stream(noise(0.1)), anns, signal()))
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringContaining('OSS_REGION') })
    }
  })

  it('half a day of the richest sound is fewer than 10,000 parts', () => {
    const bytes = (12 * 3600 * 1_411_000) / 8
    let sum = 0
    let parts = 0
    while (sum < bytes) sum += partBytes(++parts)
    expect(parts).toBeLessThan(10_000)
    expect(partBytes(1)).toBe(1024 * 1024)
  })
})

describe('the doctor', () => {
  it('finds a bucket in order and leaves nothing in it', async () => {
    const oss = keep(await startOss())
    const blobs = keep(ossStorage(optionsFor(oss)))
    const found = await checkUploads(blobs, { ossBucket: oss.bucket, ossEndpoint: oss.endpoint })
    expect(found).toContain(`bucket ${oss.bucket} at ${oss.endpoint}`)
    expect(found).toContain('the clock is right')
    expect(oss.objects()).toEqual([])
  })

  it.each<[string, (oss: OssEmulator) => void, string]>([
    ['the clock', oss => oss.set({ skewSeconds: 600 }), 'CLOCK_WRONG'],
    [
      'the right to read',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'get' }),
      'UPLOAD_UNREACHABLE',
    ],
    [
      'the right to remove',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'delete' }),
      'BUCKET_REFUSED',
    ],
    [
      'the right to list',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'uploads' }),
      'BUCKET_REFUSED',
    ],
  ])('finds what is wrong with %s', async (_, prepare, code) => {
    const oss = keep(await startOss())
    prepare(oss)
    const blobs = keep(ossStorage(optionsFor(oss)))
    const check = checkUploads(blobs, { ossBucket: oss.bucket, ossEndpoint: oss.endpoint })
    expect(await failure(check)).toMatchObject({ code })
  })

  it('says where uploads go without a bucket', async () => {
    const oss = keep(await startOss())
    const blobs = keep(temporaryStorage({ cloud: doorOf(oss) }))
    const found = await checkUploads(blobs, { ossBucket: undefined, ossEndpoint: 'unused' })
    expect(found).toContain('temporary store')
    expect(oss.requests).toEqual([])
  })
})
