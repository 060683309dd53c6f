// Serves a worker's health and metrics over HTTP, on a port of their own.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { log } from '../log.ts'
import { formatHost } from './http/hosts.ts'
import { closeServer, listen } from './http/listen.ts'
import { healthResponse, refusals, sendJson, sendPage } from './http/responses.ts'

export interface HealthOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** The JSON body of `/healthz`; its status is 503 unless the worker is healthy. */
  health(): { isHealthy: boolean; body: Record<string, string | number | undefined> }
  metrics(): Promise<{ type: string; text: string }>
}

const settings = { host: 'SPEECH_WORKER_HOST', port: 'SPEECH_WORKER_PORT' }
/** How long pending requests may take when the server stops. */
const shutdownTimeoutMs = 1_000

/** Throws `CONFIG_INVALID` if the address is not available. */
export async function serveHealth({ host, port, health, metrics }: HealthOptions) {
  const pending = new Set<ServerResponse>()
  const server = createServer((incoming, outgoing) => {
    pending.add(outgoing)
    outgoing.once('close', () => pending.delete(outgoing))
    const [path] = (incoming.url ?? '').split('?')
    if (path !== '/healthz' && path !== '/metrics') return sendJson(outgoing, refusals.notFound)
    if (!['GET', 'HEAD'].includes(incoming.method ?? ''))
      return sendJson(outgoing, refusals.notAllowed('GET, HEAD'))
    if (path === '/healthz') {
      const { isHealthy, body } = health()
      return sendJson(outgoing, healthResponse(isHealthy, body))
    }
    metrics().then(
      page => sendPage(outgoing, page),
      error => {
        log.error('metrics-failed', { error: (error as Error).name })
        outgoing.destroy()
      },
    )
  })
  await listen(server, host, port, settings)
  return {
    url: `http://${formatHost(host)}:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server, pending, shutdownTimeoutMs),
  }
}
