// The stand-in for OSS: a server on loopback that stores objects, checks signatures, and misbehaves on demand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { authenticate, type Credentials } from './access.ts'
import { OssError, refusal } from './errors.ts'
import { createOssFaults, type OssFault, type OssRequest } from './faults.ts'
import { createReceiver, refusalAnswer, send } from './http.ts'
import { listObjects, listUploads } from './listings.ts'
import { abortUpload, completeUpload, initiateUpload, listParts, uploadPart } from './multipart.ts'
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './objects.ts'
import { type Answer, type Kind, kindOf, type OperationRequest, type Target, targetOf } from './request.ts'
import { createBucket } from './storage.ts'
import { createTemporaryStore, TEMPORARY_BUCKET, type TemporaryStore } from './temporary.ts'

export type { Credentials } from './access.ts'
export type { OssFault, OssRequest } from './faults.ts'
export type { Policy, TemporaryStore } from './temporary.ts'

export interface OssOptions {
  /** Names; default: `speech-standin`. */
  buckets?: string[]
  /** Names of buckets that exist in another region. */
  bucketsElsewhere?: string[]
  /** Without `oss-`; default: `eu-central-1`. */
  region?: string
  /** Whose signatures count; default: one pair of keys, which `OssStandin` tells. */
  credentials?: Credentials[]
  /** Speed of all uploads together; default: no limit. */
  mbitPerSecond?: number
  /** Milliseconds since 1970; default: the machine's clock. */
  now?: () => number
  /** Default 0: any free one. */
  port?: number
}

export interface OssEmulator {
  /** For a client with path-style addresses (`sldEnable`) and signature V4. */
  endpoint: string
  region: string
  /** The first of the buckets. */
  bucket: string
  /** Of the first of the credentials. */
  accessKeyId: string
  accessKeySecret: string
  /** All that is in the buckets, the temporary store apart. */
  objects(): { bucket: string; key: string; size: number; lastModified: number }[]
  /** Content of an object in any of the buckets. */
  read(key: string): Buffer | undefined
  /** Uploads that were neither completed nor aborted. */
  unfinishedUploads(): {
    bucket: string
    key: string
    uploadId: string
    initiated: number
    parts: number
    bytes: number
  }[]
  /** In the order in which they came. */
  requests: OssRequest[]
  /** Switches a fault on; the answer switches it off. */
  fault(fault: OssFault): () => void
  /** `skewSeconds`: how much this server's clock is ahead. */
  set(changes: {
    mbitPerSecond?: number | undefined
    credentials?: Credentials[]
    skewSeconds?: number
  }): void
  temporary: TemporaryStore
  /** Ends all connections at once. */
  close(): Promise<void>
}

const usualCredentials: Credentials = {
  accessKeyId: 'LTAI5tStandinStandinKey0',
  accessKeySecret: 'standin-access-key-secret-0000',
}

const operations: Partial<Record<Kind, (call: OperationRequest) => Answer>> = {
  put: putObject,
  get: getObject,
  head: headObject,
  delete: deleteObject,
  deleteMany: deleteObjects,
  initiate: initiateUpload,
  part: uploadPart,
  complete: completeUpload,
  abort: abortUpload,
  parts: listParts,
  uploads: listUploads,
  list: listObjects,
}

