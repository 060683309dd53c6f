// Agents for Node's own HTTP modules whose connections go through a proxy (CONNECT): downloads and client libraries.
import http from 'node:http'
import https from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { connectSeconds } from '../../domain/network/deadlines.ts'
import { type Proxies, proxyAuthorization, proxyFor } from '../../domain/network/proxies.ts'

type Done = (error: Error | null, socket?: Socket) => void

/** An agent for one address: direct, or through its proxy. */
export function agentFor(
  address: string | URL,
  proxies: Proxies | undefined,
  options: http.AgentOptions = {},
): http.Agent {
  const isSecure = new URL(address).protocol === 'https:'
  const agent = new (isSecure ? https : http).Agent(options)
  const proxy = proxyFor(address, proxies)
  if (!proxy) return agent
  const createConnection = (target: TunnelTarget, done: Done) => openTunnel(proxy, target, isSecure, done)
  return Object.assign(agent, { createConnection })
}

interface TunnelTarget {
  host: string
  port: number
  servername?: string
}

/** The proxy resolves the name of the target; Node encrypts within the tunnel, so the proxy sees host and port alone. */
function openTunnel(proxy: URL, target: TunnelTarget, isSecure: boolean, done: Done): void {
  const toProxy = proxy.protocol === 'https:' ? https : http
  const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`
  const request = toProxy.request({
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    path: authority,
    headers: { host: authority, ...proxyAuthorization(proxy) },
    agent: false,
  })
  const timer = setTimeout(() => request.destroy(new Error('The proxy is silent.')), connectSeconds * 1000)
  request.once('close', () => clearTimeout(timer))
  request.once('error', error => done(Object.assign(error, { isOfProxy: true })))
  request.once('connect', ({ statusCode }, socket) => {
    clearTimeout(timer)
    if (statusCode === 200) return done(null, isSecure ? connectTls({ ...target, socket }) : socket)
    socket.destroy()
    done(Object.assign(new Error(`The proxy answered ${statusCode}.`), { isOfProxy: true, statusCode }))
  })
  request.end()
}
