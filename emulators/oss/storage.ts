// Buckets in memory: objects and unfinished uploads.
import { createHash, randomBytes } from 'node:crypto'
import { refusal } from './errors.ts'

export interface StoredObject {
  body: Buffer
  /** Including quotes. */
  etag: string
  type: string
  /** `x-oss-meta-*` headers, returned with the object. */
  meta: Record<string, string>
  /** Milliseconds since 1970. */
  modified: number
  multipart: boolean
}

export interface StoredPart {
  body: Buffer
  etag: string
  modified: number
}

export interface UnfinishedUpload {
  id: string
  key: string
  initiated: number
  type: string
  meta: Record<string, string>
  parts: Map<number, StoredPart>
}

export interface Bucket {
  name: string
  objects: Map<string, StoredObject>
  uploads: Map<string, UnfinishedUpload>
}

export function createBucket(name: string): Bucket {
  return { name, objects: new Map(), uploads: new Map() }
}

export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex').toUpperCase()}"`
}

export function newUploadId(): string {
  return randomBytes(16).toString('hex').toUpperCase()
}

/** Sorted by the bytes of the key, the order of OSS listings. */
export function sortedByKey<T>(items: Iterable<T>, keyOf: (item: T) => string): T[] {
  return [...items].sort((one, other) => compareKeys(keyOf(one), keyOf(other)))
}

export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** Throws `FileAlreadyExists` if the request forbids to overwrite the object. */
export function guardOverwrite(bucket: Bucket, key: string, forbids: string | string[] | undefined): void {
  if (forbids === 'true' && bucket.objects.has(key)) throw refusal('FileAlreadyExists')
}
