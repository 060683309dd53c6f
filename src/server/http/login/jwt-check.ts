// Checks a JWT by the keys of its issuer. The only file that knows jose; loaded with the first such token.
import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { IssuerKeys, KeySet } from './issuer-keys.ts'

export interface Expected {
  issuer: string
  audiences: readonly string[]
  /** The current time in milliseconds. */
  now: number
}

/** How far the clocks of the issuer and of this machine may differ. */
export const maxSkewSeconds = 60

/** Signatures by a private key. Never `none`, and no HMAC, whose secret could be a public key. */
const algorithms = ['RS', 'PS', 'ES'].flatMap(family => ['256', '384', '512'].map(bits => family + bits))
const allAlgorithms = [...algorithms, 'EdDSA', 'Ed25519']

/** An access token (RFC 9068), or a JWT of no special purpose. */
const types = /^(?:application\/)?(?:at\+)?jwt$/i

type Resolver = ReturnType<typeof createLocalJWKSet>
const resolvers = new WeakMap<KeySet, Resolver>()

/** Throws an error of jose, or `KeysUnavailable`. */
export async function checkJwt(token: string, keys: IssuerKeys, expected: Expected): Promise<JWTPayload> {
  const options: JWTVerifyOptions = {
    algorithms: allAlgorithms,
    issuer: expected.issuer,
    audience: [...expected.audiences],
    clockTolerance: maxSkewSeconds,
    currentDate: new Date(expected.now),
    requiredClaims: ['exp'],
  }
  const set = await keys.current()
  const { payload, protectedHeader } = await verify(token, set, options).catch(async error => {
    const newer = mayHaveNewKey(error) ? await keys.newerThan(set) : undefined
    if (!newer) throw error
    return verify(token, newer, options)
  })
  const { typ } = protectedHeader
  if (typ !== undefined && !types.test(typ)) throw new errors.JWTInvalid('Another type of JWT')
  // An ID token says who has logged in to a client, and opens nothing.
  if (payload.at_hash !== undefined) throw new errors.JWTInvalid('ID token')
  // Such a token belongs to a key of its client, of which a bearer gives no proof.
  if (payload.cnf !== undefined) throw new errors.JWTInvalid('Bound to a key')
  return payload
}

/** The name of a failed check, for the log. */
export function reasonOf(error: unknown): string {
  const { code, claim } = error as { code?: unknown; claim?: unknown }
  return [code ?? (error instanceof Error ? error.name : typeof error), claim].filter(Boolean).join(' ')
}

/** Also where a key was tried: another one may have taken its place, under the same name. */
function mayHaveNewKey(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed
}

async function verify(token: string, set: KeySet, options: JWTVerifyOptions) {
  const resolver = resolvers.get(set) ?? createLocalJWKSet(set as Parameters<typeof createLocalJWKSet>[0])
  resolvers.set(set, resolver)
  try {
    return await jwtVerify(token, resolver, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    return verifyByAny(token, error, options)
  }
}

async function verifyByAny(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
) {
  for await (const key of candidates)
    try {
      return await jwtVerify(token, key, options)
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  throw new errors.JWSSignatureVerificationFailed()
}
