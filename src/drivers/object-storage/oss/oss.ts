// Recordings in the user's own bucket (Alibaba Cloud OSS): uploaded while they are encoded, deleted after use.
import type OSS from 'ali-oss'
import { isSpeechError } from '../../../domain/errors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { Proxies } from '../../../domain/network/proxies.ts'
import type { ObjectStorage, StoredUpload } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import { fixedInstallationId, type InstallationId } from '../installation-id.ts'
import { parseUploadKey, uploadKey, uploadsPrefix } from '../keys.ts'
import {
  createClient,
  type OssCredentials,
  type OssSession,
  openSession,
  type SessionOptions,
} from './client.ts'
import { type OssEndpoint, ossEndpoint } from './endpoint.ts'
import { abortUpload, abortUploadsOf, uploadAudio } from './multipart-upload.ts'
import { ossRecordings } from './recordings.ts'

export interface OssOptions extends OssCredentials {
  bucket: string
  /** With or without scheme and bucket. `http://` is for emulators. */
  endpoint: string
  /** Default: the region in the endpoint. */
  region?: string | undefined
  proxies?: Proxies | undefined
  /** Distinguishes our uploads from those of other installations in the bucket. */
  installationId?: InstallationId
  /** Pause before the second attempt. */
  firstDelaySeconds?: number
  /** Time limits of a request, and of one that carries audio. */
  timeoutSeconds?: SessionOptions['timeoutSeconds']
}

const defaultTimeouts = {
  response: deadlines.bucketRequest.totalSeconds,
  transfer: deadlines.bucketTransfer.totalSeconds,
}
/** Keys of a list request: uploads that a sweep finds are few. */
const pageSize = 100
/** Maximum lifetime of a signed URL (OSS reference, signature version 4). */
const maxUrlSeconds = 7 * 24 * 3600

/** Cheap: loads the client library on first use. Reads the credentials in `options` at each request. */
export function ossSessions(options: OssOptions) {
  const { bucket, firstDelaySeconds = 0.5, timeoutSeconds = defaultTimeouts } = options
  const sessions = new Set<OssSession>()
  let endpoint: OssEndpoint | undefined
  const sessionOptions: SessionOptions = {
    bucket,
    firstDelaySeconds,
    timeoutSeconds,
    credentials: options,
    proxies: options.proxies,
    endpoint: () => (endpoint ??= ossEndpoint(options)),
  }

  function open(): OssSession {
    const session = openSession(sessionOptions)
    sessions.add(session)
    return { ...session, abort: () => session.abort().finally(() => sessions.delete(session)) }
  }

  async function withSession<T>(work: (session: OssSession) => Promise<T>): Promise<T> {
    const session = open()
    try {
      return await work(session)
    } finally {
      await session.abort()
    }
  }

  return {
    open,
    withSession,
    sessionOptions,
    async close() {
      await Promise.all([...sessions].map(session => session.abort()))
    },
  }
}

export function ossStorage(options: OssOptions): ObjectStorage {
  const { installationId = fixedInstallationId('shared') } = options
  const { open, withSession, sessionOptions, close } = ossSessions(options)
  const { timeoutSeconds } = sessionOptions
  return {
    way: 'bucket',
    recordings: ossRecordings({ openSession: open, timeoutSeconds, installationId }),
    async upload(audio, { owner, job, models }, signal) {
      const key = uploadKey({ owner, job, installation: await installationId.getOrCreate() })
      await uploadAudio(audio, { key, openSession: open, timeoutSeconds }, signal)
      return { way: 'bucket', keys: Object.fromEntries(models.map(model => [model, key])) }
    },

    async signedUrl(upload, model, seconds) {
      const expiresIn = Math.min(maxUrlSeconds, Math.max(1, Math.ceil(seconds)))
      const client = await createClient(sessionOptions, sessionOptions.endpoint().public)
      return client.signatureUrlV4('GET', expiresIn, undefined, upload.keys[model]!)
    },

    delete: ({ keys }, signal) =>
      withSession(async session => {
        for (const key of new Set(Object.values(keys))) {
          await session.request(client => client.delete(key), signal)
          // A crashed process may have left an unfinished upload of a recording.
          if (parseUploadKey(key)?.recording !== undefined)
            await session.request(client => abortUploadsOf(client, key), signal)
        }
      }),

    sweep: (isInUse, signal) =>
      withSession(async session => sweep(session, await installationId.get(), isInUse, signal)),

    close,
  }
}

/** Deletes uploads that are not in use; continues after one that cannot be deleted. */
async function sweep(
  session: OssSession,
  installation: string,
  isInUse: (upload: StoredUpload) => Promise<boolean>,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0
  async function consider(key: string, storedAt: string, remove: () => Promise<unknown>): Promise<void> {
    const name = parseUploadKey(key)
    if (!name) return
    const { owner, job } = name
    try {
      const isOwn = name.installation === installation
      if (await isInUse({ owner, job, storedAt: Date.parse(storedAt), isOwn })) return
      await remove()
      deleted++
    } catch (error) {
      signal.throwIfAborted()
      log.warn('upload-not-swept', { job, code: isSpeechError(error) ? error.code : 'INTERNAL' })
    }
  }
  for await (const { name, lastModified } of objects(session, signal))
    await consider(name, lastModified, () => session.request(client => client.delete(name), signal))
  for await (const { name, uploadId, initiated } of unfinishedUploads(session, signal))
    await consider(name, initiated, () => abortUpload(session, name, uploadId, signal))
  return deleted
}

async function* objects(session: OssSession, signal: AbortSignal): AsyncGenerator<OSS.ObjectMeta> {
  for (let token: string | undefined = ''; token !== undefined; ) {
    const from: OSS.ListV2ObjectsQuery = token ? { 'continuation-token': token } : {}
    const list = (client: OSS) => client.listV2({ prefix: uploadsPrefix, 'max-keys': pageSize, ...from })
    const page = await session.request(list, signal)
    yield* page.objects
    token = page.isTruncated ? page.nextContinuationToken : undefined
  }
}

async function* unfinishedUploads(session: OssSession, signal: AbortSignal) {
  for (let from: OSS.ListUploadsQuery | undefined = {}; from; ) {
    const query: OSS.ListUploadsQuery = { prefix: uploadsPrefix, 'max-uploads': pageSize, ...from }
    const page = await session.request(client => client.listUploads(query), signal)
    yield* page.uploads as { name: string; uploadId: string; initiated: string }[]
    const { isTruncated, nextKeyMarker, nextUploadIdMarker } = page
    from = isTruncated ? { 'key-marker': nextKeyMarker, 'upload-id-marker': nextUploadIdMarker } : undefined
  }
}
