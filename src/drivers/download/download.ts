// Fetches a recording from the public internet into a file: https only, no private address, no more than allowed.
import { lookup } from 'node:dns'
import { createWriteStream } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
// Not undici: its version 7 ends the process when a server closes the connection faster than the disk takes the bytes.
import { get as httpsGet, type RequestOptions } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isDiskFull, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Downloader } from '../../domain/ports.ts'
import { isPublicAddress } from './addresses.ts'

export interface DownloaderOptions {
  /** Which addresses may be contacted. */
  allows?: (address: string) => boolean
  /** A certificate authority to trust beside the usual ones (PEM). */
  ca?: string
}

const mostRedirects = 5
/** Milliseconds until the connection stands, and without a byte after that. */
const connectTimeout = 10_000
const idleTimeout = 60_000

/**
 * The address is checked when the connection is made, so a name that changes its mind between check and use gains
 * nothing; redirects are followed by hand and checked in the same way.
 */
export function createDownloader({ allows = isPublicAddress, ca }: DownloaderOptions = {}): Downloader {
  async function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
    let next = parse(url)
    for (let hop = 0; hop <= mostRedirects; hop++) {
      check(next, allows)
      const response = await ask(next, { lookup: guardedLookup(allows), signal, ...(ca && { ca }) })
      const { statusCode = 0, headers } = response
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) return response
      response.destroy()
      next = parse(headers.location, next)
    }
    throw refused('It redirects too often.')
  }

  /** The head of a recording that may be fetched; `use` reads the body or leaves it. */
  async function ofRecording<T>(
    url: string,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
    use: (response: IncomingMessage, total: number | undefined) => T | Promise<T>,
  ): Promise<T> {
    try {
      const response = await get(url, signal)
      try {
        const { statusCode = 0, headers } = response
        const total = Number(headers['content-length']) || undefined
        const problem = unusable(statusCode, headers['content-type'] ?? '')
        if (problem) throw problem
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
      ofRecording(url, { maxBytes, signal }, async (response, total) => {
        let done = 0
        const count = new Transform({
          transform(piece: Buffer, _, pass) {
            done += piece.length
            onBytes?.(done, total)
            if (done > maxBytes) pass(tooLarge(maxBytes))
            else pass(null, piece)
          },
        })
        await pipeline(response, count, createWriteStream(file), { signal })
        return done
      }),
    // Not HEAD, which presigned addresses refuse: they are signed for GET.
    identify: (url, limits) => ofRecording(url, limits, ({ headers }) => identity(headers)),
  }
}

function identity(headers: IncomingHttpHeaders): string | undefined {
  const { etag, 'last-modified': modified, 'content-length': length } = headers
  if (etag === undefined && modified === undefined) return undefined
  return JSON.stringify([etag, modified, length])
}

/** Resolves with the head of the answer; errors that come after it are the answer's own. */
function ask(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'audio/*, video/*, */*;q=0.5', 'user-agent': 'speech-mcp' }
    const request = httpsGet(url, { ...options, headers, agent: false, timeout: connectTimeout }, resolve)
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.on('socket', socket => socket.once('secureConnect', () => socket.setTimeout(idleTimeout)))
  })
}

function parse(text: string, base?: URL): URL {
  try {
    return new URL(text, base)
  } catch {
    throw new SpeechError('BAD_INPUT', 'The address is not a valid URL.', {
      hint: 'Give an https:// address.',
    })
  }
}

function check(url: URL, allows: (address: string) => boolean): void {
  if (url.protocol !== 'https:') throw refused('Only https:// addresses are fetched.')
  // A host that is an address already is never looked up, so it is checked here.
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

function refused(message: string): SpeechError {
  return new SpeechError('URL_REFUSED', message, {
    hint: 'Give a public https:// address of the recording itself, or download it and give its path.',
  })
}

function privateAddress(): SpeechError {
  return refused('The address belongs to this machine or a private network.')
}

function tooLarge(maxBytes: number): SpeechError {
  return new SpeechError('TOO_LARGE', `The recording is larger than ${Math.round(maxBytes / 1e6)} MB.`, {
    hint: 'Download it and give its path, or raise SPEECH_MAX_DOWNLOAD_MB.',
  })
}

function unusable(status: number, type: string): SpeechError | undefined {
  if (status !== 200)
    return new SpeechError('DOWNLOAD_FAILED', `The address answered with status ${status}.`, {
      hint:
        status === 401 || status === 403
          ? 'It needs a login or has expired: download the recording and give its path.'
          : 'Open it in a browser to check it; give the address of the recording itself.',
      retryable: status >= 500 || status === 429,
    })
  if (/^text\/html/i.test(type))
    return new SpeechError('NOT_AUDIO', 'The address gives a web page, not a recording.', {
      hint: 'Give the direct address of the audio or video file.',
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
  return new SpeechError('DOWNLOAD_FAILED', 'The recording could not be fetched.', {
    hint: 'Check the address and the network, and call again.',
    retryable: true,
    cause: error,
  })
}
