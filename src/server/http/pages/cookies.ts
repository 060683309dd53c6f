// Cookies of our own pages, which no script reads. Over HTTPS no other host and no page below a path can set one.
import type { IncomingHttpHeaders } from 'node:http'
import { schemeSaidBy } from '../../uris.ts'

export interface Cookie {
  /** `Set-Cookie`; `headers` say whether the page is served over HTTPS, where a cookie of before it ends. */
  set(value: string, seconds: number, headers: IncomingHttpHeaders): string[]
  /** `Set-Cookie` that ends it, over HTTPS or not: the headers of a request do not always tell. */
  none(): string[]
  /** Its value in a request; undefined if there is none. */
  of(headers: IncomingHttpHeaders): string | undefined
}

export function createCookie(name: string, sameSite: 'Strict' | 'Lax'): Cookie {
  // A browser takes such a name over HTTPS alone, from the host itself.
  const hostName = `__Host-${name}`
  const pair = (value: string, seconds: number, isSecure: boolean) =>
    `${isSecure ? hostName : name}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=${sameSite}` +
    (isSecure ? '; Secure' : '')
  return {
    set(value, seconds, headers) {
      if (!isSecure(headers)) return [pair(value, seconds, false)]
      return [pair(value, seconds, true), pair('', 0, false)]
    },
    none: () => [false, true].map(isSecure => pair('', 0, isSecure)),
    of(headers) {
      const found = cookieIn(headers, hostName)
      return found ?? (isSecure(headers) ? undefined : cookieIn(headers, name))
    },
  }
}

function cookieIn({ cookie = '' }: IncomingHttpHeaders, name: string): string | undefined {
  const pairs = cookie.split(';').map(pair => pair.trim())
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** As the page's own address says, or a proxy that ends TLS. */
function isSecure({ origin, 'x-forwarded-proto': forwarded }: IncomingHttpHeaders): boolean {
  return origin === undefined ? schemeSaidBy(forwarded) === 'https' : origin.startsWith('https:')
}
