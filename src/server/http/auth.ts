// Authenticates HTTP requests by bearer tokens: those of the settings, each of which belongs to an owner, and those of a login.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import { isLoopback } from '../../domain/network/private-hosts.ts'
import type { Caller } from './login/caller.ts'
import type { Login } from './login/login.ts'
import { type JsonResponse, refusals } from './responses.ts'

export interface Token {
  /** The owner. An owner may have several tokens, so that they can be rotated. */
  name: string
  token: string
}

/**
 * The returned function gives the caller of a request, or the response that rejects it. `signedIn` gives the caller of one
 * without a bearer token, by its cookie.
 */
export function createAuthenticator(
  tokens: readonly Token[],
  login?: Login,
  signedIn?: (headers: IncomingHttpHeaders) => Promise<Caller | JsonResponse | undefined>,
): (incoming: IncomingMessage) => Promise<Caller | JsonResponse> {
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }))
  return async incoming => {
    if (known.length === 0 && !login) return { owner: localOwner }
    const bearer = bearerOf(incoming)
    const given = digest(bearer)
    // All digests are compared in constant time, so that response times reveal nothing about a token.
    const found = known.map(({ name, digest }) => (timingSafeEqual(digest, given) ? name : undefined))
    const owner = found.find(name => name !== undefined)
    if (owner !== undefined) return { owner }
    const { headers } = incoming
    const visitor = headers.authorization === undefined && (await signedIn?.(headers))
    if (visitor) return visitor
    if (login) return headers.authorization ? login.callerBy(bearer, headers) : login.noToken(headers)
    return headers.authorization ? refusals.badToken : refusals.noToken
  }
}

/** Empty if there is none. Of two headers a proxy may have checked the other one, so neither counts. */
function bearerOf({ headers, headersDistinct }: IncomingMessage): string {
  if ((headersDistinct.authorization ?? []).length > 1) return ''
  return /^Bearer +([!-~]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? ''
}

/** Throws `CONFIG_INVALID` if the address is not loopback, and neither tokens nor a login are set. */
export function requireTokens(host: string, tokens: readonly Token[], login?: Login): void {
  if (tokens.length > 0 || login || isLoopback(host)) return
  throw new SpeechError('CONFIG_INVALID', 'Without tokens, only a loopback address may be served.', {
    hint: 'Set SPEECH_TOKENS (name:token,name:token), SPEECH_OAUTH_ISSUER, or SPEECH_HTTP_HOST to 127.0.0.1.',
  })
}

/** In constant time, so that response times reveal nothing about the secret. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret))
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
