// A name that the page of a transcript sends: from this page alone, as JSON.
import type { IncomingMessage } from 'node:http'
import { SpeechError } from '../../domain/errors.ts'
import { readBody } from '../http/messages.ts'
import { parseJson } from '../json-rpc/json-rpc.ts'

const maxBodyBytes = 4_000

/**
 * True for a script of the page itself. A form of another page cannot send this type, and a script of another page cannot
 * have these headers; `Host` and `Origin` were checked before.
 */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  const isJson = /^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')
  return isJson && (site === undefined ? headers.origin !== undefined : site === 'same-origin')
}

/** Throws `BAD_INPUT`. */
export async function readRenaming(request: IncomingMessage): Promise<{ speaker: string; name: string }> {
  const body = await readBody(request, maxBodyBytes)
  const { speaker, name } = (body && (parseJson(body) as Record<string, unknown> | undefined)) ?? {}
  if (typeof speaker !== 'string' || typeof name !== 'string')
    throw new SpeechError('BAD_INPUT', 'This is no name of a speaker.', { hint: 'Give a name of one line.' })
  return { speaker, name }
}
