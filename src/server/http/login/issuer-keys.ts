// The public keys of an identity provider: found by its metadata, kept, and fetched again where they are old or one is missing.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { type Deadline, deadlines } from '../../../domain/network/deadlines.ts'
import { isLoopback } from '../../../domain/network/private-hosts.ts'
import { log } from '../../../log.ts'

/** A JWK as it was fetched. */
export type PublicKey = Record<string, unknown>

export interface KeySet {
  keys: PublicKey[]
}

export type FetchText = (request: {
  url: string
  deadline: Deadline
  signal: AbortSignal
  setting: string
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: { byteLength: number; chunks(): Iterable<Buffer> }
}) => Promise<{ status: number; text: string }>

export interface IssuerKeys {
  /** Throws `KeysUnavailable`. */
  current(): Promise<KeySet>
  /** A set that was fetched after this one; undefined if there has just been a look. Throws `KeysUnavailable`. */
  newerThan(set: KeySet): Promise<KeySet | undefined>
}

/** The identity provider does not answer, so nothing can be said about a token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

/** A key that the provider has withdrawn is accepted this long. */
const maxAgeMs = 10 * 60_000
/** Without an answer of the provider, the last keys hold this long. */
const maxKeptMs = 24 * 3_600_000
/** Between two fetches, also if tokens name keys that do not exist. */
export const minPauseMs = 10_000
const maxTextLength = 1_000_000
const setting = 'SPEECH_OAUTH_ISSUER'

export function createIssuerKeys(issuer: string, fetchText: FetchText, now: () => number): IssuerKeys {
  let kept: { set: KeySet; at: number } | undefined
  let tried: { at: number; hasFailed: boolean } | undefined
  let fetching: Promise<void> | undefined
  // A clock may be set back.
  const since = (at: number) => Math.abs(now() - at)

  /** One at a time; without effect within the pause. Does not throw. */
  function renew(): Promise<void> {
    if (tried && since(tried.at) < minPauseMs) return Promise.resolve()
    fetching ??= fetchKeySet(issuer, fetchText)
      .then(
        set => {
          kept = { set, at: now() }
          tried = { at: now(), hasFailed: false }
        },
        error => {
          tried = { at: now(), hasFailed: true }
          log.warn('login-keys-failed', { error: isSpeechError(error) ? error.code : (error as Error).name })
        },
      )
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }

  const usable = () => (kept && since(kept.at) < maxKeptMs ? kept.set : undefined)

  return {
    async current() {
      const isOld = !kept || since(kept.at) >= maxAgeMs
      if (isOld) {
        const renewed = renew()
        // A provider that hangs holds up one round of calls, not all.
        if (!usable() || !tried?.hasFailed) await renewed
      }
      const set = usable()
      if (!set) throw new KeysUnavailable()
      return set
    },
    async newerThan(set) {
      if (kept?.set === set) await renew()
      if (kept?.set !== set) return usable()
      if (tried?.hasFailed) throw new KeysUnavailable()
      return undefined
    },
  }
}

/** Throws what is wrong with the metadata or the keys, for `doctor`. */
export async function fetchKeySet(issuer: string, fetchText: FetchText): Promise<KeySet> {
  const fetchJson = jsonBy(fetchText)
  const { jwks_uri: address } = await findMetadata(issuer, fetchJson, ['jwks_uri'])
  const { status, json } = await fetchJson(address!)
  const keys = (json as { keys?: unknown } | undefined)?.keys
  if (status !== 200 || !Array.isArray(keys)) throw wrong(`The identity provider sends no keys (${status}).`)
  const isObject = (key: unknown) => typeof key === 'object' && key !== null && !Array.isArray(key)
  // A secret that an identity provider should never publish checks nothing.
  const usable = (keys.filter(isObject) as PublicKey[]).filter(
    ({ kty, use }) => kty !== 'oct' && use !== 'enc',
  )
  if (usable.length === 0) throw wrong('The identity provider has no public key for signatures.')
  return { keys: usable }
}

/** Addresses of the identity provider by their names in its metadata. Throws what is wrong with them. */
export async function fetchAddresses<Name extends string>(
  issuer: string,
  fetchText: FetchText,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  return findMetadata(issuer, jsonBy(fetchText), names)
}

type FetchJson = (url: string) => Promise<{ status: number; json: unknown }>

/** All requests together have the time of a login. */
function jsonBy(fetchText: FetchText): FetchJson {
  const signal = AbortSignal.timeout(deadlines.login.totalSeconds * 1000)
  return async url => {
    const { status, text } = await fetchText({ url, deadline: deadlines.login, signal, setting })
    return { status, json: text.length <= maxTextLength ? parse(text) : undefined }
  }
}

/** By RFC 8414, else by OpenID Connect Discovery: the first metadata that are of this issuer and have the addresses. */
async function findMetadata<Name extends string>(
  issuer: string,
  fetchJson: FetchJson,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/openid-configuration${path}`,
  ]
  let reason: SpeechError | undefined
  let last = 0
  for (const address of new Set(addresses)) {
    const { status, json } = await fetchJson(address)
    last = status
    if (status !== 200 || typeof json !== 'object' || json === null) continue
    const metadata = json as Record<string, unknown>
    const missing = names.find(name => typeof metadata[name] !== 'string' || !isSecureUrl(metadata[name]))
    if (metadata.issuer === issuer && missing === undefined) return metadata as Record<Name, string>
    reason ??=
      metadata.issuer === issuer
        ? wrong(`The metadata of the identity provider has no \`${missing}\` with https://.`)
        : otherName()
  }
  throw reason ?? wrong(`No metadata of an identity provider is found at SPEECH_OAUTH_ISSUER (${last}).`)
}

function otherName(): SpeechError {
  return wrong('The identity provider names itself otherwise than SPEECH_OAUTH_ISSUER does.', {
    hint: 'Copy `issuer` from its metadata as it is there, with or without a slash at the end.',
  })
}

/** Without TLS only on this machine: everybody else could send keys of their own. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

function wrong(message: string, { hint = 'Check SPEECH_OAUTH_ISSUER.' } = {}): SpeechError {
  return new SpeechError('CONFIG_INVALID', message, { hint })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
