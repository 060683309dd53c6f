// Authenticates HTTP requests by bearer tokens; each token belongs to an owner.
import { createHash, timingSafeEqual } from 'node:crypto'
import { SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'

export interface Token {
  /** The owner. An owner may have several tokens, so that they can be rotated. */
  name: string
  token: string
}

/** The returned function gives the owner for an `Authorization` header; undefined if it has no valid token. */
export function createAuthenticator(tokens: readonly Token[]): (header?: string) => string | undefined {
  if (tokens.length === 0) return () => localOwner
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }))
  return header => {
    const given = digest(/^Bearer +([!-~]+) *$/i.exec(header ?? '')?.[1] ?? '')
    // All digests are compared in constant time, so that response times reveal nothing about a token.
    const found = known.map(({ name, digest }) => (timingSafeEqual(digest, given) ? name : undefined))
    return found.find(name => name !== undefined)
  }
}

/** Throws `CONFIG_INVALID` if the address is not loopback and there are no tokens. */
export function requireTokens(host: string, tokens: readonly Token[]): void {
  if (tokens.length > 0 || isLoopback(host)) return
  throw new SpeechError('CONFIG_INVALID', 'Without tokens, only a loopback address may be served.', {
    hint: 'Set SPEECH_TOKENS (name:token,name:token), or SPEECH_HTTP_HOST to 127.0.0.1.',
  })
}

export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
