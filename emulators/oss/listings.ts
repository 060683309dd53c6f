// Paginated listings of objects and of unfinished uploads.
import { xml } from '../xml.ts'
import { refusal } from './errors.ts'
import { type Answer, numberIn, type OperationRequest } from './request.ts'
import { compareKeys, sortedByKey } from './storage.ts'

export function listObjects({ content, query }: OperationRequest): Answer {
  if (query.get('delimiter')) throw refusal('NotImplemented')
  const prefix = query.get('prefix') ?? ''
  const token = query.get('continuation-token')
  const after = token ? keyOfToken(token) : (query.get('start-after') ?? '')
  const maxEntries = numberIn(query, 'max-keys', 1, 1000, 100)
  const rest = sortedByKey(content.objects, ([key]) => key).filter(
    ([key]) => key.startsWith(prefix) && compareKeys(key, after) > 0,
  )
  const page = rest.slice(0, maxEntries)
  const truncated = rest.length > page.length
  return {
    status: 200,
    body: xml('ListBucketResult', {
      Name: content.name,
      Prefix: prefix,
      MaxKeys: maxEntries,
      KeyCount: page.length,
      IsTruncated: truncated,
      ContinuationToken: token,
      NextContinuationToken: truncated ? tokenOf(page.at(-1)![0]) : undefined,
      Contents: page.map(([key, object]) => ({
        Key: key,
        LastModified: new Date(object.modified).toISOString(),
        ETag: object.etag,
        Type: object.multipart ? 'Multipart' : 'Normal',
        Size: object.body.length,
        StorageClass: 'Standard',
      })),
    }),
  }
}

export function listUploads({ content, query }: OperationRequest): Answer {
  if (query.get('delimiter')) throw refusal('NotImplemented')
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  // An upload marker without a key marker is ignored.
  const idMarker = keyMarker ? (query.get('upload-id-marker') ?? '') : ''
  const maxEntries = numberIn(query, 'max-uploads', 1, 1000, 1000)
  const rest = sortedByKey(content.uploads.values(), upload => `${upload.key}\0${upload.id}`).filter(
    ({ key, id }) => {
      if (!key.startsWith(prefix)) return false
      return compareKeys(key, keyMarker) > 0 || (key === keyMarker && idMarker !== '' && id > idMarker)
    },
  )
  const page = rest.slice(0, maxEntries)
  const truncated = rest.length > page.length
  return {
    status: 200,
    body: xml('ListMultipartUploadsResult', {
      Bucket: content.name,
      KeyMarker: keyMarker,
      UploadIdMarker: idMarker,
      NextKeyMarker: truncated ? page.at(-1)!.key : '',
      NextUploadIdMarker: truncated ? page.at(-1)!.id : '',
      Prefix: prefix,
      MaxUploads: maxEntries,
      IsTruncated: truncated,
      Upload: page.map(({ key, id, initiated }) => ({
        Key: key,
        UploadId: id,
        StorageClass: 'Standard',
        Initiated: new Date(initiated).toISOString(),
      })),
    }),
  }
}

function tokenOf(key: string): string {
  return Buffer.from(key).toString('base64')
}

function keyOfToken(token: string): string {
  const key = Buffer.from(token, 'base64').toString('utf8')
  if (tokenOf(key) !== token) {
    throw refusal('InvalidArgument', 'The continuation token is invalid.', {
      ArgumentName: 'continuation-token',
    })
  }
  return key
}
