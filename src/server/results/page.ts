// The address of a transcript's page, as a result tells it.
import { codeOf } from '../../domain/errors.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { type PageAddress, pageAddress } from '../http/pages/address.ts'
import type { ToolCall } from '../tool.ts'

type PageCall = Pick<ToolCall, 'seals' | 'serverUrl' | 'owner'>

/** Undefined where no page is served, and where the key of the addresses cannot be read: the result goes out without. */
export async function pageOf(
  { seals, serverUrl, owner }: PageCall,
  id: string,
): Promise<PageAddress | undefined> {
  if (!seals || !serverUrl) return undefined
  return pageAddress(seals, serverUrl, { owner, id }).catch(error => {
    log.warn('page-address-failed', { code: codeOf(error) })
    return undefined
  })
}

/** Of a job that is over and has words; further pages of a text do not repeat it. */
export async function pageFor(
  { id, status, segments }: Transcript,
  call: PageCall,
  offset = 0,
): Promise<PageAddress | undefined> {
  const isWorthIt = status !== 'running' && segments.length > 0 && offset === 0
  return isWorthIt ? pageOf(call, id) : undefined
}

export function pageFields({ url, endsAt }: PageAddress): { page_url: string; page_ends_at: string } {
  return { page_url: url, page_ends_at: new Date(endsAt).toISOString() }
}

/** The address is a secret, so it says who may have it. */
export function pageLine({ url, endsAt }: PageAddress): string {
  const end = new Date(endsAt).toISOString().slice(0, 16).replace('T', ' ')
  return `page: ${url} (for the user, to read and hear; #t=SECONDS opens it there; no login, ends ${end} UTC)`
}

/** To hear exactly a clip. */
export function listenUrl({ url }: PageAddress, from: number, to: number): string {
  return `${url}audio?from=${from}&to=${to}`
}
