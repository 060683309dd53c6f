// Validates Host and Origin headers against DNS rebinding.
import type { IncomingHttpHeaders } from 'node:http'
import {
  localhostAllowedHostnames,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server'
import { asLine } from '../../domain/text.ts'

/** A host and its port, without the other parts of a URL that the SDK's check would accept: `x@localhost`. */
const hostAndPort = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i

export interface HostOptions {
  /** Address the server listens on. */
  host: string
  /** Further names of the server, and of web pages that may use it: a name with a port stands for the pages of that port. */
  allowedHosts: readonly string[]
  /** True if requests need a token, which keeps other web pages out: then any name is the server's, as a proxy passes it on. */
  hasTokens: boolean
}

/** The returned function says which of `Host` and `Origin` is no name of this server; undefined if they are. */
export function createHostCheck({ host: bound, allowedHosts, hasTokens }: HostOptions) {
  const names = [
    ...localhostAllowedHostnames(),
    formatHost(bound.toLowerCase()),
    ...allowedHosts.map(withoutPort),
  ]
  return ({ host = '', origin }: IncomingHttpHeaders): string | undefined => {
    const { ok, hostname } = { hostname: undefined, ...validateHostHeader(host, names) }
    if (!hostAndPort.test(host) || hostname === undefined || !(ok || hasTokens)) return `Host ${shown(host)}`
    return validateOriginHeader(origin, [...names, hostname]).ok ? undefined : `Origin ${shown(origin!)}`
  }
}

/**
 * The returned function says whether the web page of a checked `Origin` may read answers. Without tokens the name alone is
 * not enough: any program of this machine may serve pages of others at a port of localhost.
 */
export function createPageCheck({ allowedHosts, hasTokens }: Omit<HostOptions, 'host'>) {
  return ({ host, origin }: IncomingHttpHeaders): boolean => {
    if (!origin) return false
    const page = new URL(origin)
    const isAt = (name: string) => new URL(`${page.protocol}//${name}`).host === page.host
    return hasTokens || isAt(host!) || allowedHosts.some(name => name === page.hostname || isAt(name))
  }
}

const withoutPort = (name: string) => name.replace(/:\d+$/, '')
const shown = (header: string) => asLine(header).slice(0, 100)

/** A host as part of a URL: IPv6 addresses in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
