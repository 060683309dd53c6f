// Serves MCP over stdin and stdout, for both generations of the protocol.
import { PassThrough } from 'node:stream'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { localOwner } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { ServerOptions } from '../connection.ts'
import { createServer } from '../server.ts'
import { createBackpressure } from './backpressure.ts'
import { receive } from './receive.ts'
import { trackSubscriptions } from './subscriptions.ts'

export interface StdioEvents {
  /** The client has closed its end of the pipe. */
  onEnd(): void
  /** The client has been told the tools. */
  onListed(): void
}

export function serveOverStdio(options: ServerOptions, { onEnd, onListed }: StdioEvents) {
  // A client that crashes leaves a broken pipe; the server then exits without an error.
  process.stdout.once('error', onEnd)
  // The SDK's reader would end at a long line and skip others silently, so it gets a stream that only ends.
  const end = new PassThrough()
  const transport = new StdioServerTransport(end)
  const serving = serveStdio(
    ({ era }) => createServer(options, { owner: localOwner, era, push: true, closingCancels: false }),
    { transport, onerror: error => log.warn('protocol-error', { error: error.name }) },
  )
  const subscriptions = trackSubscriptions(id => options.jobs.follow(localOwner, id))
  const backpressure = createBackpressure(process.stdout)
  const send = transport.send.bind(transport)
  transport.send = async message => {
    await send(message)
    backpressure.sent(message)
    if ('result' in message && 'tools' in message.result) onListed()
  }
  const received = receive(process.stdin, {
    async deliver(message) {
      await backpressure.received(message)
      subscriptions.onMessage(message)
      transport.onmessage?.(message)
    },
    // The SDK's types lack the id null of JSON-RPC.
    answer: error => send(error as JSONRPCMessage).catch(() => {}),
  })
  void received
    .catch(() => {})
    .then(() => {
      end.end()
      onEnd()
    })
  return {
    close(): Promise<void> {
      subscriptions.close()
      backpressure.close()
      return serving.close()
    },
  }
}
