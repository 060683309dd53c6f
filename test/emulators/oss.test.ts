// The stand-in for OSS keeps the promises of the service towards its real client, and refuses what the service refuses.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type OssEmulator, type OssOptions, startOss } from '../../emulators/oss/oss.ts'
import {
  clientOf,
  fieldsOf,
  formOf,
  refusalIn,
  refusalOf,
  send,
  signedHeaders,
  uploadParts,
} from '../support/emulators/oss-client.ts'

const open: OssEmulator[] = []
afterEach(() => Promise.all(open.splice(0).map(server => server.close())))

async function start(options: OssOptions = {}): Promise<OssEmulator> {
  const server = await startOss(options)
  open.push(server)
  return server
}

describe('an object', () => {
  it('comes back as it was put, whatever its key', async () => {
    const server = await start()
    const client = clientOf(server)
    const body = randomBytes(3000)
    for (const key of ['plain.mp3', "a/b 中+文(1)'!*.wav", 'a//b+c?&=#%41.mp3']) {
      await client.put(key, body, { meta: { uid: 7, pid: 8 } as never })
      expect((await client.get(key)).content).toEqual(body)
      expect((await client.head(key)).meta).toEqual({ uid: '7', pid: '8' })
      expect(server.read(key)).toEqual(body)
    }
    expect(server.objects()).toHaveLength(3)
    expect(server.requests.map(({ kind, status }) => `${kind} ${status}`).slice(0, 3)).toEqual([
      'put 200',
      'get 200',
      'head 200',
    ])
  })

  it('may come as a stream of unknown length', async () => {
    const server = await start()
    await clientOf(server).putStream('stream', Readable.from([Buffer.from('one '), Buffer.from('two')]))
    expect(server.read('stream')?.toString()).toBe('one two')
  })

  it('is gone after it was deleted, which may be repeated', async () => {
    const server = await start()
    const client = clientOf(server)
    await client.put('once', Buffer.from('x'))
    for (const _ of [1, 2]) expect((await client.delete('once')).res.status).toBe(204)
    expect(await refusalOf(client.get('once'))).toMatchObject({ status: 404, code: 'NoSuchKey' })
    expect(await refusalOf(client.head('once'))).toMatchObject({ status: 404, code: 'NoSuchKey' })
    await client.put('a & <b>', Buffer.from('x'))
    await client.put('c', Buffer.from('x'))
    await client.deleteMulti(['a & <b>', 'never there'])
    expect(server.objects().map(({ key }) => key)).toEqual(['c'])
  })

  it('is not overwritten where that is forbidden', async () => {
    const server = await start()
    const client = clientOf(server)
    const headers = { 'x-oss-forbid-overwrite': 'true' }
    await client.put('mine', Buffer.from('first'), { headers })
    const refusal = { status: 409, code: 'FileAlreadyExists' }
    expect(await refusalOf(client.put('mine', Buffer.from('second'), { headers }))).toMatchObject(refusal)
    expect(await refusalOf(client.initMultipartUpload('mine', { headers }))).toMatchObject(refusal)
    expect(server.read('mine')?.toString()).toBe('first')
  })

  it('is refused when it is not what its digest says', async () => {
    const server = await start()
    const headers = { 'Content-MD5': Buffer.alloc(16).toString('base64') }
    const put = clientOf(server).put('broken', Buffer.from('x'), { headers })
    expect(await refusalOf(put)).toMatchObject({ status: 400, code: 'InvalidDigest' })
    expect(server.objects()).toEqual([])
  })

  it('is given out in ranges, and whole when the range is out of bounds', async () => {
    const server = await start()
    const client = clientOf(server)
    await client.put('range', Buffer.from('0123456789'))
    const get = async (range: string, more: Record<string, string> = {}) => {
      const url = await client.signatureUrlV4('GET', 60, { headers: more } as never, 'range')
      return fetch(url, { headers: { range, ...more } })
    }
    const part = await get('bytes=2-4')
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ])
    expect(await (await get('bytes=-3')).text()).toBe('789')
    expect((await get('bytes=20-30')).status).toBe(200)
    const standard = { 'x-oss-range-behavior': 'standard' }
    expect(await refusalIn(await get('bytes=20-30', standard))).toMatchObject({
      status: 416,
      code: 'InvalidRange',
    })
    expect(await (await get('bytes=8-30', standard)).text()).toBe('89')
  })

  it('is listed under its prefix, page by page', async () => {
    const server = await start()
    const client = clientOf(server)
    for (const key of ['b/2', 'a', 'b/10', 'c', 'b/1']) await client.put(key, Buffer.from(key))
    const query = { prefix: 'b/', 'max-keys': 2 } as never
    const first = await client.listV2(query, {})
    expect(first).toMatchObject({ isTruncated: true, keyCount: 2 })
    const token = first.nextContinuationToken
    const second = await client.listV2(
      { prefix: 'b/', 'max-keys': 2, 'continuation-token': token } as never,
      {},
    )
    expect(second).toMatchObject({ isTruncated: false, nextContinuationToken: null })
    const listed = [...first.objects, ...second.objects].map(({ name, size }) => `${name} ${size}`)
    expect(listed).toEqual(['b/1 3', 'b/10 4', 'b/2 3'])
  })
})

