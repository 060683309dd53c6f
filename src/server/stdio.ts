// Serves MCP over stdin and stdout, for both generations of the protocol.
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { localOwner } from '../domain/job.ts'
import { log } from '../log.ts'
import type { ServerOptions } from './connection.ts'
import { createServer } from './server.ts'
import { trackSubscriptions } from './subscriptions.ts'

export interface StdioEvents {
  /** The client has closed its end of the pipe. */
  onEnd(): void
  /** The client has been told the tools. */
  onListed(): void
}

export function serveOverStdio(options: ServerOptions, { onEnd, onListed }: StdioEvents) {
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
  const send = transport.send.bind(transport)
  transport.send = async message => {
    await send(message)
    if ('result' in message && 'tools' in message.result) onListed()
  }
  return {
    close(): Promise<void> {
      subscriptions.close()
      return serving.close()
    },
  }
}
