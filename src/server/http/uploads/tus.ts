// The tus protocol (https://tus.io/protocols/resumable-upload, version 1.0.0) over the uploads of tickets.
import { AsyncLocalStorage } from 'node:async_hooks'
import { DataStore, ERRORS, Server, Upload } from '@tus/server'
import { describeError, isSpeechError } from '../../../domain/errors.ts'
import type { Uploads } from '../../../domain/network/uploads.ts'
import { describeWhole, logFailure, statusOf, type UploadRequest } from './answers.ts'

/** A connection that broke may still be open here: the next one waits this long for its end. */
const lockDrainTimeoutMs = 500

export type TusHandler = (request: UploadRequest) => Promise<void>

export function createTus(uploads: Uploads): TusHandler {
  /** The library knows neither tickets nor their passes. */
  const requests = new AsyncLocalStorage<UploadRequest>()
  const current = () => requests.getStore()!
  const server = new Server({
    path: '/uploads',
    datastore: storeOf(uploads, current),
    lockDrainTimeout: lockDrainTimeoutMs,
    // Browsers have their answer before.
    allowedOrigins: () => false,
    exposedHeaders: ['Upload-Address', 'Upload-Expires', 'Repr-Digest'],
    maxSize: () => current().upload.maxBytes,
    getFileIdFromRequest: () => current().upload.id,
    namingFunction: () => current().upload.id,
    generateUrl: () => current().path,
    async onUploadFinish() {
      const { outgoing, upload } = current()
      const whole = await uploads.finish(upload)
      if (whole) describeWhole(outgoing, whole)
      return {}
    },
    onResponseError(_, error) {
      // Those of the library have a status and words of their own.
      if ('status_code' in error) return undefined
      if (!isSpeechError(error)) logFailure(error)
      return { status_code: statusOf(error), body: `${describeError(error)}\n` }
    },
  })
  return request => {
    // The library refuses the list of two proxies, and nothing here asks for it.
    removeHeader(request.incoming.rawHeaders, 'x-forwarded-proto')
    return requests.run(request, () => server.handle(request.incoming, request.outgoing))
  }
}

function removeHeader(raw: string[], name: string): void {
  for (let i = raw.length - 2; i >= 0; i -= 2) if (raw[i]!.toLowerCase() === name) raw.splice(i, 2)
}

/** The library's contract; each method is about the ticket of the current request. */
function storeOf(uploads: Uploads, current: () => UploadRequest): DataStore {
  return Object.assign(new DataStore(), {
    extensions: ['creation', 'termination', 'expiration'],
    getExpiration: () => current().upload.endsAt - current().upload.createdAt,
    async create(upload: Upload) {
      const { id, size, metadata } = upload
      const name = current().name ?? metadata?.filename ?? metadata?.name ?? undefined
      current().upload = await uploads.begin(id, { bytes: size ?? 0, name, metadata })
      return upload
    },
    async write(stream: AsyncIterable<Uint8Array>, _: string, offset: number) {
      await uploads.append(current().upload, offset, stream)
      return uploads.received(current().upload)
    },
    async getUpload(id: string) {
      const { upload } = current()
      const { bytes: size, metadata, createdAt, isPut } = upload
      // Without the bytes of a PUT before it, a later part would be the wrong one.
      if (size === undefined || isPut) throw ERRORS.FILE_NOT_FOUND
      const offset = upload.hash === undefined ? await uploads.received(upload) : size
      return new Upload({ id, size, offset, metadata, creation_date: new Date(createdAt).toISOString() })
    },
    remove: (id: string) => uploads.cancel(id),
  })
}
