// Cookies of our own pages, which no script reads. Over HTTPS no other host and no page below a path can set one.
import type { IncomingHttpHeaders } from 'node:http'

export interface Cookie {
  /** `Set-Cookie`; `headers` say whether the page is served over HTTPS. */
  set(value: string, seconds: number, headers: IncomingHttpHeaders): string
  /** Its value in a request; undefined if there is none. */
  of(headers: IncomingHttpHeaders): string | undefined
}

export function createCookie(name: string, sameSite: 'Strict' | 'Lax'): Cookie {
  // A browser takes such a name over HTTPS alone, from the host itself.
  const hostName = `__Host-${name}`
  return {
    set(value, seconds, headers) {
      const secure = isSecure(headers)
      const pair = `${secure ? hostName : name}=${value}`
      return `${pair}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`
    },
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
  const [scheme = ''] = String(forwarded ?? '').split(',')
  return origin === undefined ? scheme.trim() === 'https' : origin.startsWith('https:')
}
