// A proxy on loopback: tunnels (CONNECT) and absolute URLs, all led to one port of this machine, and faults.
import { createServer, type IncomingMessage, request as sendRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { closeAtOnce, listenOnLoopback } from '../../../emulators/loopback.ts'

export interface TestProxy {
  url: URL
  /** As they arrived: `CONNECT host:port`, or `GET http://host/path`. */
  requests: { line: string; authorization: string | undefined }[]
  /** Answers with this status instead; 0: not at all. */
  refuseWith(status: number | undefined): void
  close(): Promise<void>
}

/** Leads every request to `target`, wherever it wants to go. */
export async function startProxy(target: () => number): Promise<TestProxy> {
  const requests: TestProxy['requests'] = []
  const sockets = new Set<Socket>()
  let refusal: number | undefined
  const record = ({ method, url, headers }: IncomingMessage) =>
    requests.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] })

  const server = createServer((request, response) => {
    record(request)
    if (refusal === 0) return
    if (refusal) return void response.writeHead(refusal).end()
    const { pathname, search } = new URL(request.url!)
    const { method, headers } = request
    const options = { host: '127.0.0.1', port: target(), path: pathname + search, method, headers }
    request.pipe(
      sendRequest(options, answer => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      }),
    )
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    record(request)
    socket.on('error', () => {})
    if (refusal === 0) return
    if (refusal) return void socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`)
    const onward = connect(target(), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  })
  server.on('connection', socket => sockets.add(socket).size)
  const port = await listenOnLoopback(server)
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests,
    refuseWith(status) {
      refusal = status
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await closeAtOnce(server)
    },
  }
}
