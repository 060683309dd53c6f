// Emulators for single tests.
import { afterEach } from 'vitest'

/** Starts servers in tests of a file, and closes each after the test that started it. */
export function closedAfterEach<Options, Server extends { close(): Promise<unknown> }>(
  start: (options?: Options) => Promise<Server>,
): (options?: Options) => Promise<Server> {
  const open: Server[] = []
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())))
  return async options => {
    const server = await start(options)
    open.push(server)
    return server
  }
}
