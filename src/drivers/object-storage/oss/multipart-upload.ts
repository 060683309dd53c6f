// One recording on its way into a bucket: its parts are sent as it comes, and nothing stays behind where that fails.
import { randomUUID } from 'node:crypto'
import type OSS from 'ali-oss'
import { isSpeechError } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import { orAborted, settled, stoppable, untilAborted } from '../abortable.ts'
import { type Line, type LineOptions, transferTime } from './client.ts'
import { isGone, neverArrived, ossError } from './errors.ts'
import { cutIntoParts } from './parts.ts'

export interface UploadPlace {
  key: string
  open(): Line
  patience: LineOptions['patience']
  /** Default: `audio/mpeg`. */
  mime?: string
}

const partsAtOnce = 3
/** Seconds that an answer is waited for whose request may have left something in the bucket. */
const grace = 5
/** Seconds for taking away what is there; what stays is found by the next sweep. */
const tidying = 30

/** Resolves when the whole stream is in the bucket. A recording of one part goes by one request. */
export async function uploadAudio(
  audio: AsyncIterable<Buffer>,
  place: UploadPlace,
  signal: AbortSignal,
): Promise<void> {
  const { stop, release } = stoppable(signal)
  const upload = createUpload(place, stop)
  try {
    for await (const { number, bytes, isLast } of cutIntoParts(untilAborted(audio, stop.signal))) {
      if (isLast && number === 1) await upload.whole(bytes)
      else await upload.part(number, bytes)
      if (isLast && number > 1) await upload.complete()
    }
  } catch (error) {
    await upload.discard(error)
    throw error
  } finally {
    release()
    await upload.close()
  }
}

