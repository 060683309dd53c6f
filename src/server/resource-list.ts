// The list of resources: an owner's transcripts from the newest on, in pages that clients read to the last one.
import type { McpServer } from '@modelcontextprotocol/server'
import { formatTime } from '../domain/format-time.ts'
import { languageName } from '../domain/languages.ts'
import type { TranscriptSummary } from '../domain/transcript.ts'
import { statusNote } from '../formats/head.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { throwProtocolError } from './resources.ts'
import { transcriptUri } from './uris.ts'

/** The first page may be all that a client shows. The official client ends with an error after 64 pages. */
const pageSizes = { first: 50, later: 500 }
/** Older transcripts are found by a search, and read under their address. */
const maxListed = 30_000

/** Replaces the SDK's own handler, which has no paging; must come after the registrations. */
export function registerResourceList({ server }: McpServer, jobs: Jobs, owner: string): void {
  server.setRequestHandler('resources/list', async ({ params }) => {
    const { listed, cursor } = readCursor(params?.cursor)
    const limit = cursor === undefined ? pageSizes.first : pageSizes.later
    const page = await jobs.list(owner, { limit, cursor }).catch(throwProtocolError(jobs))
    const count = listed + page.transcripts.length
    const warnings = jobs.warnings()
    return {
      resources: page.transcripts.map(listEntry),
      ...(page.nextCursor && count < maxListed && { nextCursor: `${count}.${page.nextCursor}` }),
      ...(warnings.length > 0 && { _meta: { warnings } }),
    }
  })
}

/** The store's cursor, behind the number of resources on the pages before. */
function readCursor(given: string | undefined): { listed: number; cursor: string | undefined } {
  const [, listed = '0', cursor = given] = /^(\d{1,5})\.(.*)$/s.exec(given ?? '') ?? []
  return { listed: Number(listed), cursor }
}

function listEntry({ id, title, status, createdAt, duration, language }: TranscriptSummary) {
  const note = statusNote(status)
  const facts = [
    ...(note ? [note] : []),
    formatTime(duration),
    ...(language ? [languageName(language)] : []),
    createdAt.slice(0, 10),
  ]
  return {
    uri: transcriptUri(id),
    name: id,
    title,
    description: facts.join(' · '),
    mimeType: 'text/plain',
    annotations: { lastModified: createdAt },
  }
}
