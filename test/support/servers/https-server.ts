// An HTTPS server on loopback, with a certificate for tests only (openssl, for localhost, 127.0.0.1 and *.example.com).
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const pem = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
/** The certificate authority that a client has to trust. */
export const certificate = pem('localhost-cert.pem')

export type Responder = (response: ServerResponse, request: IncomingMessage) => void

export interface HttpsServer {
  port: number
  /** Serves this path; returns its URL. */
  serve(path: string, responder: Responder): string
  /** The paths of all requests, in their order. */
  requestedPaths: string[]
  close(): Promise<void>
}

export async function startHttpsServer(): Promise<HttpsServer> {
  const responders = new Map<string, Responder>()
  const requestedPaths: string[] = []
  const server = createServer({ cert: certificate, key: pem('localhost-key.pem') }, (request, response) => {
    requestedPaths.push(request.url!)
    responders.get(request.url!)!(response, request)
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return {
    port,
    requestedPaths,
    serve(path, responder) {
      responders.set(path, responder)
      return `https://127.0.0.1:${port}${path}`
    },
    async close() {
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
    },
  }
}
