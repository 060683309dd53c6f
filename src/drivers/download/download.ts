// Downloads a recording from the public internet into a file: https only, no private addresses, limited size.
import { lookup } from 'node:dns'
import { createWriteStream } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
// Not undici: version 7 ends the process when a server closes the connection before the disk has taken all bytes.
import { get as httpsGet, type RequestOptions } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isDiskFull, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { connectSeconds, type Deadline, deadlines } from '../../domain/network/deadlines.ts'
import type { Downloader } from '../../domain/network/downloader.ts'
import { type Proxies, proxyFor } from '../../domain/network/proxies.ts'
import { retry } from '../http/retry.ts'
import { readRetryAfter } from '../http/retry-after.ts'
import { agentFor } from '../http/tunnel.ts'
import { isPublicAddress } from './addresses.ts'

export interface DownloaderOptions {
  /** Which addresses may be contacted. */
  allows?: (address: string) => boolean
  /** A certificate authority to trust in addition to the usual ones (PEM). */
  ca?: string
  proxies?: Proxies | undefined
  deadline?: Required<Deadline>
  /** Pause before the second attempt. */
  firstDelaySeconds?: number
}

const maxRedirects = 5
/** After a response that may pass, such as 429 and 503. */
const maxAttempts = 3
const maxDelaySeconds = 8
/** A caller waits for the identity of a recording before its job exists. */
const maxIdentifySeconds = 20

/**
 * Checks the address when the connection is made, so that a name which resolves differently later (DNS rebinding) gains
 * nothing. Redirects are followed by hand and checked in the same way. A proxy resolves the name by itself, so before it is
 * asked the name is resolved here too. That keeps out addresses of this network; it cannot keep out a name that a server
 * under foreign control resolves to another address for the proxy, which is the proxy's to refuse.
 */
export function createDownloader({
  allows = isPublicAddress,
  ca,
  proxies,
  deadline = deadlines.download,
  firstDelaySeconds = 1,
}: DownloaderOptions = {}): Downloader {
  async function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
    let next = parse(url)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      check(next, allows)
      const isProxied = proxyFor(next, proxies) !== undefined
      if (isProxied) await checkName(next.hostname, allows)
      signal.throwIfAborted()
      const agent = isProxied && agentFor(next, proxies)
      const options = { lookup: guardedLookup(allows), signal, agent, ...(ca && { ca }) }
      const response = await sendRequest(next, options, deadline)
      const { statusCode = 0, headers } = response
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) return response
      response.destroy()
      next = parse(headers.location, next)
    }
    throw refused('The URL redirects too often.')
  }

  /** Passes the response of a valid recording to `use`, which may read its body. */
  async function withRecording<T>(
    url: string,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
    use: (response: IncomingMessage, total: number | undefined) => T | Promise<T>,
    maxTotalSeconds?: number,
  ): Promise<T> {
    async function attempt(): Promise<IncomingMessage> {
      const response = await get(url, signal)
      const problem = unusable(response)
      if (!problem) return response
      response.destroy()
      throw problem
    }
    try {
      const limits = { maxAttempts, firstDelaySeconds, maxDelaySeconds, maxTotalSeconds, signal }
      const response = await retry(attempt, limits)
      try {
        const total = Number(response.headers['content-length']) || undefined
        if ((total ?? 0) > maxBytes) throw tooLarge(maxBytes)
        return await use(response, total)
      } finally {
        response.destroy()
      }
    } catch (error) {
      signal.throwIfAborted()
      throw downloadError(error)
    }
  }

  return {
    download: (url, file, { maxBytes, signal, onBytes }) =>
      withRecording(url, { maxBytes, signal }, async (response, total) => {
        let done = 0
        const lateAt = performance.now() + deadline.totalSeconds * 1000
        const count = new Transform({
          transform(chunk: Buffer, _, pass) {
            done += chunk.length
            onBytes?.(done, total)
            const lateSeconds = (performance.now() - lateAt) / 1000
            if (done > maxBytes) pass(tooLarge(maxBytes))
            else if (lateSeconds > done / deadline.minBytesPerSecond) pass(tooSlow())
            else pass(null, chunk)
          },
        })
        await pipeline(response, count, createWriteStream(file, { mode: 0o600 }), { signal })
        return done
      }),
    // Not HEAD: presigned URLs are signed for GET only.
    identify: (url, limits) =>
      withRecording(url, limits, ({ headers }) => identity(headers), maxIdentifySeconds),
  }
}

