// Past transcripts as resources: transcript://{id} for reading, transcript://{id}/{format} for files.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { describeError, isSpeechError } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import { languageName } from '../domain/languages.ts'
import type { Transcript, TranscriptSummary } from '../domain/transcript.ts'
import { type FormatName, formatNames, outputFormats } from '../formats/index.ts'
import { statusNote, timedText } from '../formats/readable.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { transcriptIdOf, transcriptUri } from './uris.ts'

const pageSize = 50
/** How many of the newest transcripts are offered when a client completes an id. */
const completed = 100

export function registerResources(server: McpServer, jobs: Jobs, owner: string): void {
  const complete = {
    id: (typed: string) => completeId(jobs, owner, typed),
    format: (typed: string) => formatNames.filter(name => name.startsWith(typed)),
  }

  server.registerResource(
    'transcript',
    new ResourceTemplate('transcript://{id}', { list: undefined, complete }),
    { title: 'Transcript', description: 'What was spoken, with times', mimeType: 'text/plain' },
    async uri => contents(uri, 'text/plain', readable(await readTranscript(jobs, owner, uri.href))),
  )
  server.registerResource(
    'transcript-file',
    new ResourceTemplate('transcript://{id}/{format}', { list: undefined, complete }),
    { title: 'Transcript as a file', description: `One of ${formatNames.join(', ')}` },
    async (uri, { format }) => {
      const transcript = await readTranscript(jobs, owner, uri.href)
      const { mimeType, render } = outputFormats[format as FormatName]
      return contents(uri, mimeType, render(transcript))
    },
  )

  // The SDK's own list knows no pages, so this takes its place; it must come after the registrations.
  server.server.setRequestHandler('resources/list', async request => {
    const cursor = request.params?.cursor
    const page = await jobs
      .list(owner, { limit: pageSize, ...(cursor !== undefined && { cursor }) })
      .catch(asProtocolError)
    return {
      resources: page.transcripts.map(listed),
      ...(page.nextCursor && { nextCursor: page.nextCursor }),
    }
  })
}

/** Ids of the newest transcripts that begin like this. */
export async function completeId(jobs: Jobs, owner: string, typed: string): Promise<string[]> {
  const { transcripts } = await jobs.list(owner, { limit: completed })
  return transcripts.map(({ id }) => id).filter(id => id.startsWith(typed))
}

/** Throws the same error for an address that is none, that nothing is at, and whose transcript is someone else's. */
export async function readTranscript(jobs: Jobs, owner: string, uri: string): Promise<Transcript> {
  const id = transcriptIdOf(uri)
  if (id === undefined) throw new ResourceNotFoundError(uri)
  try {
    return await jobs.read(owner, id)
  } catch (error) {
    if (isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND') throw new ResourceNotFoundError(uri)
    return asProtocolError(error)
  }
}

/** The SDK tells a client only what a `ProtocolError` says. */
export function asProtocolError(error: unknown): never {
  const isCallers = isSpeechError(error) && /^(?:BAD_INPUT|TRANSCRIPT_NOT_FOUND)$/.test(error.code)
  throw new ProtocolError(
    isCallers ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError,
    describeError(error),
  )
}

function readable(transcript: Transcript): string {
  const lack = statusNote(transcript.status)
  const head = lack ? `${transcript.title} (${lack})` : transcript.title
  return `${head}\n\n${timedText(transcript)}\n`
}

function listed({ id, title, status, createdAt, duration, language }: TranscriptSummary) {
  const lack = statusNote(status)
  const facts = [
    ...(lack ? [lack] : []),
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

function contents(uri: URL, mimeType: string, text: string) {
  return { contents: [{ uri: uri.href, mimeType, text }] }
}