describe('an upload in parts', () => {
  it('is put together byte for byte', async () => {
    const server = await start()
    const body = randomBytes(350_000)
    await clientOf(server).multipartUpload('big.mp3', body, { partSize: 102_400, parallel: 3 })
    expect((await clientOf(server).get('big.mp3')).content.equals(body)).toBe(true)
    expect(server.unfinishedUploads()).toEqual([])
    expect(server.requests.filter(({ kind }) => kind === 'part').map(({ part }) => part)).toHaveLength(4)
  })

  it('can be looked at and given up', async () => {
    const server = await start()
    const client = clientOf(server)
    const one = await uploadParts(client, 'p/one', [120_000, 5, 7])
    await client.initMultipartUpload('p/two')
    await client.initMultipartUpload('other')
    const page = (marker: string) =>
      client.listUploads({ prefix: 'p/', 'max-uploads': 1, ...(marker && { 'key-marker': marker }) }, {})
    const first = await page('')
    expect(first).toMatchObject({ uploads: [{ name: 'p/one', uploadId: one.uploadId }], isTruncated: true })
    expect(await page(first.nextKeyMarker)).toMatchObject({
      uploads: [{ name: 'p/two' }],
      isTruncated: false,
    })
    const parts = await client.listParts('p/one', one.uploadId, { 'part-number-marker': 1 } as never, {})
    expect(parts.parts).toMatchObject([
      { PartNumber: '2', Size: '5' },
      { PartNumber: '3', Size: '7' },
    ])
    expect(server.unfinishedUploads()[0]).toMatchObject({ key: 'p/one', parts: 3, bytes: 120_012 })
    await client.abortMultipartUpload('p/one', one.uploadId)
    expect(server.unfinishedUploads().map(({ key }) => key)).toEqual(['p/two', 'other'])
    const gone = { status: 404, code: 'NoSuchUpload' }
    expect(await refusalOf(client.abortMultipartUpload('p/one', one.uploadId))).toMatchObject(gone)
    const late = client.uploadPart('p/one', one.uploadId, 1, Buffer.alloc(10), 0, 10)
    expect(await refusalOf(late)).toMatchObject(gone)
    expect(server.objects()).toEqual([])
  })

  it('is not completed with parts that are too small, unknown, or out of order', async () => {
    const server = await start()
    const client = clientOf(server)
    const { uploadId, parts, whole } = await uploadParts(client, 'key', [100 * 1024, 100 * 1024 - 1, 1])
    const complete = (list: typeof parts) => client.completeMultipartUpload('key', uploadId, list)
    expect(await refusalOf(complete(parts))).toMatchObject({ status: 400, code: 'EntityTooSmall' })
    const swapped = [parts[0]!, { number: 2, etag: parts[2]!.etag }]
    expect(await refusalOf(complete(swapped))).toMatchObject({ status: 400, code: 'InvalidPart' })
    expect(await refusalOf(complete([{ ...parts[0]!, number: 9 }]))).toMatchObject({ code: 'InvalidPart' })
    // The client sorts its parts, so that this has to be sent by hand.
    const [path, query] = ['/speech-standin/key', `uploadId=${uploadId}`]
    const backwards = [...parts]
      .reverse()
      .map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
    const answer = await send(server, {
      method: 'POST',
      path: `${path}?${query}`,
      headers: signedHeaders(server, { method: 'POST', resource: path, query }),
      body: Buffer.from(`<CompleteMultipartUpload>${backwards.join('')}</CompleteMultipartUpload>`),
    })
    expect(await refusalIn(answer)).toMatchObject({ status: 400, code: 'InvalidPartOrder' })
    expect(server.objects()).toEqual([])
    await complete(parts.slice(0, 2))
    expect(server.read('key')?.equals(whole.subarray(0, -1))).toBe(true)
    expect(await refusalOf(complete(parts.slice(0, 2)))).toMatchObject({ code: 'NoSuchUpload' })
  })
})

