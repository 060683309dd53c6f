// Sends a file to the address of a ticket by the tus protocol, and goes on after each break.
import { createReadStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type ErrorCode, errors, isSpeechError, SpeechError } from '../../domain/errors.ts'

export interface SentFile {
  path: string
  name: string
  bytes: number
  /** SHA-256 in hexadecimal, by which the same file is known when it goes on. */
  sha256: string
}

export interface SendOptions {
  signal: AbortSignal
  onBytes(done: number, message?: string): void
  /** Milliseconds before the next attempt. Default: up to ten seconds, with each attempt that brought nothing. */
  delayMs?: (failures: number) => number
}

/** Attempts in a row that bring nothing: together some minutes. */
const maxFailures = 30
/** A server that says nothing for this time is given up for this attempt. */
const idleMs = 60_000

interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
}

/** Resolves with the address of the upload. Throws what the server refuses it with, and `UPLOAD_UNFINISHED`. */
export async function sendFile(address: string, file: SentFile, options: SendOptions): Promise<string> {
  const { signal, onBytes, delayMs = failures => Math.min(10_000, 250 * 2 ** failures) } = options
  let failures = 0
  let best = -1
  for (;;) {
    try {
      const offset = await begin(address, file, signal)
      if (offset > best) failures = 0
      best = Math.max(best, offset)
      onBytes(offset)
      const answer = await sendFrom(address, file, offset, options)
      const found = answer.headers['upload-address']
      if (typeof found === 'string') return found
    } catch (error) {
      signal.throwIfAborted()
      if (isSpeechError(error) && !error.retryable) throw error
      if (++failures > maxFailures) throw unreachable(error)
      onBytes(Math.max(0, best), 'Waiting for the server')
      await pause(delayMs(failures), undefined, { signal })
    }
  }
}

/** Begins the upload, or finds where it goes on. */
async function begin(address: string, file: SentFile, signal: AbortSignal): Promise<number> {
  const found = await ask('HEAD', address, { signal })
  if (found.status === 200) {
    const isSame =
      metadataOf(found).sha256 === file.sha256 && Number(found.headers['upload-length']) === file.bytes
    if (isSame) return Number(found.headers['upload-offset'])
    throw new SpeechError('UPLOAD_REFUSED', 'This ticket was used for another file.', {
      hint: 'Ask for another ticket with request_upload.',
    })
  }
  // The upload may have begun. The answer to another status has the words of the server.
  if (passes(found.status)) throw refusalIn(found)
  const metadata = { filename: file.name, sha256: file.sha256 }
  const pairs = Object.entries(metadata).map(
    ([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`,
  )
  const headers = { 'upload-length': file.bytes, 'upload-metadata': pairs.join(',') }
  const created = await ask('POST', address, { headers, signal })
  if (created.status !== 201) throw refusalIn(created)
  return 0
}

async function sendFrom(
  address: string,
  { path, bytes }: SentFile,
  offset: number,
  { signal, onBytes }: SendOptions,
): Promise<Answer> {
  // The answer to a whole upload has its address.
  if (offset === bytes) return ask('HEAD', address, { signal })
  const headers = {
    'content-type': 'application/offset+octet-stream',
    'content-length': bytes - offset,
    'upload-offset': offset,
  }
  async function* counted() {
    let done = offset
    for await (const piece of createReadStream(path, { start: offset, highWaterMark: 1 << 18 })) {
      yield piece
      done += piece.length
      onBytes(done)
    }
  }
  const answer = await ask('PATCH', address, { headers, signal, body: counted() })
  if (answer.status !== 204) throw refusalIn(answer)
  return answer
}

function ask(
  method: string,
  address: string,
  options: {
    headers?: Record<string, string | number>
    signal: AbortSignal
    body?: AsyncIterable<Buffer>
  },
): Promise<Answer> {
  const { headers, signal, body } = options
  const send = address.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(address, { method, headers: { 'tus-resumable': '1.0.0', ...headers }, signal })
    request.setTimeout(idleMs, () => request.destroy(new Error('The server says nothing.')))
    request.once('error', reject)
    request.once('response', response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    // The answer comes first; a connection that breaks is an error of the request.
    if (body) pipeline(body, request).catch(() => {})
    else request.end()
  })
}

function metadataOf({ headers }: Answer): Record<string, string> {
  const pairs = String(headers['upload-metadata'] ?? '').split(',')
  return Object.fromEntries(
    pairs.map(pair => {
      const [key = '', value = ''] = pair.trim().split(' ')
      return [key, Buffer.from(value, 'base64').toString()]
    }),
  )
}

/** Offsets that differ, a busy upload and faults of a proxy pass. */
function passes(status: number): boolean {
  return status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507)
}

/** The server's own words, where it is ours. */
function refusalIn({ status, text }: Answer): SpeechError {
  const [, code = '', message = ''] = /^([A-Z_]+): ([^\n]{1,500})/.exec(text) ?? []
  const retryable = passes(status)
  if (Object.hasOwn(errors, code)) {
    const [first = '', ...rest] = message.split(/(?<=\.) /)
    return new SpeechError(code as ErrorCode, first, { hint: rest.join(' '), retryable })
  }
  return new SpeechError('UPLOAD_REFUSED', `The server answered with status ${status}.`, {
    hint: 'Check that the address is the one of the ticket, and that a proxy passes /uploads/ on.',
    retryable,
  })
}

function unreachable(cause: unknown): SpeechError {
  return new SpeechError(
    'UPLOAD_UNFINISHED',
    'The server could not be reached, also after several attempts.',
    {
      hint: 'Run the same command again: it goes on where it stopped.',
      cause,
    },
  )
}
