// Serves MCP over stdin and stdout, for both generations of the protocol.
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { localOwner } from '../domain/job.ts'
import { log } from '../log.ts'
import type { ServerOptions } from './connection.ts'
import { createServer } from './server.ts'
import { trackSubscriptions } from './subscriptions.ts'

/** Calls `onEnd` when the client has closed its end of the pipe. */
export function serveOverStdio(options: ServerOptions, onEnd: () => void) {
  process.stdin.once('end', onEnd)
  process.stdin.once('close', onEnd)
  // A client that crashes leaves a broken pipe; the server then exits without an error.
  process.stdout.once('error', onEnd)
  const transport = new StdioServerTransport()
  const serving = serveStdio(
    ({ era }) => createServer(options, { owner: localOwner, era, push: true, closingCancels: false }),
    { transport, onerror: error => log.warn('protocol-error', { error: error.name }) },
  )
  const subscriptions = trackSubscriptions(id => options.jobs.follow(localOwner, id))
  const { onmessage } = transport
  transport.onmessage = message => {
    subscriptions.onMessage(message)
    onmessage?.(message)
  }
  return {
    close(): Promise<void> {
      subscriptions.close()
      return serving.close()
    },
  }
}
