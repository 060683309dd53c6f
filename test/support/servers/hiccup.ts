// A front before a server that answers some requests itself, as a proxy does while the server restarts.
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Hiccup {
  /** The URL, through this front. */
  over(url: string): string
  close(): Promise<void>
}

export interface HiccupOptions {
  /** URL of the server. */
  target: string
  /** The first request of this method is answered with status 503. */
  method: string
}

export async function startHiccup(options?: HiccupOptions): Promise<Hiccup> {
  const { target = 'http://127.0.0.1:1', method: refused = '' } = options ?? {}
  let isOver = false
  const server = createServer((incoming, outgoing) => {
    const { url = '', method = '', headers } = incoming
    if (method === refused && !isOver) {
      isOver = true
      outgoing.writeHead(503).end()
      return
    }
    const asked = httpRequest(new URL(url, target), { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    asked.once('error', () => outgoing.destroy())
    incoming.pipe(asked)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    over: url => Object.assign(new URL(url), { port: String(port) }).href,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
