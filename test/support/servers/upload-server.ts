// A server in this process that takes uploads, and clients that send them.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Upload as TusUpload, type UploadOptions } from 'tus-js-client'
import type { Job } from '../../../src/domain/job.ts'
import type { UploadStore, Uploads } from '../../../src/domain/network/uploads.ts'
import { uploadFiles } from '../../../src/drivers/uploads/files.ts'
import { createUploads } from '../../../src/drivers/uploads/uploads.ts'
import { type HttpOptions, serveHttp } from '../../../src/server/http/http.ts'
import type { Seals } from '../../../src/server/http/pages/seals.ts'
import { closedAfterEach } from '../closed-after-each.ts'
import { tempFolder } from '../e2e/system.ts'
import { type FakeJobs, fakeJobs } from '../jobs/fake-jobs.ts'

export interface UploadServer {
  url: string
  jobs: FakeJobs
  uploads: Uploads
  folder: string
  /** The jobs that are not over. */
  unfinished: Job[]
  /** Address of a new ticket. */
  ticket(wish?: { owner?: string; name?: string; bytes?: number }): Promise<{ id: string; url: string }>
  close(): Promise<void>
}

export interface UploadServerOptions extends Partial<HttpOptions> {
  maxBytes?: number
  now?: () => number
  /** Default: files in the folder. */
  store?: UploadStore
  /** Default: a folder of its own. */
  folder?: string
  seals?: Seals
}

export const uploadServersOfEachTest = () =>
  closedAfterEach(async (options: UploadServerOptions = {}): Promise<UploadServer> => {
    const { maxBytes = 50e6, now, folder: given, store, seals, ...http } = options
    const folder = given ?? (await tempFolder()).path
    const unfinished: Job[] = []
    const uploads = createUploads({
      store: store ?? uploadFiles(join(folder, 'uploads')),
      maxBytes,
      jobs: { unfinishedJobs: async () => unfinished },
      ...(now && { now }),
    })
    const jobs = fakeJobs()
    const serving = await serveHttp(
      { jobs, uploads, seals, version: '0', waitSeconds: 45 },
      { host: '127.0.0.1', port: 0, tokens: [], ...http },
    )
    return {
      ...serving,
      ...{ jobs, uploads, folder, unfinished },
      async ticket({ owner = 'local', ...wish } = {}) {
        const { id, pass } = await uploads.createTicket(owner, wish)
        return { id, url: new URL(`/uploads/${pass}`, serving.url).href }
      },
      async close() {
        await serving.close(async () => jobs.release())
        await uploads.close()
        if (given === undefined) await rm(folder, { recursive: true, force: true })
      },
    }
  })

/** Bytes that differ everywhere, so that a part at a wrong place changes the hash. */
export function bytesOf(length: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0, state = seed; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    words[i] = state
  }
  return Buffer.from(words.buffer, 0, length)
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Sends a file as pages and programs do; resolves with the headers of the last answer. Rejects with the client's error. */
export function sendByTus(
  endpoint: string,
  file: Buffer,
  options: Partial<UploadOptions> = {},
): Promise<(header: string) => string | undefined> {
  return new Promise((resolve, reject) => {
    const upload = new TusUpload(file, {
      endpoint,
      retryDelays: Array.from({ length: 200 }, () => 5),
      metadata: { filename: 'talk.wav' },
      ...options,
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve(header => lastResponse.getHeader(header)),
    })
    upload.start()
  })
}
