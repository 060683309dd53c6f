// Recordings in the user's own bucket (Alibaba Cloud OSS): stored while they are encoded, taken away after use.
import type OSS from 'ali-oss'
import { isSpeechError } from '../../../domain/errors.ts'
import type { ObjectStorage, StoredUpload } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import { fixedInstallationId, type InstallationId } from '../installation-id.ts'
import { parseUploadKey, uploadKey, uploadsPrefix } from '../keys.ts'
import { createClient, type Line, type LineOptions, type OssCredentials, openLine } from './client.ts'
import { type OssEndpoint, ossEndpoint } from './endpoint.ts'
import { abortAll, abortUpload, uploadAudio } from './multipart-upload.ts'
import { ossRecordings } from './recordings.ts'

export interface OssOptions extends OssCredentials {
  bucket: string
  /** With or without scheme and bucket; `http://` is for stand-ins. */
  endpoint: string
  /** Absent: as the endpoint says. */
  region?: string | undefined
  /** Whose uploads these are: others may share the bucket. */
  installationId?: InstallationId
  /** Seconds before a second attempt. */
  firstDelaySeconds?: number
  /** Seconds that OSS may take for a request, and for one that carries audio. */
  timeoutSeconds?: { response: number; transfer: number }
}

/** Leftovers are few. */
const pageSize = 100
/** Longest life of a signed address (OSS reference, signature version 4). */
const longestLife = 7 * 24 * 3600

/** Cheap: the client library is loaded on first use. The options are the key, which may be replaced in them at any time. */
export function ossStorage(options: OssOptions): ObjectStorage {
  const { bucket, installationId = fixedInstallationId('shared'), firstDelaySeconds = 0.5 } = options
  const { timeoutSeconds = { response: 30, transfer: 240 } } = options
  const lines = new Set<Line>()
  let known: OssEndpoint | undefined
  const lineOptions: LineOptions = {
    bucket,
    firstDelay: firstDelaySeconds,
    patience: timeoutSeconds,
    key: options,
    place: () => (known ??= ossEndpoint(options)),
  }

  function open(): Line {
    const line = openLine(lineOptions)
    lines.add(line)
    return { ...line, cut: () => line.cut().finally(() => lines.delete(line)) }
  }

  async function withLine<T>(work: (line: Line) => Promise<T>): Promise<T> {
    const line = open()
    try {
      return await work(line)
    } finally {
      await line.cut()
    }
  }

  return {
    way: 'bucket',
    recordings: ossRecordings({ open, patience: timeoutSeconds, installation: installationId }),
    async upload(audio, { owner, job, models }, signal) {
      const key = uploadKey({ owner, job, installation: await installationId.getOrCreate() })
      await uploadAudio(audio, { key, open, patience: timeoutSeconds }, signal)
      return { way: 'bucket', keys: Object.fromEntries(models.map(model => [model, key])) }
    },

    async signedUrl(upload, model, seconds) {
      const life = Math.min(longestLife, Math.max(1, Math.ceil(seconds)))
      const client = await createClient(lineOptions, lineOptions.place().public)
      return client.signatureUrlV4('GET', life, undefined, upload.keys[model]!)
    },

    delete: ({ keys }, signal) =>
      withLine(async line => {
        for (const key of new Set(Object.values(keys))) {
          await line.ask(client => client.delete(key), signal)
          // Of a recording there may be a half that somebody has left who died over it.
          if (parseUploadKey(key)?.recording !== undefined)
            await line.ask(client => abortAll(client, key), signal)
        }
      }),

    sweep: (isWanted, signal) =>
      withLine(async line => sweep(line, await installationId.get(), isWanted, signal)),

    async close() {
      await Promise.all([...lines].map(line => line.cut()))
    },
  }
}

/** Removes what nobody wants; one that cannot be removed does not keep the others. */
async function sweep(
  line: Line,
  installation: string,
  isWanted: (left: StoredUpload) => Promise<boolean>,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0
  async function consider(key: string, storedAt: string, remove: () => Promise<unknown>): Promise<void> {
    const of = parseUploadKey(key)
    if (!of) return
    try {
      const { owner, job } = of
      const isOwn = of.installation === installation
      if (await isWanted({ owner, job, storedAt: Date.parse(storedAt), isOwn })) return
      await remove()
      removed++
    } catch (error) {
      signal.throwIfAborted()
      log.warn('upload-not-swept', { job: of.job, code: isSpeechError(error) ? error.code : 'INTERNAL' })
    }
  }
  for await (const { name, lastModified } of objects(line, signal))
    await consider(name, lastModified, () => line.ask(client => client.delete(name), signal))
  for await (const { name, uploadId, initiated } of unfinished(line, signal))
    await consider(name, initiated, () => abortUpload(line, name, uploadId, signal))
  return removed
}

async function* objects(line: Line, signal: AbortSignal): AsyncGenerator<OSS.ObjectMeta> {
  for (let token: string | undefined = ''; token !== undefined; ) {
    const from: OSS.ListV2ObjectsQuery = token ? { 'continuation-token': token } : {}
    const list = (client: OSS) => client.listV2({ prefix: uploadsPrefix, 'max-keys': pageSize, ...from })
    const page = await line.ask(list, signal)
    yield* page.objects
    token = page.isTruncated ? page.nextContinuationToken : undefined
  }
}

interface Unfinished {
  name: string
  uploadId: string
  initiated: string
}

async function* unfinished(line: Line, signal: AbortSignal): AsyncGenerator<Unfinished> {
  for (let from: OSS.ListUploadsQuery | undefined = {}; from; ) {
    const query: OSS.ListUploadsQuery = { prefix: uploadsPrefix, 'max-uploads': pageSize, ...from }
    const page = await line.ask(client => client.listUploads(query), signal)
    yield* page.uploads as Unfinished[]
    const { isTruncated, nextKeyMarker, nextUploadIdMarker } = page
    from = isTruncated ? { 'key-marker': nextKeyMarker, 'upload-id-marker': nextUploadIdMarker } : undefined
  }
}