function identity(headers: IncomingHttpHeaders): string | undefined {
  const { etag, 'last-modified': modified, 'content-length': length } = headers
  if (etag === undefined && modified === undefined) return undefined
  return JSON.stringify([etag, modified, length])
}

/** Resolves with the head of the response; later errors are events of the response. */
function sendRequest(
  url: URL,
  options: RequestOptions,
  { idleSeconds, totalSeconds }: Deadline,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'audio/*, video/*, */*;q=0.5', 'user-agent': 'speech-mcp' }
    const request = httpsGet(url, { ...options, headers, timeout: connectSeconds * 1000 }, resolve)
    const giveUp = () => request.destroy(new Error('timeout'))
    // Headers may trickle too.
    const timer = setTimeout(giveUp, totalSeconds * 1000)
    request.on('response', () => clearTimeout(timer))
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.on('timeout', giveUp)
    request.on('socket', socket => socket.once('secureConnect', () => socket.setTimeout(idleSeconds * 1000)))
  })
}

function parse(text: string, base?: URL): URL {
  try {
    return new URL(text, base)
  } catch {
    throw new SpeechError('BAD_INPUT', 'This is not a valid URL.', { hint: 'Pass an https:// URL.' })
  }
}

function check(url: URL, allows: (address: string) => boolean): void {
  if (url.protocol !== 'https:') throw refused('Only https:// URLs are downloaded.')
  // An IP address is never looked up, so it is checked here.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !allows(host)) throw privateAddress()
}

function guardedLookup(allows: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0)
      const open = addresses.filter(({ address }) => allows(address))
      if (open.length === 0) return done(privateAddress() as NodeJS.ErrnoException, '', 0)
      if (options.all) done(null, open)
      else done(null, open[0]!.address, open[0]!.family)
    })
  }
}

/** A name that only the proxy can resolve is none of this network. */
function checkName(name: string, allows: (address: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    lookup(name, { all: true }, (_, addresses = []) =>
      addresses.every(({ address }) => allows(address)) ? resolve() : reject(privateAddress()),
    )
  })
}

function refused(message: string): SpeechError {
  return new SpeechError('URL_REFUSED', message, {
    hint: 'Pass a public https:// URL of the recording itself, or download it and pass its path.',
  })
}

function privateAddress(): SpeechError {
  return refused('The URL leads to this machine or to a private network.')
}

function tooLarge(maxBytes: number): SpeechError {
  return new SpeechError('TOO_LARGE', `The recording is larger than ${Math.round(maxBytes / 1e6)} MB.`, {
    hint: 'Download it and pass its path, or raise SPEECH_MAX_DOWNLOAD_MB.',
  })
}

function tooSlow(): SpeechError {
  return new SpeechError('DOWNLOAD_FAILED', 'The server sends the recording too slowly.', {
    hint: 'Download it and pass its path.',
  })
}

function unusable({ statusCode: status = 0, headers }: IncomingMessage): SpeechError | undefined {
  if (status !== 200)
    return new SpeechError('DOWNLOAD_FAILED', `The server responded with status ${status}.`, {
      hint:
        status === 401 || status === 403
          ? 'It needs a login or has expired: download the recording and pass its path.'
          : 'Check it in a browser; pass the URL of the recording itself.',
      retryable: status >= 500 || status === 429,
      cause: { status, retryAfter: readRetryAfter(headers) },
    })
  if (/^text\/html/i.test(headers['content-type'] ?? ''))
    return new SpeechError('NOT_AUDIO', 'The URL leads to a web page, not to a recording.', {
      hint: 'Pass the direct URL of the audio or video file.',
    })
  return undefined
}

function downloadError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  if (isDiskFull(error))
    return new SpeechError('DISK_FULL', 'The disk has no room for the download.', {
      hint: 'Free some space and call again.',
      cause: error,
    })
  const isOfProxy = (error as { isOfProxy?: unknown }).isOfProxy === true
  const through = isOfProxy ? ' through the proxy' : ''
  return new SpeechError('DOWNLOAD_FAILED', `The recording could not be downloaded${through}.`, {
    hint: isOfProxy
      ? 'Check HTTPS_PROXY and NO_PROXY, and whether the proxy lets this host through.'
      : 'Check the URL and the network, and call again.',
    retryable: true,
    cause: error,
  })
}
