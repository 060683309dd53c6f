// Serves MCP over stdin and stdout, in both eras of the protocol.
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { localOwner } from '../domain/job.ts'
import { log } from '../log.ts'
import type { ServerOptions } from './connection.ts'
import { createServer } from './server.ts'
import { followListens } from './subscriptions.ts'

export interface Serving {
  close(): Promise<void>
}

/** `onEnd` is called once, when the client has closed its end. */
export function serveOverStdio(options: ServerOptions, onEnd: () => void): Serving {
  process.stdin.once('end', onEnd)
  process.stdin.once('close', onEnd)
  // A client that dies leaves a broken pipe behind, which must end the server quietly.
  process.stdout.once('error', onEnd)
  const transport = new StdioServerTransport()
  const serving = serveStdio(
    ({ era }) => createServer(options, { owner: localOwner, era, push: true, closingCancels: false }),
    { transport, onerror: error => log.warn('protocol', { error: error.name }) },
  )
  const listens = followListens(id => options.jobs.follow(localOwner, id))
  const { onmessage } = transport
  transport.onmessage = message => {
    listens.hear(message)
    onmessage?.(message)
  }
  return {
    close() {
      listens.end()
      return serving.close()
    },
  }
}
