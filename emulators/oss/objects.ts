// Operations on whole objects.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { elementsOf, textOf, xml } from '../xml.ts'
import { refusal } from './errors.ts'
import type { Answer, OperationRequest } from './request.ts'
import { etagOf, guardOverwrite, type StoredObject } from './storage.ts'

const maxKeyBytes = 1023

export function putObject({ content, key, headers, body, now }: OperationRequest): Answer {
  checkKey(key)
  checkDigest(headers, body)
  guardOverwrite(content, key, headers['x-oss-forbid-overwrite'])
  const stored = { body, etag: etagOf(body), modified: now, multipart: false, ...metadataOf(headers) }
  content.objects.set(key, stored)
  return { status: 200, headers: { etag: stored.etag, 'content-md5': md5(body) } }
}

export function getObject({ content, key, headers }: OperationRequest): Answer {
  const object = content.objects.get(key)
  if (!object) throw refusal('NoSuchKey', undefined, { Key: key })
  const size = object.body.length
  const range = rangeOf(headers, size)
  if (!range) return { status: 200, headers: headersOf(object), body: object.body }
  const [from, to] = range
  return {
    status: 206,
    headers: { ...headersOf(object), 'content-range': `bytes ${from}-${to}/${size}` },
    body: object.body.subarray(from, to + 1),
  }
}

export function headObject(call: OperationRequest): Answer {
  const object = call.content.objects.get(call.key)
  if (!object) throw refusal('NoSuchKey')
  return { status: 200, headers: { ...headersOf(object), 'content-length': String(object.body.length) } }
}

export function deleteObject({ content, key }: OperationRequest): Answer {
  content.objects.delete(key)
  return { status: 204 }
}

export function deleteObjects({ content, headers, body }: OperationRequest): Answer {
  if (!headers['content-md5']) throw refusal('InvalidArgument', 'Missing Some Required Arguments.')
  checkDigest(headers, body)
  const text = body.toString('utf8')
  const keys = elementsOf(text, 'Object').map(object => textOf(object, 'Key'))
  if (keys.length === 0 || keys.length > 1000 || keys.some(key => !key)) throw refusal('MalformedXML')
  for (const key of keys) content.objects.delete(key!)
  const quiet = textOf(text, 'Quiet') === 'true'
  return { status: 200, body: xml('DeleteResult', { Deleted: quiet ? [] : keys.map(key => ({ Key: key })) }) }
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes || /^[/\\]/.test(key)) throw refusal('InvalidObjectName')
}

export function checkDigest(headers: IncomingHttpHeaders, body: Buffer): void {
  const given = headers['content-md5']
  if (given !== undefined && given !== md5(body)) throw refusal('InvalidDigest')
}

/** The headers of an upload that are stored with the object. */
export function metadataOf(headers: IncomingHttpHeaders): Pick<StoredObject, 'type' | 'meta'> {
  const meta = Object.entries(headers).filter(([name]) => name.startsWith('x-oss-meta-'))
  return {
    type: headers['content-type'] ?? 'application/octet-stream',
    meta: Object.fromEntries(meta.map(([name, value]) => [name, String(value)])),
  }
}

function headersOf(object: StoredObject): Record<string, string> {
  return {
    'content-type': object.type,
    etag: object.etag,
    'last-modified': new Date(object.modified).toUTCString(),
    'accept-ranges': 'bytes',
    'x-oss-object-type': object.multipart ? 'Multipart' : 'Normal',
    'x-oss-storage-class': 'Standard',
    ...(object.multipart ? {} : { 'content-md5': md5(object.body) }),
    ...object.meta,
  }
}

/** First and last byte; undefined means all. OSS returns the whole object for an invalid range, unless `standard`. */
function rangeOf(headers: IncomingHttpHeaders, size: number): [number, number] | undefined {
  const found = /^bytes=(\d*)-(\d*)/.exec(headers.range ?? '')
  if (!found || (!found[1] && !found[2])) return undefined
  const standard = headers['x-oss-range-behavior'] === 'standard'
  const from = found[1] ? Number(found[1]) : size - Number(found[2])
  const to = found[1] && found[2] ? Number(found[2]) : size - 1
  if (from >= 0 && from <= to && to < size) return [from, to]
  if (!standard) return undefined
  if (from >= size || to < from) throw refusal('InvalidRange')
  return [Math.max(0, from), Math.min(to, size - 1)]
}

function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('base64')
}