describe('a signature', () => {
  it('is asked for, and version 1 is none', async () => {
    const server = await start()
    const nobody = await send(server, { method: 'GET', path: '/speech-standin/key' })
    expect(await refusalIn(nobody)).toMatchObject({ status: 403, code: 'AccessDenied' })
    const old = clientOf(server, { authorizationV4: false })
    expect(await refusalOf(old.put('key', Buffer.from('x')))).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: expect.stringContaining('version 1'),
    })
    expect((await fetch(old.signatureUrl('key'))).status).toBe(403)
    expect(server.objects()).toEqual([])
  })

  it('has to be made with the right key, secret and region', async () => {
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

  it('opens no bucket that is unknown, elsewhere, or of another owner', async () => {
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

  it('ends a quarter of an hour from the clock of the server', async () => {
    const server = await start()
    const put = () => clientOf(server).put('key', Buffer.from('x'))
    server.set({ skewSeconds: 14 * 60 })
    await put()
    for (const minutes of [16, -16]) {
      server.set({ skewSeconds: minutes * 60 })
      expect(await refusalOf(put())).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' })
    }
  })

  it('of a temporary key needs its token, which ends', async () => {
    let now = Date.now()
    const keys = { accessKeyId: 'STS.one', accessKeySecret: 'secret' }
    const credentials = [{ ...keys, securityToken: 'token', expiresAt: now + 60_000 }]
    const server = await start({ now: () => now, credentials })
    // The client warns on stderr unless it knows where new tokens come from.
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

  it('in an address counts for one method, one key and a while', async () => {
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

describe('the temporary store', () => {
  const file = randomBytes(5000)
  const post = (url: string, body: FormData) => fetch(url, { method: 'POST', body })

  it('takes a form with a policy, and gives it out for the model of the policy', async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'fun-asr-mtl' })
    const response = await post(policy.upload_host, formOf(fieldsOf(policy), file))
    expect([response.status, await response.text()]).toEqual([200, ''])
    const key = `${policy.upload_dir}/meeting.mp3`
    expect(server.temporary.read(key)).toEqual(file)
    expect(server.temporary.modelOf(key)).toBe('fun-asr-mtl')
    expect(server.temporary.objects()).toMatchObject([{ key, size: 5000, model: 'fun-asr-mtl' }])
    expect(server.objects()).toEqual([])
    const fetched = await fetch(server.temporary.signedUrl(key))
    expect(Buffer.from(await fetched.arrayBuffer())).toEqual(file)
    const { success_action_status: _, ...silent } = fieldsOf(policy, 'second.mp3')
    expect((await post(policy.upload_host, formOf(silent, file))).status).toBe(204)
  })

  it('refuses a form that is not as its policy wants it', async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'm', maxMegabytes: 1 })
    const attempt = async (changes: Record<string, string>, body = file) =>
      refusalIn(await post(policy.upload_host, formOf({ ...fieldsOf(policy), ...changes }, body)))
    const denied = { status: 403, code: 'AccessDenied' }
    expect(await attempt({ key: 'elsewhere/meeting.mp3' })).toMatchObject(denied)
    expect(await attempt({ 'x-oss-object-acl': 'public-read' })).toMatchObject(denied)
    expect(await attempt({ 'x-oss-forbid-overwrite': 'false' })).toMatchObject(denied)
    expect(await attempt({ Signature: 'bm9uZQ==' })).toMatchObject({ code: 'SignatureDoesNotMatch' })
    expect(await attempt({ OSSAccessKeyId: 'LTAIother' })).toMatchObject({ code: 'InvalidAccessKeyId' })
    expect(await attempt({}, Buffer.alloc(1024 * 1024 + 1))).toMatchObject({
      status: 400,
      code: 'EntityTooLarge',
    })
    expect(server.temporary.objects()).toEqual([])
    expect((await post(policy.upload_host, formOf(fieldsOf(policy), file))).status).toBe(200)
    expect(await attempt({})).toMatchObject({ status: 409, code: 'FileAlreadyExists' })
  })

  it('lets policies and uploads end', async () => {
    let now = Date.now()
    const server = await start({ now: () => now })
    const policy = server.temporary.issuePolicy({ model: 'm', expiresIn: 300 })
    await post(policy.upload_host, formOf(fieldsOf(policy), file))
    now += 300_000
    const late = await post(policy.upload_host, formOf(fieldsOf(policy, 'late.mp3'), file))
    expect(await refusalIn(late)).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'Invalid according to Policy: Policy expired.',
    })
    now += 48 * 3_600_000
    const key = `${policy.upload_dir}/meeting.mp3`
    expect(server.temporary.read(key)).toBeUndefined()
    const gone = await fetch(server.temporary.signedUrl(key))
    expect(await refusalIn(gone)).toMatchObject({ status: 404, code: 'NoSuchKey' })
  })

  it('is as picky about the form as the service', async () => {
    const server = await start()
    const policy = server.temporary.issuePolicy({ model: 'm' })
    const { pathname: path } = new URL(policy.upload_host)
    const raw = Buffer.from(await new Response(formOf(fieldsOf(policy), file)).arrayBuffer())
    const boundary = raw.toString('latin1', 2, raw.indexOf('\r\n'))
    const length = (body: Buffer) => ({ 'content-length': String(body.length) })
    const type = (text: string) => ({ 'content-type': `multipart/form-data; boundary=${text}` })
    const attempt = async (body: Buffer, headers: Record<string, string>) =>
      refusalIn(await send(server, { method: 'POST', path, body, headers }))
    const malformed = { status: 400, code: 'MalformedPOSTRequest' }
    const unquoted = Buffer.from(raw.toString('latin1').replace('name="policy"', 'name=policy'), 'latin1')
    expect(await attempt(unquoted, { ...length(unquoted), ...type(boundary) })).toMatchObject(malformed)
    expect(await attempt(raw, { ...length(raw), ...type(`"${boundary}"`) })).toMatchObject(malformed)
    const chunked = { 'transfer-encoding': 'chunked', ...type(boundary) }
    expect(await attempt(raw, chunked)).toMatchObject({ status: 411, code: 'MissingContentLength' })
    const { key, ...others } = fieldsOf(policy)
    const early = formOf(others, file)
    early.append('key', key!)
    expect((await post(policy.upload_host, early)).status).toBe(403)
    const fileless = await post(policy.upload_host, formOf(fieldsOf(policy), undefined))
    expect(await refusalIn(fileless)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(server.temporary.objects()).toEqual([])
    expect(
      (
        await send(server, {
          method: 'POST',
          path,
          body: raw,
          headers: { ...length(raw), ...type(boundary) },
        })
      ).status,
    ).toBe(200)
  })
})

describe('bad luck', () => {
  const put = (server: OssEmulator, key = 'key') => clientOf(server).put(key, Buffer.from('x'))

  it('answers with an error as often, and to whom, it is told', async () => {
    const server = await start()
    const denied = { status: 403, code: 'AccessDenied', message: 'Forbidden by a policy.' }
    const off = server.fault({ kind: 'error', ...denied, when: ({ kind }) => kind === 'delete' })
    server.fault({ kind: 'error', status: 503, code: 'ServiceUnavailable', times: 1, every: 2 })
    await put(server)
    expect(await refusalOf(put(server, 'two'))).toMatchObject({ status: 503, code: 'ServiceUnavailable' })
    await put(server, 'three')
    expect(await refusalOf(clientOf(server).delete('key'))).toMatchObject(denied)
    off()
    await clientOf(server).delete('key')
    expect(server.objects().map(({ key }) => key)).toEqual(['three'])
  })

  it('cuts the connection before or after it has done what was asked', async () => {
    const server = await start()
    server.fault({ kind: 'drop', when: ({ key }) => key === 'before' })
    server.fault({ kind: 'dropAfter', when: ({ key }) => key === 'after' })
    expect(await refusalOf(put(server, 'before'))).toMatchObject({ status: -1 })
    expect(await refusalOf(put(server, 'after'))).toMatchObject({ status: -1 })
    expect(server.objects().map(({ key }) => key)).toEqual(['after'])
  })

  it('leaves nothing of an object whose sender has left', async () => {
    const server = await start()
    const path = '/speech-standin/half'
    const headers = { ...signedHeaders(server, { method: 'PUT', resource: path }), 'content-length': '1000' }
    const sender = request(`${server.endpoint}${path}`, { method: 'PUT', headers })
    sender.once('error', () => undefined)
    sender.write(Buffer.alloc(500))
    await vi.waitFor(() => expect(server.requests[0]?.bytes).toBe(500), 20_000)
    sender.destroy()
    await vi.waitFor(() => expect(server.requests[0]).toMatchObject({ aborted: true, status: 0 }), 20_000)
    expect(server.objects()).toEqual([])
  })

  it('never answers, until the server is closed', async () => {
    const server = await start()
    server.fault({ kind: 'hang', when: ({ key }) => key === 'hangs' })
    server.fault({ kind: 'slow', seconds: 3600, when: ({ key }) => key === 'slow' })
    const calls = ['hangs', 'slow'].map(key => refusalOf(put(server, key)))
    await vi.waitFor(() => expect(server.requests).toHaveLength(2), 20_000)
    await server.close()
    expect(await Promise.all(calls)).toMatchObject([{ status: -1 }, { status: -1 }])
    expect(server.objects()).toEqual([])
  })

  it('takes uploads no faster than its line allows', async () => {
    const server = await start({ mbitPerSecond: 0.001 })
    const sender = request(`${server.endpoint}/speech-standin/slow`, {
      method: 'PUT',
      headers: signedHeaders(server, { method: 'PUT', resource: '/speech-standin/slow' }),
    })
    // A hundred kilobytes take the better part of a quarter of an hour.
    sender.end(Buffer.alloc(100_000))
    await vi.waitFor(() => expect(server.requests[0]?.bytes).toBeGreaterThan(0), 20_000)
    const cut = once(sender, 'error')
    expect(server.objects()).toEqual([])
    server.set({ mbitPerSecond: undefined })
    await put(server, 'fast')
    expect(server.objects().map(({ key }) => key)).toEqual(['fast'])
    await server.close()
    await cut
  })
})
