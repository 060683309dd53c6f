// Authentication of requests: signature, clock, region, keys and tokens.
import { timingSafeEqual } from 'node:crypto'
import { refusal } from './errors.ts'
import type { Target } from './request.ts'
import {
  ALGORITHM,
  canonicalRequest,
  type Scope,
  scopeText,
  sign,
  stringToSign,
  timestamp,
} from './signature.ts'

const maxSkewMs = 15 * 60_000
const maxExpiresSeconds = 604_800

export interface Credentials {
  accessKeyId: string
  accessKeySecret: string
  /** Makes the credentials temporary: each request must carry the token. */
  securityToken?: string
  /** Expiry of the token, in milliseconds since 1970. */
  expiresAt?: number
}

export interface Realm {
  region: string
  credentials: Credentials[]
  /** Milliseconds since 1970. */
  now: number
}

interface Claim extends Scope {
  by: 'header' | 'url'
  accessKeyId: string
  /** Milliseconds since 1970. */
  at: number
  additional: string[]
  signature: string
  token: string | undefined
  /** Lifetime in seconds, only of a signed URL. */
  expires?: number
}

/** Returns the credentials that signed the request. Throws the error of OSS if there are none. */
export function authenticate(target: Target, realm: Realm): Credentials {
  const claim = claimOf(target)
  if (claim.region !== realm.region) {
    throw refusal('InvalidArgument', 'Invalid signing region in Authorization header.', {
      EC: '0002-00000226',
    })
  }
  const credentials = realm.credentials.find(known => known.accessKeyId === claim.accessKeyId)
  if (!credentials) throw unknownKey(claim.accessKeyId)
  checkTime(claim, realm.now)
  checkToken(claim, credentials, realm.now)
  checkSignature(target, claim, credentials)
  return credentials
}

/** The refusal of a key that does not exist, with the recorded error code of OSS. */
export function unknownKey(accessKeyId: string): Error {
  return refusal('InvalidAccessKeyId', undefined, { OSSAccessKeyId: accessKeyId, EC: '0002-00000902' })
}

function claimOf(target: Target): Claim {
  const { query, headers } = target
  const authorization = headers.authorization
  if (authorization?.startsWith('OSS ') || query.has('OSSAccessKeyId')) {
    throw refusal('AccessDenied', 'Signature version 1 is not supported. Please use signature version 4.', {
      EC: '0002-00000080',
    })
  }
  if (authorization !== undefined) return claimOfHeader(authorization, target)
  if (query.has('x-oss-signature-version')) return claimOfUrl(target)
  throw refusal('AccessDenied')
}

function claimOfHeader(authorization: string, { headers }: Target): Claim {
  const fields = /^(\S+) Credential=([^,]+),\s*(?:AdditionalHeaders=([^,]*),\s*)?Signature=(\S+)$/.exec(
    authorization,
  )
  if (fields?.[1] !== ALGORITHM) throw malformed('Authorization header')
  if (headers['x-oss-content-sha256'] !== 'UNSIGNED-PAYLOAD') {
    throw refusal('InvalidArgument', 'Invalid x-oss-content-sha256 header.', {
      ArgumentName: 'x-oss-content-sha256',
    })
  }
  return {
    by: 'header',
    ...credentialOf(fields[2]!, 'Authorization header'),
    at: timeOf(headers['x-oss-date'] ?? headers.date),
    additional: fields[3]?.split(';') ?? [],
    signature: fields[4]!,
    token: headers['x-oss-security-token']?.toString(),
  }
}

function claimOfUrl({ query }: Target): Claim {
  const read = (name: string) => {
    const value = query.get(name)
    if (!value) throw refusal('InvalidArgument', `Missing ${name} in query.`, { ArgumentName: name })
    return value
  }
  if (read('x-oss-signature-version') !== ALGORITHM) throw malformed('query')
  const expires = Number(read('x-oss-expires'))
  if (!Number.isInteger(expires) || expires < 1 || expires > maxExpiresSeconds) {
    throw refusal('InvalidArgument', 'Invalid x-oss-expires in query.', { ArgumentName: 'x-oss-expires' })
  }
  return {
    by: 'url',
    ...credentialOf(read('x-oss-credential'), 'query'),
    at: timeOf(read('x-oss-date')),
    additional: query.get('x-oss-additional-headers')?.split(';') ?? [],
    signature: read('x-oss-signature'),
    token: query.get('x-oss-security-token'),
    expires,
  }
}

function credentialOf(text: string, where: string): Scope & { accessKeyId: string } {
  const [accessKeyId, day, region, product] = text.split('/')
  if (product !== undefined && product !== 'oss') {
    throw refusal('InvalidArgument', `Invalid signing product in ${where}.`, { EC: '0002-00000227' })
  }
  if (!accessKeyId || !day || !region || text !== `${accessKeyId}/${scopeText({ day, region })}`) {
    throw malformed(where)
  }
  return { accessKeyId, day, region }
}

function malformed(where: string) {
  return refusal('InvalidArgument', `Invalid credential in ${where}.`)
}

/** Parses `20261122T081530Z` or an HTTP date to milliseconds since 1970. */
function timeOf(given: string | string[] | undefined): number {
  const at = Date.parse(
    String(given).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  )
  if (Number.isNaN(at)) throw refusal('AccessDenied', 'OSS authentication requires a valid Date.')
  return at
}

function checkTime({ at, day, expires }: Claim, now: number): void {
  const clocks = { RequestTime: new Date(at).toISOString(), ServerTime: new Date(now).toISOString() }
  if (!timestamp(at).startsWith(day))
    throw refusal('InvalidArgument', 'Invalid signing date in Authorization header.')
  if (expires === undefined && Math.abs(now - at) > maxSkewMs) {
    throw refusal('RequestTimeTooSkewed', undefined, {
      ...clocks,
      MaxAllowedSkewMilliseconds: String(maxSkewMs),
    })
  }
  if (expires === undefined) return
  if (at - now > maxSkewMs) throw refusal('AccessDenied', 'Request is not valid yet.', clocks)
  if (now > at + expires * 1000) {
    throw refusal('AccessDenied', 'Request has expired.', {
      Expires: new Date(at + expires * 1000).toISOString(),
      ServerTime: clocks.ServerTime,
    })
  }
}

function checkToken({ token }: Claim, { securityToken, expiresAt }: Credentials, now: number): void {
  // Without its token a temporary key is unknown.
  if (securityToken && !token) throw refusal('InvalidAccessKeyId')
  if (!securityToken && token) throw refusal('AccessKeyIdAndSecurityTokenNotMatch')
  if (securityToken !== token) throw refusal('InvalidSecurityToken')
  if (securityToken && expiresAt !== undefined && now >= expiresAt) throw refusal('SecurityTokenExpired')
}

function checkSignature(target: Target, claim: Claim, { accessKeyId, accessKeySecret }: Credentials): void {
  const canonical = canonicalRequest(target, claim.additional)
  const text = stringToSign(timestamp(claim.at), claim, canonical)
  const expected = Buffer.from(sign(accessKeySecret, claim, text))
  const given = Buffer.from(claim.signature)
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw refusal('SignatureDoesNotMatch', undefined, {
    OSSAccessKeyId: accessKeyId,
    SignatureProvided: claim.signature,
    StringToSign: text,
    CanonicalRequest: canonical,
  })
}
