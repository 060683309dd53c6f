// Serves MCP over stdin and stdout, in both eras of the protocol.
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { log } from '../log.ts'
import { createServer, type ServerOptions } from './server.ts'

export interface Serving {
  close(): Promise<void>
}

/** `onEnd` is called once, when the client has closed its end. */
export function serveOverStdio(options: ServerOptions, onEnd: () => void): Serving {
  process.stdin.once('end', onEnd)
  process.stdin.once('close', onEnd)
  // A client that dies leaves a broken pipe behind, which must end the server quietly.
  process.stdout.once('error', onEnd)
  return serveStdio(() => createServer(options), {
    onerror: error => log.warn('protocol', { error: error.name }),
  })
}
