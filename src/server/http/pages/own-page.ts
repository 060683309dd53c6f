// Tells requests of our own pages from those that another page, or a link, makes a browser send.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { pathOf } from '../admission.ts'
import { createPageCheck } from '../hosts.ts'

/** Our pages send it, and a browser lets no page of another origin do so: `cors.ts` does not allow it. */
export const ownPageHeader = 'x-speech-page'

/** Sent by a page that shows an owner: nothing of it reaches another one, who signs in elsewhere in that browser. */
export function shownOwner(owner: string): string {
  return createHash('sha256').update(`shown ${owner}`).digest('base64url').slice(0, 16)
}

/** True for a page that shows this owner, or none yet. */
export function mayShow(owner: string, { [ownPageHeader]: shown = '1' }: IncomingHttpHeaders): boolean {
  return shown === '1' || shown === shownOwner(owner)
}

/** True for the home page, its sign-in and all below `/home/`; at `/` only for browsers, which ask for HTML. */
export function isHome({ url = '', method = '', headers }: IncomingMessage): boolean {
  const path = pathOf(url)
  if (path === '/') return ['GET', 'HEAD'].includes(method) && /\btext\/html\b/i.test(headers.accept ?? '')
  return path.startsWith('/home/') || (method === 'GET' && (path === '/sign-in' || path === '/signed-in'))
}

/** `allowedHosts`: as those of `createPageCheck`. */
export function createOwnPageCheck(allowedHosts: readonly string[]) {
  const isOwnOrigin = createPageCheck({ allowedHosts, hasTokens: false })
  return (headers: IncomingHttpHeaders): boolean =>
    headers[ownPageHeader] !== undefined &&
    (headers.origin === undefined || isOwnOrigin(headers)) &&
    // Browsers of the last years say it; a page at another port of the same name is `same-site`.
    ['same-origin', undefined].includes(headers['sec-fetch-site'] as string | undefined)
}

/** True where a person has followed a link of our own page, or typed the address; it changes nothing. */
export function isOwnVisit({ 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return ['same-origin', 'none', undefined].includes(site as string | undefined)
}
