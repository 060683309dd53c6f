// Fetches the file of a task as the service does: over HTTP, without any key of its own.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TemporaryStore } from '../../oss/oss.ts'

/** The task fails with this code; the message is the same unless given. */
export class TaskFailure extends Error {
  readonly code: string

  constructor(code: string, message = code) {
    super(message)
    this.code = code
  }
}

export interface FileSource {
  /** The provider's own store, where `oss://` addresses point. */
  temporary: TemporaryStore | undefined
  maxBytes: number
  /** Until the first byte, in milliseconds; and then between two of them. */
  patience: number
}

/** Writes what the address gives into a file and resolves with its hash; rejects with a `TaskFailure`. */
export async function fetchFile(
  order: { url: string; model: string },
  file: string,
  source: FileSource,
  signal: AbortSignal,
): Promise<string> {
  const response = await get(addressOf(order, source), source.patience, signal)
  try {
    checkStatus(response.statusCode ?? 0)
    if (Number(response.headers['content-length'] ?? 0) > source.maxBytes)
      throw new TaskFailure('FILE_TOO_LARGE')
    const counted = counter(source.maxBytes)
    await pipeline(response, counted.stream, createWriteStream(file), { signal })
    return counted.hash()
  } catch (error) {
    if (error instanceof TaskFailure || signal.aborted) throw error
    throw new TaskFailure('FILE_DOWNLOAD_FAILED')
  } finally {
    response.destroy()
  }
}

function checkStatus(status: number): void {
  if (status === 200) return
  if (status === 403) throw new TaskFailure('FILE_403_FORBIDDEN')
  if (status === 404) throw new TaskFailure('FILE_404_NOT_FOUND')
  throw new TaskFailure(status >= 500 ? 'FILE_SERVER_ERROR' : 'FILE_DOWNLOAD_FAILED')
}

function get(url: string, patience: number, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { get: request } = url.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const asking = request(url, { signal, timeout: patience, agent: false }, resolve)
    asking.once('timeout', () => asking.destroy(new Error('The address does not answer.')))
    asking.once('error', error => reject(signal.aborted ? error : new TaskFailure('FILE_DOWNLOAD_FAILED')))
  })
}

// An object of the store is bound to the model that its policy was made for.
function addressOf({ url, model }: { url: string; model: string }, { temporary }: FileSource): string {
  if (url.startsWith('oss://')) {
    const key = url.slice('oss://'.length)
    if (!temporary) throw new TaskFailure('FILE_404_NOT_FOUND')
    if (![model, undefined].includes(temporary.modelOf(key))) throw new TaskFailure('FILE_403_FORBIDDEN')
    return temporary.address(key)
  }
  if (/^https?:\/\/[^/]/.test(url) && URL.canParse(url)) return url
  throw new TaskFailure('REQUEST_INVALID_FILE_URL_VALUE')
}

function counter(maxBytes: number) {
  const hash = createHash('sha256')
  let size = 0
  const stream = new Transform({
    transform(part: Buffer, _encoding, done) {
      size += part.length
      hash.update(part)
      if (size > maxBytes) done(new TaskFailure('FILE_TOO_LARGE'))
      else done(null, part)
    },
  })
  return { stream, hash: () => hash.digest('hex') }
}
