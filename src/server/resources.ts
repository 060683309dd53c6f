// Past transcripts as resources: transcript://{id} for reading, transcript://{id}/{format} for files.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { describeError, isSpeechError } from '../domain/errors.ts'
import { languageName } from '../domain/languages.ts'
import { clock } from '../domain/text.ts'
import type { Transcript } from '../domain/transcript.ts'
import { exportFormats, type FormatName, formatNames, isFormatName } from '../exports/index.ts'
import { timedText } from '../exports/readable.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { transcriptUri } from './result.ts'

const pageSize = 50
/** How many of the newest transcripts are offered when a client completes an id. */
const completed = 100

export function registerResources(server: McpServer, jobs: Jobs): void {
  const complete = {
    id: async (typed: string) => {
      const { transcripts } = await jobs.list({ limit: completed })
      return transcripts.map(({ id }) => id).filter(id => id.startsWith(typed))
    },
    format: (typed: string) => formatNames.filter(name => name.startsWith(typed)),
  }

  server.registerResource(
    'transcript',
    new ResourceTemplate('transcript://{id}', { list: undefined, complete }),
    { title: 'Transcript', description: 'What was spoken, with times', mimeType: 'text/plain' },
    async (uri, { id }) => {
      const transcript = await read(jobs, uri, id)
      return contents(uri, 'text/plain', `${transcript.title}\n\n${timedText(transcript)}\n`)
    },
  )
  server.registerResource(
    'transcript-file',
    new ResourceTemplate('transcript://{id}/{format}', { list: undefined, complete }),
    { title: 'Transcript as a file', description: `One of ${formatNames.join(', ')}` },
    async (uri, { id, format }) => {
      if (typeof format !== 'string' || !isFormatName(format)) throw new ResourceNotFoundError(uri.href)
      const { mimeType, render } = exportFormats[format as FormatName]
      return contents(uri, mimeType, render(await read(jobs, uri, id)))
    },
  )

  // The SDK's own list knows no pages, so this takes its place; it must come after the registrations.
  server.server.setRequestHandler('resources/list', async request => {
    const cursor = request.params?.cursor
    const page = await jobs
      .list({ limit: pageSize, ...(cursor !== undefined && { cursor }) })
      .catch(asProtocolError)
    return {
      resources: page.transcripts.map(({ id, title, createdAt, duration, language }) => ({
        uri: transcriptUri(id),
        name: id,
        title,
        description: [
          clock(duration),
          ...(language ? [languageName(language)] : []),
          createdAt.slice(0, 10),
        ].join(' · '),
        mimeType: 'text/plain',
        annotations: { lastModified: createdAt },
      })),
      ...(page.nextCursor && { nextCursor: page.nextCursor }),
    }
  })
}

async function read(jobs: Jobs, uri: URL, id: unknown): Promise<Transcript> {
  try {
    return await jobs.get(String(id))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND')
      throw new ResourceNotFoundError(uri.href)
    return asProtocolError(error)
  }
}

function contents(uri: URL, mimeType: string, text: string) {
  return { contents: [{ uri: uri.href, mimeType, text }] }
}

function asProtocolError(error: unknown): never {
  const bad = isSpeechError(error) && error.code === 'BAD_INPUT'
  throw new ProtocolError(
    bad ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError,
    describeError(error),
  )
}
