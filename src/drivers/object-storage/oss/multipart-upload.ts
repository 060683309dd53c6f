// Uploads one recording to a bucket while it is being encoded; leaves nothing behind if that fails.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type OSS from 'ali-oss'
import { isSpeechError } from '../../../domain/errors.ts'
import { unlessAborted } from '../../../domain/waiting/unless-aborted.ts'
import { log } from '../../../log.ts'
import { abortableStream } from '../abortable-stream.ts'
import { type OssSession, type SessionOptions, transferTimeout } from './client.ts'
import { isGone, neverArrived, ossError } from './errors.ts'

export interface UploadOptions {
  key: string
  openSession(): OssSession
  timeoutSeconds: SessionOptions['timeoutSeconds']
  /** Default: `audio/mpeg`. */
  mime?: string
}

/** OSS accepts 10,000 parts of at least 100 KB (OSS reference, multipart upload). */
const minPartBytes = 1 << 20
const partsPerSize = 1000
const maxPartsInFlight = 3
/** How long a failed upload waits for the response to a request that may have created something. */
const maxResponseWaitMs = 5_000
/** Time limit of the deletion after a failure. The next sweep deletes the rest. */
const maxCleanupMs = 30_000

/** Resolves when the whole stream is in the bucket. A recording of one part needs a single request. */
export async function uploadAudio(
  audio: AsyncIterable<Buffer>,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const upload = createUpload(options, stop, either)
  try {
    for await (const { number, bytes, isLast } of parts(abortableStream(audio, either))) {
      if (isLast && number === 1) await upload.putWhole(bytes)
      else await upload.putPart(number, bytes)
      if (isLast && number > 1) await upload.complete()
    }
  } catch (error) {
    await upload.discard(error)
    throw error
  } finally {
    await upload.close()
  }
}

function createUpload(
  { key, openSession, timeoutSeconds, mime = 'audio/mpeg' }: UploadOptions,
  stop: AbortController,
  signal: AbortSignal,
) {
  const session = openSession()
  /** Stored with the object, as proof that this upload created it. */
  const id = randomUUID()
  const withId = { mime, headers: { 'x-oss-meta-upload': id } }
  const sent: { number: number; etag: string }[] = []
  const inFlight = new Set<Promise<unknown>>()
  let uploadId: string | undefined
  /** State of the upload, by which `discard` knows what to delete. */
  const mayExist = { upload: false, object: false }
  let lastCreation: Promise<unknown> = Promise.resolve()
  /** Resolves with the error of `removeEarlier`, if it failed. */
  let earlierRemoval: Promise<unknown> = Promise.resolve()

  /** Rejects at once when the signal aborts; `discard` then waits for the outcome of the request. */
  function awaitCreation<T>(request: Promise<T>): Promise<T> {
    lastCreation = request
    return unlessAborted(request, signal)
  }

  /** Records that a request may create something in the bucket, unless it never arrived. */
  async function creating<T>(kind: keyof typeof mayExist, request: () => Promise<T>): Promise<T> {
    const before = mayExist[kind]
    mayExist[kind] = true
    try {
      return await request()
    } catch (error) {
      if (neverArrived(error)) mayExist[kind] = before
      throw error
    }
  }

  async function initiate(): Promise<string> {
    uploadId = await session.requestToEnd(async client => {
      // An earlier attempt whose response was lost may have succeeded.
      if (mayExist.upload) await abortUploadsOf(client, key)
      return (await creating('upload', () => client.initMultipartUpload(key, withId))).uploadId
    }, signal)
    return uploadId
  }

  /** Aborts unfinished uploads of crashed processes while this one, whose id is `own`, is in progress. */
  async function removeEarlier(own?: Promise<string>): Promise<void> {
    const found = await session.request(client => unfinishedUploadsOf(client, key), signal)
    const ownId = await own
    for (const id of found) if (id !== ownId) await abortUpload(session, key, id, signal)
  }

  /** A failure does not fail the upload: a sweep or the lifecycle rule of the bucket finds the rest. */
  async function earlierRemoved(): Promise<void> {
    const failure = await earlierRemoval
    signal.throwIfAborted()
    if (failure)
      log.warn('earlier-upload-not-removed', { code: isSpeechError(failure) ? failure.code : 'INTERNAL' })
  }

  function start(): Promise<string> {
    const initiation = initiate()
    earlierRemoval = removeEarlier(initiation).catch(failure => failure)
    return awaitCreation(initiation)
  }

  async function send(number: number, bytes: Buffer, uploadId: string): Promise<void> {
    // Not `uploadPart`: it sends a stream, and the library prints the URL when a stream is aborted.
    const options = { subres: { partNumber: number, uploadId }, mime, ...transferTimeout(timeoutSeconds) }
    try {
      const { res } = await session.request(client => client.put(key, bytes, options), signal)
      sent.push({ number, etag: headersOf(res).etag ?? '' })
    } catch (error) {
      stop.abort(error)
    }
  }

  async function finish(uploadId: string): Promise<void> {
    mayExist.object = true
    try {
      await session.requestToEnd(client => client.completeMultipartUpload(key, uploadId, sent), signal)
    } catch (error) {
      // If only the response was lost, the object exists.
      const found = await session.request(client => client.head(key), signal).catch(() => undefined)
      if (!found || headersOf(found.res)['x-oss-meta-upload'] !== id) throw error
    }
  }

  async function deleteWhatExists(session: OssSession, signal: AbortSignal): Promise<void> {
    if (uploadId) await abortUpload(session, key, uploadId, signal)
    else if (mayExist.upload) await session.request(client => abortUploadsOf(client, key), signal)
    if (mayExist.object) await session.request(client => client.delete(key), signal)
  }

  return {
    async putWhole(bytes: Buffer): Promise<void> {
      const options = { ...withId, ...transferTimeout(timeoutSeconds) }
      const put = (client: OSS) => creating('object', () => client.put(key, bytes, options))
      earlierRemoval = removeEarlier().catch(failure => failure)
      await awaitCreation(session.requestToEnd(put, signal))
      await earlierRemoved()
    },

    /** Resolves when the next part may follow. */
    async putPart(number: number, bytes: Buffer): Promise<void> {
      const id = uploadId ?? (await start())
      const sending: Promise<void> = send(number, bytes, id).finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      if (inFlight.size >= maxPartsInFlight) await unlessAborted(Promise.race(inFlight), signal)
    },

    async complete(): Promise<void> {
      await Promise.all(inFlight)
      signal.throwIfAborted()
      await awaitCreation(finish(uploadId!))
      await earlierRemoved()
    },

    async discard(error: unknown): Promise<void> {
      stop.abort()
      const timeout = sleep(maxResponseWaitMs, undefined, { ref: false })
      await Promise.race([Promise.allSettled([lastCreation]), timeout])
      await session.abort()
      // A refused first request created nothing, and a deletion would be refused too.
      if (!uploadId && isSpeechError(error) && error.scope === 'account') return
      const cleanup = openSession()
      await deleteWhatExists(cleanup, AbortSignal.timeout(maxCleanupMs)).catch(failure =>
        log.warn('upload-left-behind', { code: isSpeechError(failure) ? failure.code : 'TIMEOUT' }),
      )
      await cleanup.abort()
    },

    close: session.abort,
  }
}

