// Starts and stops servers on loopback.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Longer than tests pause: a client that reuses a connection as it is closed loses its request. */
const keepAliveMs = 60_000

/** Resolves with the port; 0 means any free port. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  server.keepAliveTimeout = keepAliveMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Closes the server and all connections immediately. May be called twice. */
export async function closeAtOnce(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