function createUpload({ key, open, patience, mime = 'audio/mpeg' }: UploadPlace, stop: AbortController) {
  const line = open()
  /** Comes back with the object: the proof that it is this upload's. */
  const mark = randomUUID()
  const audio = { mime }
  const markedAudio = { ...audio, headers: { 'x-oss-meta-upload': mark } }
  const parts: { number: number; etag: string }[] = []
  const underWay = new Set<Promise<unknown>>()
  let uploadId: string | undefined
  /** What has to be looked for in the bucket if this fails. */
  const mayBeThere = { upload: false, object: false }
  let decision: Promise<unknown> = Promise.resolve()
  /** Resolves with what has kept `clear` from its work, if anything has. */
  let clearing: Promise<unknown> = Promise.resolve()

  /** The caller goes at once where this is stopped; what the request did is found out by `discard`. */
  function decided<T>(request: Promise<T>): Promise<T> {
    decision = request
    return orAborted(request, stop.signal)
  }

  /** A request that may leave something in the bucket, unless it never got there. */
  async function leaving<T>(what: keyof typeof mayBeThere, request: () => Promise<T>): Promise<T> {
    const before = mayBeThere[what]
    mayBeThere[what] = true
    try {
      return await request()
    } catch (error) {
      if (neverArrived(error)) mayBeThere[what] = before
      throw error
    }
  }

  async function begin(): Promise<string> {
    uploadId = await line.decide(async client => {
      // The answer to an earlier attempt was lost, and not necessarily its work.
      if (mayBeThere.upload) await abortAll(client, key)
      return (await leaving('upload', () => client.initMultipartUpload(key, markedAudio))).uploadId
    }, stop.signal)
    return uploadId
  }

  /** What processes that died have left half done goes while this upload is on its way, which is spared. */
  function clear(beginning: Promise<string | undefined>): void {
    async function all(): Promise<void> {
      const found = await line.ask(client => unfinishedOf(client, key), stop.signal)
      const own = await beginning
      for (const id of found) if (id !== own) await abortUpload(line, key, id, stop.signal)
    }
    clearing = all().catch(failure => failure)
  }

  /** What could not be cleared away does not cost the recording: a sweep or the bucket's own rule finds it. */
  async function cleared(): Promise<void> {
    const failure = await clearing
    stop.signal.throwIfAborted()
    if (failure)
      log.warn('earlier-upload-not-removed', { code: isSpeechError(failure) ? failure.code : 'INTERNAL' })
  }

  function start(): Promise<string> {
    const beginning = begin()
    clear(beginning)
    return decided(beginning)
  }

  async function send(number: number, bytes: Buffer, id: string): Promise<void> {
    // Not `uploadPart`: that sends a stream, and one that is cut makes the library print its address.
    const options = { subres: { partNumber: number, uploadId: id }, ...audio, ...transferTime(patience) }
    try {
      const { res } = await line.ask(client => client.put(key, bytes, options), stop.signal)
      parts.push({ number, etag: headersOf(res).etag ?? '' })
    } catch (error) {
      stop.abort(error)
    }
  }

  async function finish(id: string): Promise<void> {
    mayBeThere.object = true
    try {
      await line.decide(client => client.completeMultipartUpload(key, id, parts), stop.signal)
    } catch (error) {
      // If it was only the answer that got lost, the object is there.
      const found = await line.ask(client => client.head(key), stop.signal).catch(() => undefined)
      if (!found || headersOf(found.res)['x-oss-meta-upload'] !== mark) throw error
    }
  }

  return {
    async whole(bytes: Buffer): Promise<void> {
      const options = { ...markedAudio, ...transferTime(patience) }
      const put = (client: OSS) => leaving('object', () => client.put(key, bytes, options))
      clear(Promise.resolve(undefined))
      await decided(line.decide(put, stop.signal))
      await cleared()
    },

    /** Resolves when there is room for the next one. */
    async part(number: number, bytes: Buffer): Promise<void> {
      const id = uploadId ?? (await start())
      const sending: Promise<void> = send(number, bytes, id).finally(() => underWay.delete(sending))
      underWay.add(sending)
      if (underWay.size >= partsAtOnce) await orAborted(Promise.race(underWay), stop.signal)
    },

    async complete(): Promise<void> {
      await Promise.all(underWay)
      stop.signal.throwIfAborted()
      await decided(finish(uploadId!))
      await cleared()
    },

    async discard(error: unknown): Promise<void> {
      stop.abort()
      await settled(decision, grace)
      await line.cut()
      // What was refused to begin with is not there, and would not be taken away either.
      if (!uploadId && isSpeechError(error) && error.scope === 'account') return
      const tidy = open()
      const limit = AbortSignal.timeout(tidying * 1000)
      await takeAway(tidy, limit).catch(failure =>
        log.warn('upload-left-behind', { code: isSpeechError(failure) ? failure.code : 'TIMEOUT' }),
      )
      await tidy.cut()
    },

    close: line.cut,
  }

  async function takeAway(tidy: Line, limit: AbortSignal): Promise<void> {
    if (uploadId) await abortUpload(tidy, key, uploadId, limit)
    else if (mayBeThere.upload) await tidy.ask(client => abortAll(client, key), limit)
    if (mayBeThere.object) await tidy.ask(client => client.delete(key), limit)
  }
}

function headersOf({ headers }: { headers: object }): Record<string, string | undefined> {
  return headers as Record<string, string | undefined>
}

/** Resolves also where it was completed or given up before. */
export async function abortUpload(line: Line, key: string, id: string, signal: AbortSignal): Promise<void> {
  await line
    .ask(client => client.abortMultipartUpload(key, id), signal)
    .catch(error => {
      if (!isGone(error)) throw error
    })
}

/** Gives up the unfinished uploads of this name: those of one job, which has one upload at a time. */
export async function abortAll(client: OSS, key: string): Promise<void> {
  for (const id of await unfinishedOf(client, key))
    await client.abortMultipartUpload(key, id).catch(error => {
      if (!isGone(ossError(error))) throw error
    })
}

async function unfinishedOf(client: OSS, key: string): Promise<string[]> {
  const { uploads } = await client.listUploads({ prefix: key, 'max-uploads': 100 })
  return uploads.filter(({ name }) => name === key).map(({ uploadId }) => uploadId)
}
