// Signature V4 as defined in the OSS reference.
import { createHash, createHmac } from 'node:crypto'
import type { Target } from './request.ts'

export const ALGORITHM = 'OSS4-HMAC-SHA256'
const TERMINATOR = 'aliyun_v4_request'
const FIXED = /^(?:content-type|content-md5|x-oss-.*)$/

export interface Scope {
  /** YYYYMMDD */
  day: string
  region: string
}

export function scopeText({ day, region }: Scope): string {
  return `${day}/${region}/oss/${TERMINATOR}`
}

/** `20261122T081530Z` */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+|[-:]/g, '')
}

export function canonicalRequest(target: Target, additional: string[]): string {
  const { method, bucket, key, query, headers } = target
  const names = Object.keys(headers).filter(name => FIXED.test(name) || additional.includes(name))
  return [
    method,
    encode(`/${bucket}/${key}`).replaceAll('%2F', '/'),
    [...query]
      .filter(([name]) => name !== 'x-oss-signature')
      .map(([name, value]) => (value ? `${encode(name)}=${encode(value)}` : encode(name)))
      .sort()
      .join('&'),
    names
      .sort()
      .map(name => `${name}:${headerText(headers[name]).trim()}\n`)
      .join(''),
    additional.join(';'),
    headerText(headers['x-oss-content-sha256']) || 'UNSIGNED-PAYLOAD',
  ].join('\n')
}

export function stringToSign(date: string, scope: Scope, canonical: string): string {
  const hash = createHash('sha256').update(canonical).digest('hex')
  return [ALGORITHM, date, scopeText(scope), hash].join('\n')
}

export function sign(secret: string, { day, region }: Scope, text: string): string {
  const key = [day, region, 'oss', TERMINATOR].reduce<string | Buffer>(
    (previous, step) => createHmac('sha256', previous).update(step).digest(),
    `aliyun_v4${secret}`,
  )
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Percent-encoding of RFC 3986: keeps only letters, digits and `-_.~`. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

// Node decodes headers as Latin-1; OSS signs UTF-8.
function headerText(value: string | string[] | undefined): string {
  return Buffer.from([value ?? ''].flat().join(','), 'latin1').toString('utf8')
}
