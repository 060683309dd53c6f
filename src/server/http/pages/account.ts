// Sign-in with the account of an identity provider: its page and back, by the authorization code flow with PKCE (OAuth 2.1).
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { codeOf, describeError } from '../../../domain/errors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import { asLine } from '../../../domain/text.ts'
import { log } from '../../../log.ts'
import { parseJson } from '../../json-rpc/json-rpc.ts'
import { isSameSecret } from '../auth.ts'
import { fetchAddresses, minPauseMs } from '../login/issuer-keys.ts'
import type { Login, LoginOptions } from '../login/login.ts'
import { scopes } from '../login/scopes.ts'
import { createCookie } from './cookies.ts'
import type { Seals } from './seals.ts'
import type { SignIn } from './sign-in.ts'

export interface AccountOptions {
  options: LoginOptions & { client: NonNullable<LoginOptions['client']> }
  login: Login
  seals: Seals
  signIn: SignIn
  /** The current time in milliseconds. */
  now(): number
}

/** Kept in the browser while its person is away. */
interface Pending {
  state: string
  verifier: string
}

/** Lax: the page of the provider leads back here. */
const cookie = createCookie('speech_way', 'Lax')
/** To log in, perhaps with a second factor. */
const maxWayMs = 15 * 60_000
const endpoints = ['authorization_endpoint', 'token_endpoint'] as const
/** Addresses of the provider are kept so long, and asked for again after a failure. */
const maxKeptMs = 10 * 60_000
const maxAnswerChars = 100_000
/** Anybody may come back with a code that is none: the provider is not asked by more at once, nor do more wait. */
const maxAtOnce = 4
const maxWaiting = 4
const maxUsedStates = 1_000
const backPath = '/signed-in'

export function createAccount({ options, login, seals, signIn, now }: AccountOptions) {
  const { issuer, client, fetchText } = options

  let known:
    | { until: number; found: ReturnType<typeof fetchAddresses<(typeof endpoints)[number]>> }
    | undefined
  const inTurn = pLimit(maxAtOnce)
  const used = new LRUCache<string, true>({ max: maxUsedStates })

  /** Those who ask have not signed in yet, so the provider must not be asked as often as this server is. */
  function addresses() {
    if (!known || now() >= known.until || now() < known.until - maxKeptMs) {
      const found = fetchAddresses(issuer, fetchText, endpoints)
      const fetched = { until: now() + maxKeptMs, found }
      found.catch(() => {
        fetched.until = now() + minPauseMs
      })
      known = fetched
    }
    return known.found
  }

  /** The address of the home page, below which the provider sends people back. */
  const homeOf = ({ headers }: IncomingMessage) => login.address(headers).replace(/\/mcp\/?$|\/$/, '')

  async function begin(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { authorization_endpoint: address } = await addresses()
    const [state, verifier] = [24, 32].map(bytes => randomBytes(bytes).toString('base64url')) as [
      string,
      string,
    ]
    const sealed = await seals.seal('way', JSON.stringify({ state, verifier }), now() + maxWayMs)
    const target = new URL(address)
    const parameters = {
      response_type: 'code',
      client_id: client.id,
      redirect_uri: homeOf(incoming) + backPath,
      scope: scopes.join(' '),
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: login.address(incoming.headers),
    }
    for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value)
    outgoing.setHeader('set-cookie', cookie.set(sealed, maxWayMs / 1000, { origin: homeOf(incoming) }))
    outgoing.writeHead(303, { location: target.href }).end()
  }

  async function end(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const given = new URL(incoming.url!, 'http://page').searchParams
    const pending = await pendingOf(incoming)
    if (!pending || !isSameSecret(given.get('state') ?? '', pending.state))
      return say(outgoing, 400, 'This sign-in was begun elsewhere, or took too long.')
    // Another provider's answer (RFC 9207).
    if (given.has('iss') && given.get('iss') !== issuer)
      return say(outgoing, 400, 'The answer is of another identity provider.')
    const code = given.get('code')
    if (code === null) {
      const reason = asLine(given.get('error') ?? 'no code').slice(0, 100)
      return say(outgoing, 403, `The identity provider has not signed you in (${reason}).`)
    }
    if (used.has(pending.state)) return say(outgoing, 400, 'This sign-in has been used.')
    if (inTurn.pendingCount >= maxWaiting) {
      outgoing.setHeader('retry-after', '5')
      return say(outgoing, 429, 'Too many people sign in at the moment.')
    }
    used.set(pending.state, true)
    // Until now the person may try again.
    outgoing.setHeader('set-cookie', cookie.none())
    const token = await inTurn(() => tokenFor(code, pending, incoming))
    if (token === undefined) return say(outgoing, 403, 'The identity provider has given no access token.')
    const caller = await login.callerBy(token, incoming.headers)
    if ('status' in caller && caller.status === 503)
      return say(outgoing, 503, 'The identity provider does not answer.')
    if ('status' in caller)
      return say(outgoing, 403, 'The access token of the identity provider is not for this server.')
    // A link brings no `Origin`, by which the cookie knows the scheme.
    const session = await signIn.byLogin(caller, { origin: homeOf(incoming) })
    outgoing.setHeader('set-cookie', [...cookie.none(), ...session])
    outgoing.writeHead(303, { location: './' }).end()
  }

  async function pendingOf(incoming: IncomingMessage): Promise<Pending | undefined> {
    const sealed = cookie.of({ ...incoming.headers, origin: homeOf(incoming) })
    const opened = await seals.open('way', sealed ?? '', now())
    return opened === undefined || opened === 'ended' ? undefined : (JSON.parse(opened.payload) as Pending)
  }

  /** The code for an access token; undefined where the provider refuses. */
  async function tokenFor(code: string, { verifier }: Pending, incoming: IncomingMessage) {
    const { token_endpoint: url } = await addresses()
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: homeOf(incoming) + backPath,
      client_id: client.id,
      code_verifier: verifier,
      resource: login.address(incoming.headers),
    })
    const body = Buffer.from(form.toString())
    const { status, text } = await fetchText({
      ...{ method: 'POST', url, deadline: deadlines.login, setting: 'SPEECH_OAUTH_ISSUER' },
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(client.secret !== undefined && { authorization: basic(client.id, client.secret) }),
      },
      body: { byteLength: body.length, chunks: () => [body] },
      signal: AbortSignal.timeout(deadlines.login.totalSeconds * 1000),
    })
    const answer = text.length <= maxAnswerChars ? parseJson(Buffer.from(text)) : undefined
    const { access_token: token, error } = (answer ?? {}) as Record<string, unknown>
    if (status === 200 && typeof token === 'string') return token
    const reason = typeof error === 'string' ? asLine(error).slice(0, 100) : String(status)
    log.info('login-refused', { reason })
    return undefined
  }

  /** Errors of the provider become words for the person. */
  const guarded =
    (work: typeof begin) =>
    async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
      try {
        await work(incoming, outgoing)
      } catch (error) {
        log.error('login-failed', { code: codeOf(error) })
        if (outgoing.headersSent) return void outgoing.destroy()
        say(outgoing, 503, describeError(error).replace(/^[A-Z_]+: /, ''))
      }
    }

  return { begin: guarded(begin), end: guarded(end) }
}

/** RFC 6749, 2.3.1: both are encoded as in forms. */
function basic(id: string, secret: string): string {
  const pair = [id, secret].map(text => new URLSearchParams([['', text]]).toString().slice(1)).join(':')
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function say(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  outgoing.end(`You are not signed in. ${text}\nGo back to the home page and sign in again.\n`)
}
