// The OSS emulator: objects and multipart uploads, through the real client.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type OssOptions, startOss } from '../../../emulators/oss/oss.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import {
  clientOf,
  refusalIn,
  refusalOf,
  send,
  signedHeaders,
  uploadParts,
} from '../../support/emulators/oss-client.ts'

const start = closedAfterEach((options: OssOptions = {}) => startOss(options))

describe('objects', () => {
  it('an object with any key is returned as uploaded', async () => {
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

  it('an object can be uploaded as a stream of unknown length', async () => {
    const server = await start()
    await clientOf(server).putStream('stream', Readable.from([Buffer.from('one '), Buffer.from('two')]))
    expect(server.read('stream')?.toString()).toBe('one two')
  })

  it('deleting an object removes it and may be repeated', async () => {
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

  it('an object is not overwritten if the request forbids it', async () => {
    const server = await start()
    const client = clientOf(server)
    const headers = { 'x-oss-forbid-overwrite': 'true' }
    await client.put('mine', Buffer.from('first'), { headers })
    const refusal = { status: 409, code: 'FileAlreadyExists' }
    expect(await refusalOf(client.put('mine', Buffer.from('second'), { headers }))).toMatchObject(refusal)
    expect(await refusalOf(client.initMultipartUpload('mine', { headers }))).toMatchObject(refusal)
    expect(server.read('mine')?.toString()).toBe('first')
  })

  it('an upload that does not match its digest is refused', async () => {
    const server = await start()
    const headers = { 'Content-MD5': Buffer.alloc(16).toString('base64') }
    const put = clientOf(server).put('broken', Buffer.from('x'), { headers })
    expect(await refusalOf(put)).toMatchObject({ status: 400, code: 'InvalidDigest' })
    expect(server.objects()).toEqual([])
  })

  it('a range request returns the range, or the whole object if the range is out of bounds', async () => {
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

  it('objects are listed by prefix, page by page', async () => {
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

describe('multipart uploads', () => {
  it('a multipart upload is joined byte for byte', async () => {
    const server = await start()
    const body = randomBytes(350_000)
    await clientOf(server).multipartUpload('big.mp3', body, { partSize: 102_400, parallel: 3 })
    expect((await clientOf(server).get('big.mp3')).content.equals(body)).toBe(true)
    expect(server.unfinishedUploads()).toEqual([])
    expect(server.requests.filter(({ kind }) => kind === 'part').map(({ part }) => part)).toHaveLength(4)
  })

  it('a multipart upload can be listed and aborted', async () => {
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

  it('a multipart upload with parts that are too small, unknown or out of order is refused', async () => {
    const server = await start()
    const client = clientOf(server)
    const { uploadId, parts, whole } = await uploadParts(client, 'key', [100 * 1024, 100 * 1024 - 1, 1])
    const complete = (list: typeof parts) => client.completeMultipartUpload('key', uploadId, list)
    expect(await refusalOf(complete(parts))).toMatchObject({ status: 400, code: 'EntityTooSmall' })
    const swapped = [parts[0]!, { number: 2, etag: parts[2]!.etag }]
    expect(await refusalOf(complete(swapped))).toMatchObject({ status: 400, code: 'InvalidPart' })
    expect(await refusalOf(complete([{ ...parts[0]!, number: 9 }]))).toMatchObject({ code: 'InvalidPart' })
    // The client sorts its parts, so this request is built by hand.
    const [path, query] = ['/speech-emulator/key', `uploadId=${uploadId}`]
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
