// Who is let in over HTTP: decided by the head of a request, before anything of its body is read.
import type { IncomingMessage } from 'node:http'
import { type Answer, health, refusals } from './answers.ts'
import { authenticateBy, refuseStrangers, type Token } from './auth.ts'
import { checkHosts } from './hosts.ts'

export interface AdmissionOptions {
  /** Where the server listens. */
  host: string
  tokens: readonly Token[]
  bodyBytes: number
  /** True where there are metrics to be had. */
  measured: boolean
  isStopping(): boolean
}

/** The owner of a request for MCP or, at `/metrics`, for these; or what to answer in its place. */
export type Admission = (incoming: IncomingMessage) => string | Answer

/** Throws `CONFIG_INVALID` where strangers would be let in. */
export function createAdmission({
  host,
  tokens,
  bodyBytes,
  measured,
  isStopping,
}: AdmissionOptions): Admission {
  refuseStrangers(host, tokens)
  const isOurName = checkHosts(host)
  const ownerOf = authenticateBy(tokens)
  return ({ method = '', url = '', headers }) => {
    if (!isOurName(headers)) return refusals.wrongHost
    const [path] = url.split('?')
    if (path === '/healthz')
      return ['GET', 'HEAD'].includes(method) ? health(isStopping()) : refusals.notAllowed('GET, HEAD')
    const isMetrics = measured && path === '/metrics'
    if (path !== '/mcp' && !isMetrics) return refusals.notFound
    const owner = ownerOf(headers.authorization)
    if (owner === undefined) return headers.authorization ? refusals.badToken : refusals.noToken
    if (isMetrics) return method === 'GET' ? owner : refusals.notAllowed('GET')
    if (isStopping()) return refusals.stopping
    const allowed = headers['mcp-session-id'] === undefined ? ['POST'] : ['GET', 'POST', 'DELETE']
    if (!allowed.includes(method)) return refusals.notAllowed(allowed.join(', '))
    return Number(headers['content-length']) > bodyBytes ? refusals.tooLarge : owner
  }
}