/** Grows by 1 MB every 1,000 parts: 12 hours at any bit rate need far fewer than 10,000 parts, and the first is small. */
export function partBytes(number: number): number {
  return minPartBytes * (1 + Math.floor((number - 1) / partsPerSize))
}

/** Cuts a stream into the parts of an upload. Only the last has `isLast`; an empty stream makes one empty part. */
async function* parts(stream: AsyncIterable<Buffer>) {
  let number = 1
  let chunks: Buffer[] = []
  let size = 0
  for await (let chunk of stream) {
    // Holds back a full part until more data arrives: it may be the last.
    while (size + chunk.length > partBytes(number)) {
      const missing = partBytes(number) - size
      yield { number, bytes: Buffer.concat([...chunks, chunk.subarray(0, missing)]), isLast: false }
      number++
      chunk = chunk.subarray(missing)
      chunks = []
      size = 0
    }
    // Copied, because the stream may reuse its memory.
    chunks.push(Buffer.from(chunk))
    size += chunk.length
  }
  yield { number, bytes: Buffer.concat(chunks), isLast: true }
}

function headersOf({ headers }: { headers: object }): Record<string, string | undefined> {
  return headers as Record<string, string | undefined>
}

/** Also resolves if the upload was completed or aborted before. */
export async function abortUpload(
  session: OssSession,
  key: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<void> {
  await session
    .request(client => client.abortMultipartUpload(key, uploadId), signal)
    .catch(error => {
      if (!isGone(error)) throw error
    })
}

/** Aborts all unfinished uploads of this key: a job has one upload at a time. */
export async function abortUploadsOf(client: OSS, key: string): Promise<void> {
  for (const uploadId of await unfinishedUploadsOf(client, key))
    await client.abortMultipartUpload(key, uploadId).catch(error => {
      if (!isGone(ossError(error))) throw error
    })
}

async function unfinishedUploadsOf(client: OSS, key: string): Promise<string[]> {
  const { uploads } = await client.listUploads({ prefix: key, 'max-uploads': 100 })
  return uploads.filter(({ name }) => name === key).map(({ uploadId }) => uploadId)
}
