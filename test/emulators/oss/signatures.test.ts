// The OSS emulator: signatures, keys and buckets.
import { describe, expect, it } from 'vitest'
import { type OssOptions, startOss } from '../../../emulators/oss/oss.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { clientOf, refusalIn, refusalOf, send } from '../../support/emulators/oss-client.ts'

const start = closedAfterEach((options: OssOptions = {}) => startOss(options))

describe('signatures', () => {
  it('an unsigned request and a signature of version 1 are refused', async () => {
    const server = await start()
    const unsigned = await send(server, { method: 'GET', path: '/speech-emulator/key' })
    expect(await refusalIn(unsigned)).toMatchObject({ status: 403, code: 'AccessDenied' })
    const old = clientOf(server, { authorizationV4: false })
    expect(await refusalOf(old.put('key', Buffer.from('x')))).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: expect.stringContaining('version 1'),
    })
    expect((await fetch(old.signatureUrl('key'))).status).toBe(403)
    expect(server.objects()).toEqual([])
  })

  it('a signature with a wrong key, secret or region is refused', async () => {
    const server = await start()
    const put = (changes: Parameters<typeof clientOf>[1]) =>
      refusalOf(clientOf(server, changes).put('key', Buffer.from('x')))
    expect(await put({ accessKeySecret: 'wrong' })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
      requestId: expect.stringMatching(/^[0-9A-F]{24}$/),
    })
    expect(await put({ accessKeyId: 'LTAIunknown' })).toMatchObject({
      status: 403,
      code: 'InvalidAccessKeyId',
    })
    expect(await put({ region: 'oss-cn-hangzhou' })).toMatchObject({
      status: 400,
      code: 'InvalidArgument',
      message: 'Invalid signing region in Authorization header.',
    })
  })

  it('a bucket that is unknown, in another region or of another owner is refused', async () => {
    const server = await start({ bucketsElsewhere: ['far-away'] })
    const put = (bucket: string) => refusalOf(clientOf(server, { bucket }).put('key', Buffer.from('x')))
    expect(await put('unknown')).toMatchObject({ status: 404, code: 'NoSuchBucket' })
    expect(await put('far-away')).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: expect.stringContaining('must be addressed using the specified endpoint'),
    })
    expect(await put('dashscope-file-mgr')).toMatchObject({ status: 403, code: 'AccessDenied' })
  })

  it('a signature more than 15 minutes off the server clock is refused', async () => {
    const server = await start()
    const put = () => clientOf(server).put('key', Buffer.from('x'))
    server.set({ skewSeconds: 14 * 60 })
    await put()
    for (const minutes of [16, -16]) {
      server.set({ skewSeconds: minutes * 60 })
      expect(await refusalOf(put())).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' })
    }
  })

  it('a temporary key requires its token until the token expires', async () => {
    let now = Date.now()
    const keys = { accessKeyId: 'STS.one', accessKeySecret: 'secret' }
    const credentials = [{ ...keys, securityToken: 'token', expiresAt: now + 60_000 }]
    const server = await start({ now: () => now, credentials })
    // Without a way to refresh tokens the client warns on stderr.
    const token = (stsToken: string) => ({ stsToken, refreshSTSToken: async () => ({ ...keys, stsToken }) })
    const put = (changes: object) => clientOf(server, changes).put('key', Buffer.from('x'))
    await put(token('token'))
    expect(await refusalOf(put({}))).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' })
    expect(await refusalOf(put(token('other')))).toMatchObject({ code: 'InvalidSecurityToken' })
    const client = clientOf(server, token('token'))
    const url = await client.signatureUrlV4('GET', 3600, {} as never, 'key')
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url.replace('=token', '=other'))).status).toBe(403)
    now += 61_000
    const ended = { status: 403, code: 'SecurityTokenExpired' }
    expect(await refusalOf(put(token('token')))).toMatchObject(ended)
    expect(await refusalIn(await fetch(url))).toMatchObject(ended)
    server.set({ credentials: [keys] })
    await put({})
    expect(await refusalOf(put(token('token')))).toMatchObject({
      code: 'AccessKeyIdAndSecurityTokenNotMatch',
    })
  })

  it('a signed URL is valid for one method, one key and a limited time', async () => {
    let now = Date.now()
    const server = await start({ now: () => now })
    const client = clientOf(server)
    await client.put('key', Buffer.from('content'))
    const url = await client.signatureUrlV4('GET', 60, {} as never, 'key')
    expect(await (await fetch(url)).text()).toBe('content')
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403)
    const mismatch = { status: 403, code: 'SignatureDoesNotMatch' }
    expect(await refusalIn(await fetch(url.replace('expires=60', 'expires=600')))).toMatchObject(mismatch)
    expect(await refusalIn(await fetch(url.replace('/key?', '/other?')))).toMatchObject(mismatch)
    now += 62_000
    expect(await refusalIn(await fetch(url))).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired.',
    })
    const week = await client.signatureUrlV4('GET', 604_801, {} as never, 'key')
    expect(await refusalIn(await fetch(week))).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
})
