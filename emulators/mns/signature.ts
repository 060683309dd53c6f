// Authentication of requests: key, signature, clock, token and digest.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { refusal } from './errors.ts'

const maxSkewMs = 15 * 60_000

export interface Realm {
  accessKeyId: string
  accessKeySecret: string
  securityToken?: string | undefined
  /** Milliseconds since 1970. */
  now: number
}

export interface Signed {
  method: string
  /** Path and query, as received. */
  resource: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Throws the service's error if the key, signature, date, token or digest is wrong. */
export function authenticate({ method, resource, headers, body }: Signed, realm: Realm): void {
  const [, key, signature] = /^MNS ([^:]+):(.+)$/.exec(headers.authorization ?? '') ?? []
  if (!key || !signature) throw refusal('MissingAuthorizationHeader')
  if (key !== realm.accessKeyId) throw refusal('InvalidAccessKeyId')
  const at = Date.parse(String(headers['x-mns-date'] ?? headers.date))
  if (!(Math.abs(at - realm.now) <= maxSkewMs)) throw refusal('TimeExpired')
  if (!isSame(signature, signatureOf({ method, resource, headers, body }, realm.accessKeySecret)))
    throw refusal('SignatureDoesNotMatch')
  if (headers['security-token'] !== realm.securityToken) throw refusal('InvalidSecurityToken')
  const digest = headers['content-md5']
  if (digest !== undefined && !digests(body).includes(String(digest))) throw refusal('InvalidDigest')
}

function signatureOf({ method, resource, headers }: Signed, secret: string): string {
  const own = Object.keys(headers)
    .filter(name => name.startsWith('x-mns-'))
    .sort()
    .map(name => `${name}:${headers[name]}\n`)
  const facts = [method, headers['content-md5'] ?? '', headers['content-type'] ?? '', headers.date ?? '']
  return createHmac('sha1', secret)
    .update(`${facts.join('\n')}\n${own.join('')}${resource}`)
    .digest('base64')
}

/** Clients send the digest in base64, some of them the base64 of its hexadecimal form. */
function digests(body: Buffer): string[] {
  const digest = createHash('md5').update(body).digest()
  return [digest.toString('base64'), Buffer.from(digest.toString('hex')).toString('base64')]
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
