// Connections of the HTTP client: undici's pools, direct and through a proxy, loaded with the first request.
import type { Agent, Dispatcher, EnvHttpProxyAgent, Pool, request } from 'undici'
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
 * the first request. The paths are private to undici, so its version is pinned.
 */
const paths = {
  agent: 'undici/lib/dispatcher/agent.js',
  connect: 'undici/lib/api/api-connect.js',
  pool: 'undici/lib/dispatcher/pool.js',
  proxyAgent: 'undici/lib/dispatcher/env-http-proxy-agent.js',
  request: 'undici/lib/api/api-request.js',
}
const load = async <T>(path: string): Promise<T> => (await import(path)).default

const connectTimeoutMs = connectSeconds * 1000

/** `connections`: at most, to one origin. */
export async function openConnections(connections: number, proxies?: Proxies): Promise<Connections> {
  const [DirectAgent, send] = await Promise.all([
    load<typeof Agent>(paths.agent),
    load<typeof request>(paths.request),
  ])
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
  const [ProxyAgent, ToProxy, connect] = await Promise.all([
    load<typeof EnvHttpProxyAgent>(paths.proxyAgent),
    load<typeof Pool>(paths.pool),
    load<Dispatcher['connect']>(paths.connect),
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
