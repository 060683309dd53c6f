// Multipart uploads: initiate, upload a part, complete, abort, and list parts.
import { createHash } from 'node:crypto'
import { elementsOf, textOf, xml } from '../xml.ts'
import { refusal } from './errors.ts'
import { checkDigest, checkKey, metadataOf } from './objects.ts'
import { type Answer, numberIn, type OperationRequest } from './request.ts'
import { etagOf, guardOverwrite, newUploadId, type StoredPart, type UnfinishedUpload } from './storage.ts'

/** Only the last part may be smaller. */
const minPartBytes = 100 * 1024
const maxPartNumber = 10_000

export function initiateUpload({ content, key, headers, now }: OperationRequest): Answer {
  checkKey(key)
  guardOverwrite(content, key, headers['x-oss-forbid-overwrite'])
  const upload = { id: newUploadId(), key, initiated: now, parts: new Map(), ...metadataOf(headers) }
  content.uploads.set(upload.id, upload)
  const result = { Bucket: content.name, Key: key, UploadId: upload.id }
  return { status: 200, body: xml('InitiateMultipartUploadResult', result) }
}

export function uploadPart(call: OperationRequest): Answer {
  const number = numberIn(call.query, 'partNumber', 1, maxPartNumber, 0)
  if (!number) throw refusal('InvalidArgument', 'Part number must be an integer between 1 and 10000.')
  const upload = uploadOf(call)
  checkDigest(call.headers, call.body)
  const part = { body: call.body, etag: etagOf(call.body), modified: call.now }
  upload.parts.set(number, part)
  return { status: 200, headers: { etag: part.etag } }
}

export function completeUpload(call: OperationRequest): Answer {
  const { content, key, headers, now, body } = call
  const upload = uploadOf(call)
  checkDigest(headers, body)
  const parts = listedParts(body.toString('utf8'), upload)
  guardOverwrite(content, key, headers['x-oss-forbid-overwrite'])
  const joined = Buffer.concat(parts.map(part => part.body))
  const etag = etagOfParts(parts)
  const { type, meta } = upload
  content.objects.set(key, { body: joined, etag, type, meta, modified: now, multipart: true })
  content.uploads.delete(upload.id)
  return {
    status: 200,
    headers: { etag },
    body: xml('CompleteMultipartUploadResult', {
      Location: `http://${headers.host}/${content.name}/${key}`,
      Bucket: content.name,
      Key: key,
      ETag: etag,
    }),
  }
}

export function abortUpload(call: OperationRequest): Answer {
  call.content.uploads.delete(uploadOf(call).id)
  return { status: 204 }
}

export function listParts(call: OperationRequest): Answer {
  const upload = uploadOf(call)
  const maxParts = numberIn(call.query, 'max-parts', 1, 1000, 1000)
  const after = numberIn(call.query, 'part-number-marker', 0, maxPartNumber, 0)
  const rest = [...upload.parts].filter(([number]) => number > after).sort(([one], [other]) => one - other)
  const page = rest.slice(0, maxParts)
  return {
    status: 200,
    body: xml('ListPartsResult', {
      Bucket: call.content.name,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
      MaxParts: maxParts,
      IsTruncated: rest.length > page.length,
      Part: page.map(([number, part]) => ({
        PartNumber: number,
        LastModified: new Date(part.modified).toISOString(),
        ETag: part.etag,
        Size: part.body.length,
      })),
    }),
  }
}

function uploadOf({ content, key, query }: OperationRequest): UnfinishedUpload {
  const id = query.get('uploadId') ?? ''
  const upload = content.uploads.get(id)
  if (upload?.key !== key) throw refusal('NoSuchUpload', undefined, { UploadId: id })
  return upload
}

function listedParts(text: string, upload: UnfinishedUpload): StoredPart[] {
  const listed = elementsOf(text, 'Part').map(part => ({
    number: Number(textOf(part, 'PartNumber')),
    etag: textOf(part, 'ETag')?.replaceAll('"', ''),
  }))
  if (listed.length === 0 || listed.some(part => !part.number || !part.etag)) throw refusal('MalformedXML')
  if (listed.some((part, index) => part.number <= (listed[index - 1]?.number ?? 0))) {
    throw refusal('InvalidPartOrder')
  }
  return listed.map(({ number, etag }, index) => {
    const part = upload.parts.get(number)
    if (part?.etag !== `"${etag?.toUpperCase()}"`) {
      throw refusal('InvalidPart', undefined, { UploadId: upload.id, PartNumber: String(number) })
    }
    if (part.body.length < minPartBytes && index < listed.length - 1) {
      throw refusal('EntityTooSmall', undefined, {
        MinSizeAllowed: String(minPartBytes),
        ProposedSize: String(part.body.length),
        PartNumber: String(number),
      })
    }
    return part
  })
}

function etagOfParts(parts: StoredPart[]): string {
  const etags = parts.map(part => part.etag.replaceAll('"', ''))
  const hash = createHash('md5')
    .update(Buffer.from(etags.join(''), 'hex'))
    .digest('hex')
    .toUpperCase()
  return `"${hash}-${parts.length}"`
}
