// An HTTPS server on loopback, with a certificate made for tests alone (openssl, for localhost and 127.0.0.1).
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const pem = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
/** What a client has to trust. */
export const certificate = pem('localhost-cert.pem')

export type Answer = (response: ServerResponse, request: IncomingMessage) => void

export interface HttpsServer {
  port: number
  /** Serves this path and gives its address. */
  serve(path: string, answer: Answer): string
  /** The paths that were asked for. */
  asked: string[]
  close(): Promise<void>
}

export async function startHttpsServer(): Promise<HttpsServer> {
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  const server = createServer({ cert: certificate, key: pem('localhost-key.pem') }, (request, response) => {
    asked.push(request.url!)
    answers.get(request.url!)!(response, request)
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return {
    port,
    asked,
    serve(path, answer) {
      answers.set(path, answer)
      return `https://127.0.0.1:${port}${path}`
    },
    async close() {
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
    },
  }
}
