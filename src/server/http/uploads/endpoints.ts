// /uploads/{pass}: one address for tus clients, for a plain PUT, and in a browser for a page. The pass is all they need.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { FinishedUpload, Uploads } from '../../../domain/network/uploads.ts'
import { lazily } from '../../../domain/waiting/lazily.ts'
import type { Caller } from '../login/caller.ts'
import type { JsonResponse } from '../responses.ts'
import { describeWhole, logFailure, sendRefusal, type UploadRequest } from './answers.ts'
import { receivePut } from './put.ts'

/** A pass, and the name of the file where a client adds it, as `curl -T FILE ADDRESS/` does. */
const address = /^\/uploads\/([a-z0-9]{26}\.[a-z0-9]{26})(?:\/([^/?]*))?$/
const tusMethods = ['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS']

export interface UploadEndpointOptions {
  /** The owner of the request's token. */
  callerOf(incoming: IncomingMessage): Promise<Caller | JsonResponse>
  /** A connection that sends nothing for this time is closed. */
  idleTimeoutMs: number
}

export function isUploadPath(url = ''): boolean {
  return url.startsWith('/uploads/')
}

/** True for a request whose body may take hours. */
export function isSending({ method = '' }: IncomingMessage): boolean {
  return ['PUT', 'POST', 'PATCH'].includes(method)
}

/** The returned function answers every request for a path of `isUploadPath`. */
export function createUploadEndpoints(uploads: Uploads, { callerOf, idleTimeoutMs }: UploadEndpointOptions) {
  const tus = lazily(async () => (await import('./tus.ts')).createTus(uploads))

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming
    const [, pass, name] = address.exec(url.split('?')[0]!) ?? []
    const upload = await uploads.admit(pass ?? '')
    // No token is needed, but that of somebody else is a mistake.
    const caller = incoming.headers.authorization === undefined ? undefined : await callerOf(incoming)
    if (caller && 'owner' in caller && caller.owner !== upload.owner) throw foreignTicket()
    const request = { incoming, outgoing, upload, path: `/uploads/${pass}`, name: decoded(name) }
    if (method === 'PUT') return receivePut(request, uploads)
    const whole = await uploads.finish(upload)
    if (whole) describeWhole(outgoing, whole)
    if (method === 'GET') return sendPage(request, whole)
    if (!tusMethods.includes(method)) {
      outgoing.writeHead(405, { allow: ['GET', 'PUT', ...tusMethods].join(', ') }).end()
      return
    }
    return (await tus.get())(request)
  }

  async function sendPage({ outgoing, upload }: UploadRequest, whole: FinishedUpload | undefined) {
    const { uploadPage } = await import('./page.ts')
    const { html, policy } = await uploadPage(upload, whole)
    outgoing.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
    })
    outgoing.end(html)
  }

  return async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { socket } = incoming
    socket.setTimeout(idleTimeoutMs)
    // The connection may be used again; Node has its own limit for that.
    incoming.once('end', () => {
      if (!outgoing.writableEnded) socket.setTimeout(0)
    })
    // The address is a secret, and its answers are its holder's.
    outgoing.setHeader('cache-control', 'no-store').setHeader('referrer-policy', 'no-referrer')
    outgoing.setHeader('x-content-type-options', 'nosniff')
    try {
      await answer(incoming, outgoing)
    } catch (error) {
      if (outgoing.destroyed || (incoming.destroyed && !incoming.complete)) return void outgoing.destroy()
      if (!isSpeechError(error)) logFailure(error)
      sendRefusal(incoming, outgoing, error)
    }
  }
}

function decoded(name: string | undefined): string | undefined {
  try {
    return name && decodeURIComponent(name)
  } catch {
    return name
  }
}

function foreignTicket(): SpeechError {
  return new SpeechError('UPLOAD_REFUSED', 'This ticket belongs to another owner than the bearer token.', {
    hint: 'Send the request without a token, or ask for a ticket with request_upload.',
  })
}
