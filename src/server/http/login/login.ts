// Login with an identity provider (OAuth 2.1): who calls by one of its tokens, and where a client gets one.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { log } from '../../../log.ts'
import { type JsonResponse, refusals } from '../responses.ts'
import type { Caller } from './caller.ts'
import { createIssuerKeys, type FetchText, KeysUnavailable, minPauseMs } from './issuer-keys.ts'
import { createResource } from './resource.ts'
import { grantedScopes, neededScopes } from './scopes.ts'

export interface LoginOptions {
  /** Equal to `iss` in its tokens, to the letter. */
  issuer: string
  /** A token is for one of them. The first that is an address is the public one of this server. */
  audiences: readonly string[]
  /** Claim of a token that says whose the transcripts are. */
  ownerClaim: string
  fetchText: FetchText
  /** As which client people sign in at the home page; without it only clients of MCP log in. */
  client?: { id: string; secret?: string | undefined } | undefined
}

export interface Login {
  /** `token` may be any text. */
  callerBy(token: string, headers: IncomingHttpHeaders): Promise<Caller | JsonResponse>
  /** Public address of `/mcp`. */
  address(headers: IncomingHttpHeaders): string
  noToken(headers: IncomingHttpHeaders): JsonResponse
  /** True for the path of the metadata by which clients find the identity provider. */
  isMetadata(path: string): boolean
  metadata(headers: IncomingHttpHeaders): JsonResponse
  /** The response to a request that needs a scope which its token lacks; undefined if it has all. */
  lacking(caller: Caller, headers: IncomingHttpHeaders, body: unknown): JsonResponse | undefined
}

const jwtShape = /^[\w-]+\.[\w-]+\.[\w-]+$/

export function createLogin(
  { issuer, audiences, ownerClaim, fetchText }: LoginOptions,
  now: () => number,
): Login {
  const resource = createResource(issuer, audiences)
  const keys = createIssuerKeys(issuer, fetchText, now)

  async function callerBy(token: string, headers: IncomingHttpHeaders): Promise<Caller | JsonResponse> {
    /** The same response for all reasons, which only the log tells apart. */
    const refused = (reason: string) => {
      log.info('login-refused', { reason })
      return resource.badToken(headers)
    }
    if (!jwtShape.test(token)) return refused('no JWT')
    const { checkJwt, maxSkewSeconds, reasonOf } = await import('./jwt-check.ts')
    try {
      const claims = await checkJwt(token, keys, { issuer, audiences, now: now() })
      const value = claims[ownerClaim]
      if (typeof value !== 'string' || value === '') return refused('no owner claim')
      return {
        owner: ownerOf(issuer, ownerClaim, value),
        scopes: grantedScopes(claims),
        expiresAt: (claims.exp! + maxSkewSeconds) * 1000,
      }
    } catch (error) {
      if (error instanceof KeysUnavailable) return refusals.noKeys(minPauseMs / 1000)
      return refused(reasonOf(error))
    }
  }

  return {
    callerBy,
    address: resource.address,
    noToken: resource.noToken,
    isMetadata: resource.isMetadata,
    metadata: resource.metadata,
    lacking({ scopes }, headers, body) {
      if (!scopes) return undefined
      const needed = neededScopes(body, headers['last-event-id'] !== undefined)
      return needed.every(name => scopes.has(name)) ? undefined : resource.noScope(headers, needed, scopes)
    },
  }
}

/** No name of SPEECH_TOKENS has a `~`, and the hash differs for each issuer: owners of two kinds are never the same. */
export function ownerOf(issuer: string, claim: string, value: string): string {
  const hash = createHash('sha256').update(JSON.stringify([issuer, claim, value]))
  return `login~${hash.digest('hex').slice(0, 48)}`
}
