// HTTP of the emulator: receives bodies at a limited speed, and sends responses with the headers of OSS.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { xml } from '../xml.ts'
import { type OssError, refusal } from './errors.ts'
import type { Answer } from './request.ts'

const maxBodyBytes = 5 * 1024 ** 3
/** Timers are not more precise, so shorter waits accumulate. */
const minWaitMs = 5
/** The lag that a late timer may catch up. */
const maxLagMs = 20

export interface BodyReceiver {
  /** Reads the whole body; throws if the client disconnects. `onBytes` is called for each piece. */
  receive(request: IncomingMessage, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Buffer>
  /** Total upload speed; undefined means no limit. */
  setSpeed(mbitPerSecond: number | undefined): void
}

export function createReceiver(mbitPerSecond: number | undefined): BodyReceiver {
  let bytesPerMillisecond = speed(mbitPerSecond)
  let freeAt = 0

  async function throttle(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    freeAt = Math.max(freeAt, now - maxLagMs) + bytes / bytesPerMillisecond
    if (freeAt - now > minWaitMs) await sleep(freeAt - now, undefined, { signal })
  }

  return {
    async receive(request, signal, onBytes) {
      const pieces: Buffer[] = []
      let total = 0
      for await (const piece of request as AsyncIterable<Buffer>) {
        total += piece.length
        if (total > maxBodyBytes) throw refusal('EntityTooLarge')
        onBytes(piece.length)
        pieces.push(piece)
        await throttle(piece.length, signal)
      }
      return Buffer.concat(pieces)
    },
    setSpeed(changed) {
      bytesPerMillisecond = speed(changed)
      freeAt = 0
    },
  }
}

function speed(mbitPerSecond = Number.POSITIVE_INFINITY): number {
  return (mbitPerSecond * 1_000_000) / 8 / 1000
}

/** Sends a response dated by the server's clock; returns the size of its body. */
export function send(response: ServerResponse, answer: Answer, now: number): number {
  const body = Buffer.from(answer.body ?? '')
  const content: Record<string, string> =
    typeof answer.body === 'string' ? { 'content-type': 'application/xml' } : {}
  response.writeHead(answer.status, {
    server: 'AliyunOSS',
    date: new Date(now).toUTCString(),
    'x-oss-request-id': requestIdOf(response),
    ...(answer.status === 204 ? {} : { 'content-length': String(body.length) }),
    ...content,
    ...answer.headers,
  })
  response.end(body)
  return body.length
}

/** An error response in XML; for a HEAD request only its status. */
export function refusalAnswer(error: OssError, request: IncomingMessage, response: ServerResponse): Answer {
  if (request.method === 'HEAD') return { status: error.status }
  return {
    status: error.status,
    body: xml('Error', {
      Code: error.code,
      Message: error.message,
      RequestId: requestIdOf(response),
      HostId: request.headers.host ?? '',
      ...error.details,
    }),
  }
}

const requestIds = new WeakMap<ServerResponse, string>()

// The request id in an error body equals the one in the header.
function requestIdOf(response: ServerResponse): string {
  const id = requestIds.get(response) ?? randomBytes(12).toString('hex').toUpperCase()
  requestIds.set(response, id)
  return id
}
