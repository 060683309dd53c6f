// Answers to requests for a ticket's address: the name of a whole recording, and refusals with advice.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describeError, type ErrorCode, isSpeechError } from '../../../domain/errors.ts'
import { type FinishedUpload, type UploadRecord, uploadAddress } from '../../../domain/network/uploads.ts'
import { log } from '../../../log.ts'

export interface UploadRequest {
  incoming: IncomingMessage
  outgoing: ServerResponse
  upload: UploadRecord
  /** Path of the ticket's address. */
  path: string
  /** Name of the file, from the address. */
  name?: string | undefined
}

/** Names a whole recording in the headers of an answer: that of a PATCH has no body. */
export function describeWhole(outgoing: ServerResponse, { id, hash }: FinishedUpload): void {
  outgoing.setHeader('upload-address', uploadAddress(id))
  outgoing.setHeader('repr-digest', `sha-256=:${Buffer.from(hash, 'hex').toString('base64')}:`)
}

const statuses: Partial<Record<ErrorCode, number>> = {
  UPLOAD_NOT_FOUND: 404,
  UPLOAD_REFUSED: 403,
  BAD_INPUT: 400,
  EMPTY_FILE: 400,
  TOO_LARGE: 413,
  BUSY: 423,
  DISK_FULL: 507,
}

export function statusOf(error: unknown): number {
  return (isSpeechError(error) && statuses[error.code]) || 500
}

/** Its words may hold paths, so they are not logged. */
export function logFailure(error: unknown): void {
  log.error('upload-failed', { error: error instanceof Error ? error.name : typeof error })
}

export function sendRefusal(incoming: IncomingMessage, outgoing: ServerResponse, error: unknown): void {
  if (outgoing.headersSent) return void outgoing.destroy()
  // The rest of a body that is refused need not come.
  if (!incoming.complete) outgoing.setHeader('connection', 'close')
  outgoing.writeHead(statusOf(error), {
    'content-type': 'text/plain; charset=utf-8',
    'tus-resumable': '1.0.0',
  })
  outgoing.end(`${describeError(error)}\n`)
}
