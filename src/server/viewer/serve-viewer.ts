// Serves the page of one transcript to browsers of this machine, under an address that cannot be guessed.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { log } from '../../log.ts'
import { isSameSecret } from '../http/auth.ts'
import { trackResponses } from '../http/exchange.ts'
import { createHostCheck, createPageCheck } from '../http/hosts.ts'
import { closeServer, listen } from '../http/listen.ts'
import { isOfForeignPage, setSafeHeaders } from './guard.ts'
import { createViewerRoutes, notFound, refuse, type Viewed } from './viewer-routes.ts'

export interface ServedViewer {
  /** With its secret part. */
  url: string
  close(): Promise<void>
}

const host = '127.0.0.1'
const shutdownTimeoutMs = 1_000

/** On a port that is free, unless one is given; the address holds until `close`. */
export async function serveViewer(viewed: Viewed, port = 0): Promise<ServedViewer> {
  const secret = randomBytes(24).toString('base64url')
  const routes = createViewerRoutes(viewed)
  const options = { host, allowedHosts: [], hasTokens: false }
  const [foreignHost, isOwnPage] = [createHostCheck(options), createPageCheck(options)]
  const server = createServer()
  const { pending } = trackResponses(server)
  server.on('request', (request, response) => {
    answer(request, response).catch(error => {
      log.error('view-failed', { error: error instanceof Error ? error.name : typeof error })
      response.destroy()
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setSafeHeaders(response)
    const { headers } = request
    if (foreignHost(headers) !== undefined || isOfForeignPage(headers, isOwnPage))
      return refuse(response, 403)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page')
    const [, given = '', path] = /^\/([^/]*)\/(.*)$/.exec(pathname) ?? []
    if (path === undefined || !isSameSecret(given, secret)) return notFound(response)
    await routes(path, searchParams, request, response)
  }

  await listen(server, host, port)
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/${secret}/`,
    close: () => closeServer(server, pending, shutdownTimeoutMs),
  }
}
