// Accepts or rejects an HTTP request by its headers, before its body is read.
import type { IncomingMessage } from 'node:http'
import { createAuthenticator, requireTokens, type Token } from './auth.ts'
import { healthResponse, type JsonResponse, refusals } from './responses.ts'

/** Some clients end the URL with a slash. */
export function pathOf(url: string): string {
  return url.split('?')[0]!.replace(/(?<=.)\/$/, '')
}

export interface AdmissionOptions {
  /** Address the server listens on. */
  host: string
  tokens: readonly Token[]
  maxBodyBytes: number
  /** True if `/metrics` is served. */
  hasMetrics: boolean
  isStopping(): boolean
}

/**
 * The returned function gives the owner of an accepted request for `/mcp` or `/metrics`, or the response that rejects it.
 * Throws `CONFIG_INVALID` if the address is reachable from other machines but no tokens are set.
 */
export function createAdmission(
  options: AdmissionOptions,
): (incoming: IncomingMessage) => string | JsonResponse {
  const { host, tokens, maxBodyBytes, hasMetrics, isStopping } = options
  requireTokens(host, tokens)
  const ownerOf = createAuthenticator(tokens)
  return ({ method = '', url = '', headers }) => {
    const path = pathOf(url)
    if (path === '/healthz' && ['GET', 'HEAD'].includes(method))
      return healthResponse(!isStopping(), { status: isStopping() ? 'stopping' : 'ok' })
    if (path === '/healthz') return refusals.notAllowed('GET, HEAD')
    const isMetrics = hasMetrics && path === '/metrics'
    if (path !== '/mcp' && !isMetrics) return refusals.notFound
    const owner = ownerOf(headers.authorization)
    if (owner === undefined) return headers.authorization ? refusals.badToken : refusals.noToken
    if (isMetrics) return method === 'GET' ? owner : refusals.notAllowed('GET')
    if (isStopping()) return refusals.stopping
    const allowed = headers['mcp-session-id'] === undefined ? ['POST'] : ['GET', 'POST', 'DELETE']
    if (!allowed.includes(method)) return refusals.notAllowed(allowed.join(', '))
    return Number(headers['content-length']) > maxBodyBytes ? refusals.tooLarge(maxBodyBytes) : owner
  }
}
