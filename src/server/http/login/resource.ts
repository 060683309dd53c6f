// Tells clients where to log in: metadata of the protected resource (RFC 9728), and challenges that lead to it.
import type { IncomingHttpHeaders } from 'node:http'
import { isPrivateHost } from '../../../domain/network/private-hosts.ts'
import { schemeSaidBy } from '../../uris.ts'
import { challenged, type JsonResponse, refusals } from '../responses.ts'
import { scopes } from './scopes.ts'

const wellKnown = '/.well-known/oauth-protected-resource'
const endpoint = '/mcp'

/** The first audience that is an address is the public one of this server. */
export function createResource(issuer: string, audiences: readonly string[]) {
  const named = audiences.find(audience => /^https?:\/\//i.test(audience))
  const paths = new Set([wellKnown, wellKnown + endpoint, ...(named ? [wellKnown + pathIn(named)] : [])])

  function metadataUrl(headers: IncomingHttpHeaders): string {
    const resource = named ?? addressOf(headers)
    return new URL(resource).origin + wellKnown + pathIn(resource)
  }

  return {
    /** The address of `/mcp` for clients. */
    address: (headers: IncomingHttpHeaders): string => named ?? addressOf(headers),
    /** `path`: without a slash at its end. */
    isMetadata: (path: string): boolean => paths.has(path),
    metadata: (headers: IncomingHttpHeaders): JsonResponse => ({
      status: 200,
      // Without an address in the settings it depends on the request.
      headers: { 'cache-control': 'no-store' },
      body: {
        resource: named ?? addressOf(headers),
        authorization_servers: [issuer],
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
        resource_name: 'speech-mcp',
      },
    }),
    noToken: (headers: IncomingHttpHeaders): JsonResponse =>
      challenged(refusals.noToken, { resource_metadata: metadataUrl(headers) }),
    badToken: (headers: IncomingHttpHeaders): JsonResponse =>
      challenged(refusals.badToken, { error: 'invalid_token', resource_metadata: metadataUrl(headers) }),
    /** `needed` and what the token already has: some clients ask for nothing beyond what they are told. */
    noScope(headers: IncomingHttpHeaders, needed: readonly string[], granted: ReadonlySet<string>) {
      const scope = scopes.filter(name => needed.includes(name) || granted.has(name)).join(' ')
      const parameters = { error: 'insufficient_scope', scope, resource_metadata: metadataUrl(headers) }
      return challenged(refusals.noScope(needed), parameters)
    },
  }
}

/** Nothing for the root. */
function pathIn(address: string): string {
  return new URL(address).pathname.replace(/\/$/, '')
}

/**
 * The address by which a client has reached this server, as far as its headers say: `host` has been checked. A proxy that
 * ends TLS either says so or has a public name.
 */
function addressOf({ host = '', 'x-forwarded-proto': forwarded }: IncomingHttpHeaders): string {
  const usual = isPrivateHost(new URL(`http://${host}`).hostname) ? 'http' : 'https'
  const scheme = schemeSaidBy(forwarded) ?? usual
  return new URL(`${scheme}://${host}${endpoint}`).href
}
