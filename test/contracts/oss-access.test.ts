// Access to a bucket: refused uploads, signed URLs, and the check of `speech-mcp doctor`.
import { describe, expect, it, vi } from 'vitest'
import { type OssEmulator, startOss } from '../../emulators/oss/oss.ts'
import { checkUploads } from '../../src/cli/doctor/doctor.ts'
import { describeError } from '../../src/domain/errors.ts'
import type { ObjectStorage } from '../../src/domain/ports.ts'
import { createHttpClient } from '../../src/drivers/http/http.ts'
import { temporaryStorage } from '../../src/drivers/object-storage/dashscope-temporary/temporary.ts'
import { type OssOptions, ossStorage } from '../../src/drivers/object-storage/oss/oss.ts'
import { failure, models, noise, signal, stream, uploadOfAnn } from '../support/contracts/object-storage.ts'
import { dashscopeWith, keyOf, optionsFor, refusal, useResources } from '../support/contracts/oss.ts'

const { track } = useResources()

describe('refused uploads', () => {
  const token = { securityToken: 'hidden-token', accessKeyId: 'STS.key', accessKeySecret: 'hidden-secret' }
  const temporaryKey = (expiresAt: number) => [{ ...token, expiresAt }]
  const later = () => Date.now() + 3_600_000

  it.each<[string, Partial<OssOptions>, (oss: OssEmulator) => void, string, RegExp]>([
    ['a wrong secret', { accessKeySecret: 'hidden' }, () => {}, 'BUCKET_REFUSED', /ALIBABA_SECRET_KEY/],
    ['an unknown key', { accessKeyId: 'hidden' }, () => {}, 'BUCKET_REFUSED', /ALIBABA_ACCESS_KEY/],
    ['another region', { region: 'cn-hangzhou' }, () => {}, 'BUCKET_REFUSED', /OSS_REGION/],
    ['another endpoint', { bucket: 'faraway' }, () => {}, 'BUCKET_REFUSED', /OSS_ENDPOINT/],
    ['a missing bucket', { bucket: 'nowhere' }, () => {}, 'BUCKET_NOT_FOUND', /OSS_BUCKET/],
    [
      'missing permissions',
      {},
      oss => oss.fault({ kind: 'error', ...refusal }),
      'BUCKET_REFUSED',
      /PutObject/,
    ],
    [
      'a disabled account',
      {},
      oss => oss.fault({ kind: 'error', status: 403, code: 'UserDisable' }),
      'BUCKET_REFUSED',
      /console/,
    ],
    ['a slow clock', {}, oss => oss.set({ skewSeconds: 3600 }), 'CLOCK_WRONG', /network time/],
    ['a fast clock', {}, oss => oss.set({ skewSeconds: -3600 }), 'CLOCK_WRONG', /network time/],
    ['an expired token', token, oss => oss.set({ credentials: temporaryKey(1) }), 'BUCKET_REFUSED', /expire/],
    [
      'a wrong token',
      { ...token, securityToken: 'hidden' },
      oss => oss.set({ credentials: temporaryKey(later()) }),
      'BUCKET_REFUSED',
      /SECURITY_TOKEN/,
    ],
    [
      'a missing token',
      { accessKeyId: 'STS.key', accessKeySecret: 'hidden-secret' },
      oss => oss.set({ credentials: temporaryKey(later()) }),
      'BUCKET_REFUSED',
      /SECURITY_TOKEN/,
    ],
  ])(
    'an upload that is refused because of %s names the remedy and no secret',
    async (_, changes, prepare, code, hint) => {
      const oss = track(await startOss({ bucketsElsewhere: ['faraway'] }))
      prepare(oss)
      const storage = track(ossStorage(optionsFor(oss, changes)))
      for (const size of [0.1, 1.5]) {
        const error = await failure(storage.upload(stream(noise(size)), uploadOfAnn, signal()))
        expect(error).toMatchObject({
          code,
          hint: expect.stringMatching(hint),
          retryable: false,
          scope: 'account',
        })
        const text = describeError(error) + JSON.stringify(error.cause)
        for (const secret of ['hidden', 'STS.', oss.accessKeyId, oss.accessKeySecret, oss.endpoint, 'ann/'])
          expect(text).not.toContain(secret)
      }
      // Not retried: another attempt would fail too.
      const kinds = oss.requests.map(({ kind }) => kind).filter(kind => kind !== 'uploads')
      expect(kinds).toEqual(['put', 'initiate'])
      expect([oss.objects().length, oss.unfinishedUploads().length]).toEqual([0, 0])
    },
  )

  it('credentials that are renewed in place keep working, and the library prints nothing', async () => {
    const printed = vi.spyOn(console, 'warn').mockReturnValue()
    const oss = track(await startOss({ credentials: temporaryKey(later()) }))
    const options = optionsFor(oss, token)
    const storage = track(ossStorage(options))
    await storage.upload(stream(noise(0.1)), uploadOfAnn, signal())
    const renewed = {
      accessKeyId: 'STS.2',
      accessKeySecret: 'renewed',
      securityToken: 'new/token+with=signs',
    }
    oss.set({ credentials: [{ ...renewed, expiresAt: later() }] })
    Object.assign(options, renewed)
    const upload = await storage.upload(stream(noise(1.5)), uploadOfAnn, signal())
    const found = await fetch(await storage.signedUrl(upload, models[0]!, 60, signal()))
    expect(found.status).toBe(200)
    expect(printed).not.toHaveBeenCalled()
  })
})

