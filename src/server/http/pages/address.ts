// Addresses of pages: each is for one transcript, needs no token, and ends.
import type { Seals } from './seals.ts'

export interface PageAddress {
  /** Ends with a slash: the files of the page lie below it. */
  url: string
  /** Milliseconds since 1970. */
  endsAt: number
}

const lifeMs = 12 * 3600 * 1000
/** The address stays the same so long: one for all calls about a transcript. */
const stepMs = 3600 * 1000

/** Rejects where the key of the addresses cannot be read. `now`: milliseconds since 1970. */
export async function pageAddress(
  seals: Seals,
  serverUrl: string,
  { owner, id }: { owner: string; id: string },
  now = Date.now(),
): Promise<PageAddress> {
  const endsAt = Math.ceil(now / stepMs) * stepMs + lifeMs
  return { url: `${serverUrl}/t/${await seals.seal('page', `${id}\n${owner}`, endsAt)}/`, endsAt }
}

/** The transcript in an opened address. An id has no line break. */
export function shownBy(payload: string): { owner: string; id: string } {
  const at = payload.indexOf('\n')
  return { id: payload.slice(0, at), owner: payload.slice(at + 1) }
}
