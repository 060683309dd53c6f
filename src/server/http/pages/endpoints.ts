// /t/{sealed}/: the page of one transcript. The address is all that it needs, until that ends.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { codeOf } from '../../../domain/errors.ts'
import { lazily } from '../../../domain/waiting/lazily.ts'
import type { Jobs } from '../../../jobs/jobs.ts'
import { log } from '../../../log.ts'
import { isOfForeignPage, setSafeHeaders } from '../../viewer/guard.ts'
import type { Piece } from '../../viewer/viewer-routes.ts'
import { shownBy } from './address.ts'
import type { Seals } from './seals.ts'
import { createTurns } from './turns.ts'

export interface PageEndpointOptions {
  /** The current time in milliseconds. */
  now(): number
  isStopping(): boolean
  /** Says whether the page of a checked `Origin` is one of this server. */
  isOwnPage(headers: IncomingHttpHeaders): boolean
  onEnd(response: ServerResponse, callback: () => void): void
}

/** Answers for the pages of an owner, apart from the slots of its calls. */
const maxAtOncePerOwner = 4
const maxWaitingPerOwner = 100
/** Of all pages together; each has about 100 kB. */
const maxKeptPieces = 40

export function isPagePath(url = ''): boolean {
  return url.startsWith('/t/')
}

/** The returned function answers every request for a path of `isPagePath`. */
export function createPageEndpoints(
  jobs: Pick<Jobs, 'read' | 'clip' | 'oneAtATime'>,
  seals: Seals,
  { now, isStopping, isOwnPage, onEnd }: PageEndpointOptions,
) {
  const takeTurn = createTurns(maxAtOncePerOwner, maxWaitingPerOwner)
  const viewer = lazily(async () => {
    const [{ createViewerRoutes }, { LRUCache }] = await Promise.all([
      import('../../viewer/viewer-routes.ts'),
      import('lru-cache'),
    ])
    const kept = new LRUCache<string, Piece>({ max: maxKeptPieces })
    return ({ owner, id, endsAt, path, query, incoming, outgoing }: PageRequest) =>
      createViewerRoutes({ jobs, owner, id, endsAt, kept })(path, query, incoming, outgoing)
  })

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    setSafeHeaders(outgoing)
    const { headers, method = '', url = '' } = incoming
    if (isOfForeignPage(headers, isOwnPage)) return say(outgoing, 403, 'This page is not for other sites.')
    if (method !== 'GET' && method !== 'HEAD') {
      outgoing.setHeader('allow', 'GET, HEAD')
      return say(outgoing, 405, 'This address can only be read.')
    }
    if (isStopping()) {
      outgoing.setHeader('retry-after', '5')
      return say(outgoing, 503, 'The server is stopping. Load the page again in a moment.')
    }
    const { pathname, search, searchParams: query } = new URL(url, 'http://page')
    const [, sealed = '', path] = /^\/t\/([^/]*)(?:\/(.*))?$/.exec(pathname) ?? []
    const opened = await seals.open('page', sealed, now())
    if (opened === undefined)
      return say(outgoing, 404, 'There is no such page. Check that the address is complete.')
    if (opened === 'ended')
      return say(
        outgoing,
        410,
        'This address has ended. Ask your agent for a new one, or open the transcript at the home page.',
      )
    if (path === undefined) {
      // A name alone, so that a path that a proxy has cut off stays.
      outgoing.setHeader('location', `${sealed}/${search}`)
      return say(outgoing, 307, 'The page is here, with a slash at its end.')
    }
    const { owner, id } = shownBy(opened.payload)
    if (!(await takeTurn({ owner, onEnd: callback => onEnd(outgoing, callback) }))) {
      outgoing.setHeader('retry-after', '5')
      return say(outgoing, 429, 'Too many people read pages of this owner. Try again in a moment.')
    }
    // The client may have left while it waited.
    if (outgoing.destroyed) return
    await (await viewer.get())({ owner, id, endsAt: opened.endsAt, path, query, incoming, outgoing })
  }

  return async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    try {
      await answer(incoming, outgoing)
    } catch (error) {
      if (outgoing.destroyed || outgoing.headersSent) return void outgoing.destroy()
      // The key of the addresses lies in a bucket, which may fail.
      log.error('page-failed', { code: codeOf(error) })
      say(outgoing, 503, 'The page cannot be shown now. Try again in a minute.')
    }
  }
}

interface PageRequest {
  owner: string
  id: string
  endsAt: number
  /** Below the address of the page. */
  path: string
  query: URLSearchParams
  incoming: IncomingMessage
  outgoing: ServerResponse
}

/** Words for the person at the browser. */
function say(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.statusCode = status
  outgoing.setHeader('content-type', 'text/plain; charset=utf-8')
  outgoing.setHeader('content-length', Buffer.byteLength(text))
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : text)
}
