// Sign-in of people at the home page: a token or a login is given once, and a sealed cookie stands for it until it ends.
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Token } from '../auth.ts'
import type { Caller } from '../login/caller.ts'
import type { LoginOptions } from '../login/login.ts'
import { scopes as ownScopes } from '../login/scopes.ts'
import { createCookie } from './cookies.ts'
import { mayShow } from './own-page.ts'
import type { Seals } from './seals.ts'

export interface SignInOptions {
  tokens: readonly Token[]
  /** Undefined where there is none. */
  login: Pick<LoginOptions, 'issuer' | 'audiences' | 'ownerClaim'> | undefined
  seals: Seals
  /** The current time in milliseconds. */
  now(): number
}

export interface SignIn {
  /** The caller of a request, by its cookie; undefined where there is none that holds. Another page may have sent it. */
  callerOf(headers: IncomingHttpHeaders): Promise<Caller | undefined>
  /** `Set-Cookie` for the owner of a token; undefined for a token that is none. */
  byToken(token: string, headers: IncomingHttpHeaders): Promise<string[] | undefined>
  /** `Set-Cookie` for a caller by a login, whose session ends with its token at the latest. */
  byLogin(caller: Caller, headers: IncomingHttpHeaders): Promise<string[]>
  /** `Set-Cookie` that ends a session in this browser, if the page may show its owner. */
  none(headers: IncomingHttpHeaders): Promise<string[]>
}

interface Session {
  owner: string
  /** SHA-256 of the token of SPEECH_TOKENS: the session ends when the settings have it no more. */
  token?: string
  /** SHA-256 of the settings of a login: the session ends where they would not accept its token. */
  login?: string | undefined
  scopes?: string[]
}

const cookie = createCookie('speech_session', 'Strict')
const maxSessionMs = 12 * 3600_000

export function createSignIn({ tokens, login, seals, now }: SignInOptions): SignIn {
  const known = tokens.map(({ name, token }) => ({ name, hash: hashOf(token) }))
  const ownLogin = login && hashOf(JSON.stringify([login.issuer, login.audiences, login.ownerClaim]))
  const isOfLogin = (session: Pick<Session, 'login'>) => !!ownLogin && session.login === ownLogin
  const find = (hash: string) => known.find(one => one.hash === hash)

  async function cookieFor(
    session: Session,
    endsAt: number,
    headers: IncomingHttpHeaders,
  ): Promise<string[]> {
    const text = JSON.stringify({ ...session, salt: randomBytes(9).toString('base64url') })
    const seconds = Math.max(0, Math.round((endsAt - now()) / 1000))
    return cookie.set(await seals.seal('session', text, endsAt), seconds, headers)
  }

  /** Its owner may be another one than the page shows. */
  async function sessionOf(headers: IncomingHttpHeaders): Promise<Caller | undefined> {
    const sealed = cookie.of(headers)
    if (sealed === undefined) return undefined
    const opened = await seals.open('session', sealed, now())
    if (opened === undefined || opened === 'ended') return undefined
    const { owner, token, scopes, ...session } = JSON.parse(opened.payload) as Session
    const isValid = token === undefined ? isOfLogin(session) : find(token)?.name === owner
    if (!isValid) return undefined
    return { owner, ...(scopes && { scopes: new Set(scopes) }), expiresAt: opened.endsAt }
  }

  return {
    async callerOf(headers) {
      const caller = await sessionOf(headers)
      return caller && mayShow(caller.owner, headers) ? caller : undefined
    },
    async byToken(token, headers) {
      // Hashes are compared, so that response times reveal nothing about a token.
      const found = find(hashOf(token))
      if (!found) return undefined
      return cookieFor({ owner: found.name, token: found.hash }, now() + maxSessionMs, headers)
    },
    byLogin({ owner, scopes, expiresAt = Number.POSITIVE_INFINITY }, headers) {
      const endsAt = Math.min(expiresAt, now() + maxSessionMs)
      return cookieFor(
        { owner, login: ownLogin, scopes: ownScopes.filter(name => scopes?.has(name)) },
        endsAt,
        headers,
      )
    },
    async none(headers) {
      // Without the key nothing tells whose it is, and a person who leaves comes first.
      const caller = await sessionOf(headers).catch(() => undefined)
      return caller && !mayShow(caller.owner, headers) ? [] : cookie.none()
    },
  }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')
