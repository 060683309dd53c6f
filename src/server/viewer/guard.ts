// Keeps pages of others away from the viewer: its headers, and the requests that it refuses.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'

/** The page itself names its own policy. */
const safeHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

export function setSafeHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value)
}

/** True for a request of a page of another origin, also of another port of this machine; a link may lead here. */
export function isOfForeignPage(
  headers: IncomingHttpHeaders,
  isOwnPage: (headers: IncomingHttpHeaders) => boolean,
): boolean {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers
  return (
    (origin !== undefined && !isOwnPage(headers)) ||
    ((site === 'cross-site' || site === 'same-site') && mode !== 'navigate')
  )
}
