// Which names this server may be called by, so that a web page cannot reach it under one that it made up.
import type { IncomingHttpHeaders } from 'node:http'
import {
  localhostAllowedHostnames,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server'

/** True where both `Host` and `Origin`, if there is one, are names of ours. */
export type HostCheck = (headers: IncomingHttpHeaders) => boolean

export function checkHosts(boundHost: string): HostCheck {
  const names = [...localhostAllowedHostnames(), inAddress(boundHost.toLowerCase())]
  // Bound to all addresses it has names that it cannot know. Then a token keeps web pages out, as they have none.
  const anyName = ['0.0.0.0', '::', '[::]'].includes(boundHost)
  return ({ host, origin }) => {
    const { ok, hostname } = { hostname: undefined, ...validateHostHeader(host, names) }
    if (hostname === undefined || !(ok || anyName)) return false
    return validateOriginHeader(origin, [...names, hostname]).ok
  }
}

/** A host as it stands in an address: IPv6 in brackets. */
export function inAddress(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
