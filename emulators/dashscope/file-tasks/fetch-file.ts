// Downloads the file of a task as the service does: over HTTP, without credentials.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TemporaryStore } from '../../oss/oss.ts'

/** Fails the task with this code; default message: the code. */
export class TaskFailure extends Error {
  readonly code: string

  constructor(code: string, message = code) {
    super(message)
    this.code = code
  }
}

export interface FileSource {
  /** The provider's temporary storage, for `oss://` URLs. */
  temporary: TemporaryStore | undefined
  maxBytes: number
  /** For the first byte, and between bytes. */
  timeoutMs: number
}

/** Downloads to `file` and resolves with its SHA-256. Rejects with a `TaskFailure`. */
export async function fetchFile(
  task: { url: string; model: string },
  file: string,
  source: FileSource,
  signal: AbortSignal,
): Promise<string> {
  const response = await get(urlOf(task, source), source.timeoutMs, signal)
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

function get(url: string, timeoutMs: number, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { get: request } = url.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { signal, timeout: timeoutMs, agent: false }, resolve)
    outgoing.once('timeout', () => outgoing.destroy(new Error('The server did not respond in time.')))
    outgoing.once('error', error => reject(signal.aborted ? error : new TaskFailure('FILE_DOWNLOAD_FAILED')))
  })
}

// A temporary object may only be used by the model that its upload policy was issued for.
function urlOf({ url, model }: { url: string; model: string }, { temporary }: FileSource): string {
  if (url.startsWith('oss://')) {
    const key = url.slice('oss://'.length)
    if (!temporary) throw new TaskFailure('FILE_404_NOT_FOUND')
    if (![model, undefined].includes(temporary.modelOf(key))) throw new TaskFailure('FILE_403_FORBIDDEN')
    return temporary.signedUrl(key)
  }
  if (/^https?:\/\/[^/]/.test(url) && URL.canParse(url)) return url
  throw new TaskFailure('REQUEST_INVALID_FILE_URL_VALUE')
}

function counter(maxBytes: number) {
  const hash = createHash('sha256')
  let size = 0
  const stream = new Transform({
    transform(part: Buffer, _encoding, callback) {
      size += part.length
      hash.update(part)
      if (size > maxBytes) callback(new TaskFailure('FILE_TOO_LARGE'))
      else callback(null, part)
    },
  })
  return { stream, hash: () => hash.digest('hex') }
}
