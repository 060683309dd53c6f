// A server under test over HTTP, with a report of its event loop's delay, and its clients.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { programOf, root } from './measure.ts'

export interface HttpServer {
  url: string
  pid: number
  /** Begins a new measurement. */
  resetDelay(): void
  /** Event loop delay in milliseconds since the last reset. */
  delay(): Promise<{ p99: number; max: number }>
  stop(): void
}

export async function startHttpServer(env: Record<string, string>, build = root): Promise<HttpServer> {
  const server = fork(programOf(build), ['http'], {
    env: { ...env, SPEECH_HTTP_PORT: '0' },
    execArgv: ['--import', fileURLToPath(new URL('event-loop.mjs', import.meta.url))],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  return {
    url: await addressOf(server),
    pid: server.pid!,
    resetDelay: () => void server.send('reset'),
    async delay() {
      server.send('report')
      const [delay] = (await once(server, 'message')) as [{ p99: number; max: number }]
      return delay
    },
    stop: () => void server.kill(),
  }
}

async function addressOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stderr! })) {
    const url = /http:\/\/\S+/.exec(line)?.[0]
    if (url) return url
  }
  throw new Error('The server did not print its address.')
}

export async function connect(url: string, token?: string): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  const requestInit = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
  return client
}
