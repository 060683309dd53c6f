// Who asks over HTTP: bearer tokens, each of which stands for an owner.
import { createHash, timingSafeEqual } from 'node:crypto'
import { SpeechError } from '../../domain/errors.ts'

/** Who everything belongs to where there are no tokens: the person whose machine it is. */
const localOwner = 'local'

export interface Token {
  /** The owner. Several tokens may stand for one, so that they can be changed one after the other. */
  name: string
  token: string
}

/** Finds the owner that an `Authorization` header stands for; undefined where it stands for none. */
export type Authenticate = (header: string | undefined) => string | undefined

export function authenticateBy(tokens: readonly Token[]): Authenticate {
  if (tokens.length === 0) return () => localOwner
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }))
  return header => {
    const given = digest(/^Bearer +([!-~]+) *$/i.exec(header ?? '')?.[1] ?? '')
    // Each is compared, and as a digest, so that the time it takes tells nothing of a token.
    const found = known.map(({ name, digest }) => (timingSafeEqual(digest, given) ? name : undefined))
    return found.find(name => name !== undefined)
  }
}

/** Throws `CONFIG_INVALID` where the address would let strangers in. */
export function refuseStrangers(host: string, tokens: readonly Token[]): void {
  if (tokens.length > 0 || isLoopback(host)) return
  throw new SpeechError('CONFIG_INVALID', 'Without tokens only this machine may be served.', {
    hint: 'Set SPEECH_TOKENS (name:token,name:token), or SPEECH_HTTP_HOST to 127.0.0.1.',
  })
}

export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