export async function startOss(options: OssOptions = {}): Promise<OssEmulator> {
  const {
    region = 'eu-central-1',
    buckets = ['speech-standin'],
    bucketsElsewhere = [],
    now = Date.now,
  } = options
  const own = new Map(buckets.map(name => [name, createBucket(name)]))
  const faults = createOssFaults()
  const requests: OssRequest[] = []
  const line = createReceiver(options.mbitPerSecond)
  const closing = new AbortController()
  let credentials = options.credentials ?? [usualCredentials]
  let skew = 0
  const clock = () => now() + skew
  const { accessKeyId, accessKeySecret } = credentials[0] ?? usualCredentials

  const server = createServer((request, response) => void serve(request, response))
  // A slow line may take its time over a body.
  server.requestTimeout = 0
  const port = await listenOnLoopback(server, options.port)
  const endpoint = `http://localhost:${port}`
  const temporary = createTemporaryStore({ endpoint, region, clock })

  /** Answers a request, or leaves it without one where a fault says so. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = openRecord(request, response, requests)
    // Taken now, as a request that was cut off has none.
    const { socket } = request
    try {
      const target = targetOf(request)
      Object.assign(record, recordOf(target))
      if (faults.hit(record, 'drop')) return void socket.destroy()
      const pause = faults.hit(record, 'slow')
      if (pause) await sleep(pause.seconds * 1000, undefined, { signal: closing.signal })
      const body = await admit(target, request, record)
      if (faults.hit(record, 'hang')) return
      const broken = faults.hit(record, 'error')
      if (broken) throw new OssError(broken.status, broken.code, broken.message ?? broken.code)
      const answer = carryOut(target, record.kind, body)
      if (faults.hit(record, 'dropAfter')) return void socket.destroy()
      finish(response, record, answer)
    } catch (error) {
      if (!(error instanceof OssError)) return void socket.destroy()
      // The rest of a body that nobody wants, so that the client gets to read the answer.
      request.resume()
      finish(response, record, refusalAnswer(error, request, response))
    }
  }

  function finish(response: ServerResponse, record: OssRequest, answer: Answer): void {
    record.status = answer.status
    const bytes = send(response, answer, clock())
    if (record.kind === 'get' && answer.status < 300) record.bytes = bytes
  }

  /** Lets a request in by its signature, bucket and form, and takes its body. */
  async function admit(target: Target, request: IncomingMessage, record: OssRequest): Promise<Buffer> {
    const { bucket } = target
    const isForm = record.kind === 'post' && bucket === TEMPORARY_BUCKET
    if (isForm) temporary.admit(target)
    else checkRights(target)
    return line.receive(request, closing.signal, bytes => {
      record.bytes += bytes
    })
  }

  function checkRights(target: Target): void {
    const { bucket } = target
    const known = [...credentials, temporary.credentials]
    const whose = authenticate(target, { region, credentials: known, now: clock() })
    if (bucketsElsewhere.includes(bucket)) {
      throw refusal(
        'AccessDenied',
        'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
        { Bucket: bucket, Endpoint: 'oss-elsewhere.aliyuncs.com' },
      )
    }
    if (!own.has(bucket) && bucket !== TEMPORARY_BUCKET) {
      throw refusal('NoSuchBucket', undefined, { BucketName: bucket })
    }
    if ((whose === temporary.credentials) !== (bucket === TEMPORARY_BUCKET)) {
      throw refusal('AccessDenied', 'The bucket you access does not belong to you.')
    }
  }

  function carryOut(target: Target, kind: Kind, body: Buffer): Answer {
    const content = own.get(target.bucket) ?? temporary.content()
    const call: OperationRequest = { ...target, content, body, now: clock() }
    if (kind === 'post' && content.name === TEMPORARY_BUCKET) return temporary.post(call)
    const operation = operations[kind]
    if (!operation) throw refusal('MethodNotAllowed')
    return operation(call)
  }

  return {
    endpoint,
    region,
    bucket: buckets[0] ?? '',
    accessKeyId,
    accessKeySecret,
    requests,
    temporary,
    objects: () =>
      [...own.values()].flatMap(({ name, objects }) =>
        [...objects].map(([key, { body, modified }]) => ({
          bucket: name,
          key,
          size: body.length,
          lastModified: modified,
        })),
      ),
    read: key => [...own.values()].map(({ objects }) => objects.get(key)?.body).find(Boolean),
    unfinishedUploads: () =>
      [...own.values()].flatMap(({ name, uploads }) =>
        [...uploads.values()].map(({ id, key, initiated, parts }) => ({
          bucket: name,
          key,
          uploadId: id,
          initiated,
          parts: parts.size,
          bytes: [...parts.values()].reduce((sum, part) => sum + part.body.length, 0),
        })),
      ),
    fault: faults.add,
    set(changes) {
      if ('mbitPerSecond' in changes) line.limit(changes.mbitPerSecond)
      if (changes.credentials) credentials = changes.credentials
      if (changes.skewSeconds !== undefined) skew = changes.skewSeconds * 1000
    },
    async close() {
      closing.abort()
      await closeAtOnce(server)
    },
  }
}

function openRecord(request: IncomingMessage, response: ServerResponse, requests: OssRequest[]): OssRequest {
  const record: OssRequest = {
    at: Date.now(),
    method: request.method ?? '',
    bucket: '',
    key: '',
    kind: 'other',
    signed: 'none',
    status: 0,
    bytes: 0,
    aborted: false,
  }
  requests.push(record)
  response.once('close', () => {
    record.finishedAt = Date.now()
    record.aborted = !response.writableFinished
  })
  return record
}

function recordOf(target: Target): Partial<OssRequest> {
  const { bucket, key, query, headers } = target
  const kind = kindOf(target)
  const uploadId = query.get('uploadId')
  const signed = headers.authorization ? 'header' : query.has('x-oss-signature') ? 'url' : 'none'
  return {
    bucket,
    key,
    kind,
    signed: kind === 'post' && signed === 'none' ? 'form' : signed,
    ...(uploadId ? { uploadId } : {}),
    ...(kind === 'part' ? { part: Number(query.get('partNumber')) } : {}),
  }
}
