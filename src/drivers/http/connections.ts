// Connections of the HTTP client: undici's pools, direct and through a proxy, loaded with the first request.
import type { Agent, Dispatcher } from 'undici'
import { connectSeconds } from '../../domain/network/deadlines.ts'
import { type Proxies, proxyFor } from '../../domain/network/proxies.ts'

export interface Connections {
  send(
    url: URL,
    options: Omit<Dispatcher.RequestOptions<unknown>, 'origin' | 'path'>,
  ): Promise<Dispatcher.ResponseData<unknown>>
  close(): Promise<void>
}

/**
 * Parts of undici. The whole package also brings WebSockets, caches and a fetch, which add 5 MB and 35 % to the time until
 * the first request. The paths are private to undici, so its version is pinned. `scripts/build/packages.mjs` lists them.
 */
const load = {
  agent: () => import('undici/lib/dispatcher/agent.js'),
  connect: () => import('undici/lib/api/api-connect.js'),
  pool: () => import('undici/lib/dispatcher/pool.js'),
  proxyAgent: () => import('undici/lib/dispatcher/env-http-proxy-agent.js'),
  request: () => import('undici/lib/api/api-request.js'),
}

const connectTimeoutMs = connectSeconds * 1000

/** `connections`: at most, to one origin. */
export async function openConnections(connections: number, proxies?: Proxies): Promise<Connections> {
  const [{ default: DirectAgent }, { default: send }] = await Promise.all([load.agent(), load.request()])
  const options = { connections, keepAliveTimeout: 30_000 }
  const direct = new DirectAgent({ ...options, connect: { timeout: connectTimeoutMs } })
  const proxied = proxies && (await openProxied(options, proxies))
  return {
    send: (url, request) =>
      send.call(proxied && proxyFor(url, proxies) ? proxied : direct, {
        ...request,
        origin: url.origin,
        path: url.pathname + url.search,
      }),
    async close() {
      await Promise.all([direct.destroy(), proxied?.destroy()])
    },
  }
}

/** Private hosts and NO_PROXY are decided by `proxyFor`, as for requests that do not go through undici. */
async function openProxied(options: Agent.Options, { http, https }: Proxies): Promise<Dispatcher> {
  const [{ default: ProxyAgent }, { default: ToProxy }, { default: connect }] = await Promise.all([
    load.proxyAgent(),
    load.pool(),
    load.connect(),
  ])
  return new ProxyAgent({
    ...options,
    // Empty instead of undefined, where undici would read the environment itself.
    httpProxy: http?.href ?? '',
    httpsProxy: https?.href ?? '',
    noProxy: '',
    // Many proxies allow no tunnel to the port of http.
    proxyTunnel: false,
    // Five minutes otherwise, for a proxy that takes a connection and is silent. Only the whole package gives it `connect`.
    clientFactory: (origin, more) =>
      Object.assign(new ToProxy(origin, { ...more, headersTimeout: connectTimeoutMs }), { connect }),
  })
}
