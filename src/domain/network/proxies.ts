// Which requests go through a proxy, and through which one: HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
import { isPrivateHost } from './private-hosts.ts'

export interface Proxies {
  /** With user and password, if it needs them. Used for https too, where there is no other. */
  http?: URL | undefined
  https?: URL | undefined
  /** Hosts that are reached directly, as `NO_PROXY` lists them. */
  exceptions: string
}

/**
 * The proxy for a URL; undefined where it is reached directly. This machine and private networks always are: an engine of
 * one's own has to work beside a proxy that leads to the internet.
 */
export function proxyFor(address: string | URL, proxies: Proxies | undefined): URL | undefined {
  if (!proxies) return undefined
  const { protocol, hostname, port } = new URL(address)
  const proxy = protocol === 'https:' ? (proxies.https ?? proxies.http) : proxies.http
  const isExcepted = proxies.exceptions
    .split(/[,\s]+/)
    .filter(entry => entry !== '')
    .some(entry => matches(entry, hostname, port || (protocol === 'https:' ? '443' : '80')))
  return isPrivateHost(hostname) || isExcepted ? undefined : proxy
}

/** `*`, a host, a domain with all its hosts (`example.com`, `.example.com`, `*.example.com`), each perhaps with a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, name = '', onlyPort] = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
  if (onlyPort !== undefined && onlyPort !== port) return false
  return host === name || host.endsWith(`.${name}`)
}

/** Value of a header that a proxy with user and password needs. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const pair = [username, password].map(decodeURIComponent).join(':')
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
