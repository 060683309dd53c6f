// Authentication of requests: key, signature, clock, instance and token.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { invalid, refusal } from './errors.ts'

const maxSkewMs = 15 * 60_000

const requiredHeaders = [
  'x-ots-apiversion',
  'x-ots-instancename',
  'x-ots-contentmd5',
  'x-ots-date',
  'x-ots-accesskeyid',
  'x-ots-signature',
]

export interface Realm {
  instance: string
  accessKeyId: string
  accessKeySecret: string
  securityToken?: string | undefined
  /** Milliseconds since 1970. */
  now: number
}

/** Throws the service's error if the key, signature, date, instance, token or digest is wrong. */
export function authenticate(
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
  { instance, accessKeyId, accessKeySecret, securityToken, now }: Realm,
): void {
  for (const name of requiredHeaders) {
    if (!headers[name]) throw invalid(`Missing header: ${name}.`)
  }
  if (headers['x-ots-apiversion'] !== '2015-12-31') throw invalid('Unsupported API version.')
  checkDate(String(headers['x-ots-date']), now)
  if (headers['x-ots-instancename'] !== instance) throw failed('The instance is not found.')
  if (headers['x-ots-accesskeyid'] !== accessKeyId) throw failed('The AccessKeyID does not exist.')
  const expected = signatureOf(path, headers, accessKeySecret)
  if (!isSame(String(headers['x-ots-signature']), expected)) throw failed('Signature mismatch.')
  if (headers['x-ots-contentmd5'] !== createHash('md5').update(body).digest('base64')) {
    throw failed('Mismatch between MD5 value of request body and x-ots-contentmd5 in header.')
  }
  // Without its token a temporary key is unknown.
  if (headers['x-ots-ststoken'] !== securityToken) throw failed('The security token is invalid.')
}

function checkDate(date: string, now: number): void {
  const at = Date.parse(date)
  if (Number.isNaN(at)) throw invalid(`Invalid date format: ${date}.`)
  if (Math.abs(at - now) > maxSkewMs) throw failed(`Mismatch between system time and x-ots-date: ${date}.`)
}

function signatureOf(path: string, headers: IncomingHttpHeaders, secret: string): string {
  const signed = Object.keys(headers)
    .filter(name => name.startsWith('x-ots-') && name !== 'x-ots-signature')
    .sort()
    .map(name => `${name}:${headers[name]}`)
  return createHmac('sha1', secret)
    .update(`${path}\nPOST\n\n${signed.join('\n')}\n`)
    .digest('base64')
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function failed(message: string) {
  return refusal('OTSAuthFailed', message)
}
