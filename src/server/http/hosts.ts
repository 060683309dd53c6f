// Validates Host and Origin headers against DNS rebinding.
import type { IncomingHttpHeaders } from 'node:http'
import {
  localhostAllowedHostnames,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server'

/** A host and its port, without the other parts of a URL that the SDK's check would accept: `x@localhost`. */
const hostAndPort = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i

/** The returned function is true if `Host` and, if present, `Origin` are names of this server. */
export function createHostCheck(boundHost: string): (headers: IncomingHttpHeaders) => boolean {
  const names = [...localhostAllowedHostnames(), formatHost(boundHost.toLowerCase())]
  // A server bound to all addresses cannot know its names. Then the required token keeps web pages out.
  const anyName = ['0.0.0.0', '::', '[::]'].includes(boundHost)
  return ({ host, origin }) => {
    if (!hostAndPort.test(host ?? '')) return false
    const { ok, hostname } = { hostname: undefined, ...validateHostHeader(host, names) }
    if (hostname === undefined || !(ok || anyName)) return false
    return validateOriginHeader(origin, [...names, hostname]).ok
  }
}

/** A host as part of a URL: IPv6 addresses in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
