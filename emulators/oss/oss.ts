// Emulator of OSS: a server on loopback that stores objects in memory, checks signatures and injects faults.
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
  /** Default: `speech-emulator`. */
  buckets?: string[]
  /** Buckets that exist in another region. */
  bucketsElsewhere?: string[]
  /** Without `oss-`; default: `eu-central-1`. */
  region?: string
  /** Accepted keys; default: one pair, which `OssEmulator` states. */
  credentials?: Credentials[]
  /** Total upload speed; default: no limit. */
  mbitPerSecond?: number
  /** Server clock, in milliseconds since 1970; default: `Date.now`. */
  now?: () => number
  /** Default 0: any free port. */
  port?: number
}

export interface OssEmulator {
  /** For clients with path-style addressing (`sldEnable`) and signature V4. */
  endpoint: string
  region: string
  /** The first of the buckets. */
  bucket: string
  /** Of the first of the credentials. */
  accessKeyId: string
  accessKeySecret: string
  /** All objects, except those of the temporary storage. */
  objects(): { bucket: string; key: string; size: number; lastModified: number }[]
  /** Content of an object in any bucket. */
  read(key: string): Buffer | undefined
  /** Multipart uploads that were neither completed nor aborted. */
  unfinishedUploads(): {
    bucket: string
    key: string
    uploadId: string
    initiated: number
    parts: number
    bytes: number
  }[]
  /** In order of arrival. */
  requests: OssRequest[]
  /** Injects a fault; the returned function removes it. */
  fault(fault: OssFault): () => void
  /** `skewSeconds`: how far this server's clock is ahead. */
  set(changes: {
    mbitPerSecond?: number | undefined
    credentials?: Credentials[]
    skewSeconds?: number
  }): void
  temporary: TemporaryStore
  /** Closes all connections immediately. */
  close(): Promise<void>
}

const defaultCredentials: Credentials = {
  accessKeyId: 'LTAI5tEmulatorStorageKey',
  accessKeySecret: 'emulator-access-key-secret-000',
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
    buckets = ['speech-emulator'],
    bucketsElsewhere = [],
    now = Date.now,
  } = options
  const ownBuckets = new Map(buckets.map(name => [name, createBucket(name)]))
  const faults = createOssFaults()
  const requests: OssRequest[] = []
  const receiver = createReceiver(options.mbitPerSecond)
  const closing = new AbortController()
  let credentials = options.credentials ?? [defaultCredentials]
  let skew = 0
  const clock = () => now() + skew
  const { accessKeyId, accessKeySecret } = credentials[0] ?? defaultCredentials

  const server = createServer((request, response) => void serve(request, response))
  // A body may take long at a limited upload speed.
  server.requestTimeout = 0
  const port = await listenOnLoopback(server, options.port)
  const endpoint = `http://localhost:${port}`
  const temporary = createTemporaryStore({ endpoint, region, clock })

  /** Responds to a request, unless a fault prevents it. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = openRecord(request, response, requests)
    // Read now: an aborted request loses its socket.
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
      const answer = execute(target, record.kind, body)
      if (faults.hit(record, 'dropAfter')) return void socket.destroy()
      respond(response, record, answer)
    } catch (error) {
      if (!(error instanceof OssError)) return void socket.destroy()
      // Drains the body, so that the client can read the response.
      request.resume()
      respond(response, record, refusalAnswer(error, request, response))
    }
  }

  function respond(response: ServerResponse, record: OssRequest, answer: Answer): void {
    record.status = answer.status
    const bytes = send(response, answer, clock())
    if (record.kind === 'get' && answer.status < 300) record.bytes = bytes
  }

  /** Checks signature, bucket and form of a request, and reads its body. */
  async function admit(target: Target, request: IncomingMessage, record: OssRequest): Promise<Buffer> {
    const { bucket } = target
    const isForm = record.kind === 'post' && bucket === TEMPORARY_BUCKET
    if (isForm) temporary.admit(target)
    else checkRights(target)
    return receiver.receive(request, closing.signal, bytes => {
      record.bytes += bytes
    })
  }

  function checkRights(target: Target): void {
    const { bucket } = target
    const known = [...credentials, temporary.credentials]
    const signer = authenticate(target, { region, credentials: known, now: clock() })
    if (bucketsElsewhere.includes(bucket)) {
      throw refusal(
        'AccessDenied',
        'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
        { Bucket: bucket, Endpoint: 'oss-elsewhere.aliyuncs.com' },
      )
    }
    if (!ownBuckets.has(bucket) && bucket !== TEMPORARY_BUCKET) {
      throw refusal('NoSuchBucket', undefined, { BucketName: bucket })
    }
    if ((signer === temporary.credentials) !== (bucket === TEMPORARY_BUCKET)) {
      throw refusal('AccessDenied', 'The bucket you access does not belong to you.')
    }
  }

  function execute(target: Target, kind: Kind, body: Buffer): Answer {
    const content = ownBuckets.get(target.bucket) ?? temporary.content()
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
      [...ownBuckets.values()].flatMap(({ name, objects }) =>
        [...objects].map(([key, { body, modified }]) => ({
          bucket: name,
          key,
          size: body.length,
          lastModified: modified,
        })),
      ),
    read: key => [...ownBuckets.values()].map(({ objects }) => objects.get(key)?.body).find(Boolean),
    unfinishedUploads: () =>
      [...ownBuckets.values()].flatMap(({ name, uploads }) =>
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
      if ('mbitPerSecond' in changes) receiver.setSpeed(changes.mbitPerSecond)
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