describe('signed URLs', () => {
  it('a signed URL serves the recording until it expires', async () => {
    const oss = track(await startOss())
    const storage = track(ossStorage(optionsFor(oss)))
    const bytes = noise(1.2)
    const upload = await storage.upload(stream(bytes), { ...uploadOfAnn, owner: 'ann@example.com' }, signal())
    const url = await storage.signedUrl(upload, models[1]!, 600, signal())
    const found = await fetch(url)
    expect(found.status).toBe(200)
    expect(Buffer.from(await found.arrayBuffer()).equals(bytes)).toBe(true)
    oss.set({ skewSeconds: 601 })
    expect((await fetch(url)).status).toBe(403)
  })

  it('a signed URL names the public endpoint even for an internal one, and expires within a week', async () => {
    const storage = ossStorage({
      bucket: 'audio',
      endpoint: 'oss-eu-central-1-internal.aliyuncs.com',
      accessKeyId: 'id',
      accessKeySecret: 'secret',
    })
    const upload = { way: 'bucket' as const, keys: { m: keyOf('ann', 'tr_1') } }
    const { protocol, host, pathname, searchParams } = new URL(
      await storage.signedUrl(upload, 'm', 1e9, signal()),
    )
    expect(`${protocol}//${host}${pathname}`).toBe(
      'https://audio.oss-eu-central-1.aliyuncs.com/speech-mcp/uploads/ann/tr_1.here.mp3',
    )
    expect(searchParams.get('x-oss-expires')).toBe('604800')
    expect(searchParams.get('x-oss-credential')).toMatch(/\/eu-central-1\/oss\//)
  })
})

describe('the upload check of doctor', () => {
  function appWith(objectStorage: ObjectStorage) {
    return {
      objectStorage: track(objectStorage),
      fetchText: track(createHttpClient({ connections: 1 })).fetchText,
    }
  }

  it('doctor accepts a working bucket and leaves nothing in it', async () => {
    const oss = track(await startOss())
    const found = await checkUploads(appWith(ossStorage(optionsFor(oss))), {
      ossBucket: oss.bucket,
      ossEndpoint: oss.endpoint,
    })
    expect(found).toContain(`bucket ${oss.bucket} at ${oss.endpoint}`)
    expect(found).toContain('the clock is correct')
    expect(oss.objects()).toEqual([])
  })

  it.each<[string, (oss: OssEmulator) => void, string]>([
    ['the clock', oss => oss.set({ skewSeconds: 600 }), 'CLOCK_WRONG'],
    [
      'permission to read',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'get' }),
      'UPLOAD_UNREACHABLE',
    ],
    [
      'permission to delete',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'delete' }),
      'BUCKET_REFUSED',
    ],
    [
      'permission to list',
      oss => oss.fault({ kind: 'error', ...refusal, when: ({ kind }) => kind === 'uploads' }),
      'BUCKET_REFUSED',
    ],
  ])('doctor reports a problem with %s', async (_, prepare, code) => {
    const oss = track(await startOss())
    prepare(oss)
    const check = checkUploads(appWith(ossStorage(optionsFor(oss))), {
      ossBucket: oss.bucket,
      ossEndpoint: oss.endpoint,
    })
    expect(await failure(check)).toMatchObject({ code })
  })

  it('doctor reports the temporary store if there is no bucket', async () => {
    const oss = track(await startOss())
    const app = appWith(temporaryStorage({ cloud: dashscopeWith(oss) }))
    const found = await checkUploads(app, { ossBucket: undefined, ossEndpoint: 'unused' })
    expect(found).toContain('temporary storage')
    expect(oss.requests).toEqual([])
  })
})
