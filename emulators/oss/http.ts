// The line to the server: bodies come in at its speed, answers go out with the headers of OSS.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { xml } from '../xml.ts'
import { type OssError, refusal } from './errors.ts'
import type { Answer } from './request.ts'

const MAX_BODY_BYTES = 5 * 1024 ** 3
/** Milliseconds: timers are no finer than this, so shorter waits are saved up. */
const SHORTEST_WAIT = 5
/** Milliseconds: what a timer that came late may catch up with. */
const CATCH_UP = 20

export interface Line {
  /** The whole body; throws where the client leaves before its end. `onBytes` hears of each piece. */
  receive(request: IncomingMessage, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Buffer>
  /** Megabits per second for all uploads together; undefined for no limit. */
  limit(mbitPerSecond: number | undefined): void
}

export function createReceiver(mbitPerSecond: number | undefined): Line {
  let bytesPerMillisecond = speed(mbitPerSecond)
  let freeAt = 0

  async function pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    freeAt = Math.max(freeAt, now - CATCH_UP) + bytes / bytesPerMillisecond
    if (freeAt - now > SHORTEST_WAIT) await sleep(freeAt - now, undefined, { signal })
  }

  return {
    async receive(request, signal, onBytes) {
      const pieces: Buffer[] = []
      let total = 0
      for await (const piece of request as AsyncIterable<Buffer>) {
        total += piece.length
        if (total > MAX_BODY_BYTES) throw refusal('EntityTooLarge')
        onBytes(piece.length)
        pieces.push(piece)
        await pass(piece.length, signal)
      }
      return Buffer.concat(pieces)
    },
    limit(changed) {
      bytesPerMillisecond = speed(changed)
      freeAt = 0
    },
  }
}

function speed(mbitPerSecond = Number.POSITIVE_INFINITY): number {
  return (mbitPerSecond * 1_000_000) / 8 / 1000
}

/** Sends an answer, stamped with the server's clock; resolves with the size of its body. */
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

/** A refusal in XML; a HEAD request gets its status alone. */
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

// The id in a refusal is the id in the header.
function requestIdOf(response: ServerResponse): string {
  const id = requestIds.get(response) ?? randomBytes(12).toString('hex').toUpperCase()
  requestIds.set(response, id)
  return id
}
