// Answers the page of a transcript: with itself, the text, pieces of the sound, and files.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import { codeOf, describeError, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { parseTime } from '../../domain/format-time.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { formatNames, isFormatName, outputFormats } from '../../formats/index.ts'
import type { Jobs, TranscriptClip } from '../../jobs/jobs.ts'
import { log } from '../../log.ts'
import { viewerData } from '../../viewer/data.ts'
import { loadViewerPage, pieceHeaders } from '../../viewer/html.ts'
import { clipMime } from '../results/clip.ts'
import { rendered } from '../results/rendered.ts'
import { rangeOf } from './range.ts'

export interface Viewed {
  jobs: Pick<Jobs, 'read' | 'clip' | 'oneAtATime'>
  owner: string
  id: string
  /** When the address of the page ends (milliseconds since 1970); undefined if with the program. */
  endsAt?: number
  /** Pieces of this page and of others. */
  kept?: LRUCache<string, Piece>
}

export interface Piece extends Omit<TranscriptClip, 'transcript'> {
  /** State of the transcript that the piece was cut by. */
  of: string
}

const soundPolicy = "default-src 'none'; media-src 'self'; frame-ancestors 'none'"
/** A browser may ask for a piece in ranges; each has about 100 kB. */
const maxKeptPieces = 16

/** The returned function answers GET and HEAD of a path such as `data.json`, below the address of the page. */
export function createViewerRoutes({ jobs, owner, id, endsAt, kept = pieces() }: Viewed) {
  async function page(response: ServerResponse): Promise<void> {
    await jobs.read(owner, id)
    const { html, policy } = await loadViewerPage()
    // A frame could be laid over by another page.
    response.setHeader('content-security-policy', `${policy}; frame-ancestors 'none'`)
    send(response, 'text/html; charset=utf-8', html)
  }

  async function data(response: ServerResponse): Promise<void> {
    const shown = await viewerData(await jobs.read(owner, id), formatNames)
    const ends = endsAt !== undefined && { endsAt: new Date(endsAt).toISOString() }
    send(response, 'application/json', JSON.stringify({ ...shown, ...ends }))
  }

  async function pieceOf(from: number, to: number | undefined, signal: AbortSignal): Promise<Piece> {
    const key = JSON.stringify([owner, id, from, to])
    const found = kept.get(key)
    // The transcript may have been deleted, or have more words than before.
    if (found && found.of === stateOf(await jobs.read(owner, id))) return found
    const { transcript, ...clip } = await jobs.clip(owner, id, { from, to, signal })
    const piece = { ...clip, of: stateOf(transcript) }
    kept.set(key, piece)
    return piece
  }

  async function audio(query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const from = timeOf(query, 'from') ?? 0
    const to = timeOf(query, 'to')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const piece = await pieceOf(from, to, gone.signal)
    const { start, end, next } = piece
    response.setHeader(pieceHeaders.start, start)
    response.setHeader(pieceHeaders.end, end)
    if (next !== undefined) response.setHeader(pieceHeaders.next, next)
    // A browser that is led here shows a player of its own.
    response.setHeader('content-security-policy', soundPolicy)
    response.setHeader('accept-ranges', 'bytes')
    sendRange(request, response, clipMime, piece.audio)
  }

  async function file(format: string, response: ServerResponse): Promise<void> {
    if (!isFormatName(format)) return notFound(response)
    const { content } = await rendered(jobs, owner, () => jobs.read(owner, id), format, {})
    const { mimeType, extension } = outputFormats[format]
    response.setHeader('content-disposition', `attachment; filename="${id}.${extension}"`)
    send(response, mimeType, content)
  }

  return async (path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) => {
    try {
      const format = /^export\/([\w-]+)$/.exec(path)?.[1]
      if (path === '') await page(response)
      else if (path === 'data.json') await data(response)
      else if (path === 'audio') await audio(query, request, response)
      else if (format !== undefined) await file(format, response)
      else notFound(response)
    } catch (error) {
      if (response.destroyed) return
      // Its words may hold paths, so they are not logged.
      if (!isSpeechError(error))
        log.error('view-failed', { error: error instanceof Error ? error.name : typeof error })
      response.statusCode = statusOf(codeOf(error))
      send(response, 'text/plain; charset=utf-8', describeError(error))
    }
  }
}

function pieces(): LRUCache<string, Piece> {
  return new LRUCache({ max: maxKeptPieces })
}

function stateOf({ status, duration, segments }: Transcript): string {
  return JSON.stringify([status, duration, segments.length])
}

function timeOf(query: URLSearchParams, name: 'from' | 'to'): number | undefined {
  const given = query.get(name)
  if (given === null) return undefined
  const seconds = parseTime(given)
  if (!Number.isNaN(seconds)) return seconds
  throw new SpeechError('BAD_INPUT', `\`${name}\` is no time.`, { hint: 'Give seconds, such as 83.5.' })
}

function statusOf(code: string): number {
  if (code === 'BAD_INPUT') return 400
  if (code === 'BUSY' || code === 'CALL_TIMEOUT') return 503
  return /^(?:TRANSCRIPT_NOT_FOUND|RECORDING_LOST|RECORDING_CHANGED|OUTSIDE_ALLOWED_DIRS)$/.test(code)
    ? 404
    : 500
}

export function notFound(response: ServerResponse): void {
  response.statusCode = 404
  send(response, 'text/plain; charset=utf-8', 'Not found.')
}

function send(response: ServerResponse, type: string, content: string | Uint8Array): void {
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(content))
  response.end(response.req.method === 'HEAD' ? undefined : content)
}

function sendRange(request: IncomingMessage, response: ServerResponse, type: string, content: Buffer): void {
  const range = rangeOf(request.headers.range, content.length)
  if (range === 'none') send(response, type, content)
  else if (range === 'outside') {
    response.statusCode = 416
    response.setHeader('content-range', `bytes */${content.length}`)
    response.end()
  } else {
    const { first, last } = range
    response.statusCode = 206
    response.setHeader('content-range', `bytes ${first}-${last}/${content.length}`)
    send(response, type, content.subarray(first, last + 1))
  }
}
