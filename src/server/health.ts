// Tells how a worker fares, to whoever watches over it: health and metrics, on a port of their own.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { log } from '../log.ts'
import { refusals } from './http/answers.ts'
import { inAddress } from './http/hosts.ts'
import { reply, tellPage } from './http/http.ts'
import { closeServer, listen } from './http/listen.ts'

export interface HealthOptions {
  host: string
  /** 0: any free one. */
  port: number
  /** Facts for `/healthz`; a worker that is not well is told so with a status of 503. */
  health(): { isWell: boolean; facts: Record<string, string | number | undefined> }
  metrics(): Promise<{ type: string; text: string }>
}

export interface HealthServing {
  url: string
  close(): Promise<void>
}

const settings = { host: 'SPEECH_WORKER_HOST', port: 'SPEECH_WORKER_PORT' }
/** Milliseconds for a request that came before the end. */
const farewell = 1_000

/** Throws `CONFIG_INVALID` where the address cannot be had. */
export async function serveHealth({ host, port, health, metrics }: HealthOptions): Promise<HealthServing> {
  const answers = new Set<ServerResponse>()
  const server = createServer((incoming, outgoing) => {
    answers.add(outgoing)
    outgoing.once('close', () => answers.delete(outgoing))
    const [path] = (incoming.url ?? '').split('?')
    if (path !== '/healthz' && path !== '/metrics') return reply(outgoing, refusals.notFound)
    if (!['GET', 'HEAD'].includes(incoming.method ?? ''))
      return reply(outgoing, refusals.notAllowed('GET, HEAD'))
    if (path === '/healthz') {
      const { isWell, facts } = health()
      return reply(outgoing, {
        status: isWell ? 200 : 503,
        headers: { 'cache-control': 'no-store' },
        body: facts,
      })
    }
    metrics().then(
      page => tellPage(outgoing, page),
      error => {
        log.error('metrics-failed', { error: (error as Error).name })
        outgoing.destroy()
      },
    )
  })
  await listen(server, host, port, settings)
  return {
    url: `http://${inAddress(host)}:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server, answers, farewell),
  }
}
