// Transcripts as MCP resources: transcript://{id} for reading, /{format} for files, /audio for clips of the recording.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { codeOf } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import type { Transcript } from '../domain/transcript.ts'
import { statusNote } from '../formats/head.ts'
import { type FormatName, formatNames, outputFormats } from '../formats/index.ts'
import { withinRange } from '../formats/shown-segments.ts'
import { presetNames } from '../formats/subtitles/presets.ts'
import { timedText } from '../formats/text.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { clipMime, describeClip } from './results/clip.ts'
import { describeFailure } from './results/failure.ts'
import { rendered } from './results/rendered.ts'
import { type PartUri, partUriOf, splitPreset, templateUris, transcriptIdOf } from './uris.ts'

/** Shown around the second that a link names. */
const beforeSeconds = 10
const afterSeconds = 50

export function registerResources(server: McpServer, jobs: Jobs, owner: string): void {
  server.registerResource(
    'transcript',
    new ResourceTemplate(templateUris.transcript, { list: undefined }),
    { title: 'Transcript', description: 'Transcribed speech with times', mimeType: 'text/plain' },
    async uri => {
      const part = partUriOf(uri.href)
      if (part?.kind === 'at') return contents(uri, 'text/plain', await textAt(jobs, owner, uri.href, part))
      return contents(uri, 'text/plain', readableText(await readTranscript(jobs, owner, uri.href)))
    },
  )
  server.registerResource(
    'transcript-clip',
    new ResourceTemplate(templateUris.clip, { list: undefined }),
    {
      title: 'Sound of a stretch',
      description: 'MP3 of up to 25 s, cut between words; from and to are seconds or mm:ss',
      mimeType: clipMime,
    },
    async (uri, _, context) => readClip(jobs, owner, uri, context.mcpReq.signal),
  )
  server.registerResource(
    'transcript-file',
    new ResourceTemplate(templateUris.file, { list: undefined }),
    {
      title: 'Transcript as a file',
      description: `One of ${formatNames.join(', ')}; subtitles take ?preset= with ${presetNames.join(', ')}`,
    },
    async (uri, _, context) => {
      if (partUriOf(uri.href)?.kind === 'clip') return readClip(jobs, owner, uri, context.mcpReq.signal)
      const { file, preset } = splitPreset(uri.href)
      const name = file.slice(file.lastIndexOf('/') + 1) as FormatName
      const read = () => readTranscript(jobs, owner, file)
      const { content, broken: check } = await rendered(jobs, owner, read, name, { preset }).catch(
        throwProtocolError(jobs),
      )
      return contents(uri, outputFormats[name].mimeType, content, check.length > 0 ? { check } : undefined)
    },
  )
}

async function readClip(jobs: Jobs, owner: string, uri: URL, signal: AbortSignal) {
  const part = partUriOf(uri.href)
  if (part?.kind !== 'clip') throw new ResourceNotFoundError(uri.href)
  const { id, from, to } = part
  const clip = await jobs.clip(owner, id, { from, to, signal }).catch(throwNotFound(jobs, uri.href))
  const { structured, nextUri } = describeClip(clip, to)
  const { uri: _, transcript_id: __, ...meta } = structured
  return contents(uri, clipMime, clip.audio, { ...meta, ...(nextUri && { next: nextUri }) })
}

/** The text around a quote. */
async function textAt(jobs: Jobs, owner: string, uri: string, { id, from }: PartUri): Promise<string> {
  const transcript = await jobs.read(owner, id).catch(throwNotFound(jobs, uri))
  const { title, status, duration } = transcript
  if (!(from <= duration))
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `BAD_INPUT: \`t\` is no time of the recording. Give seconds or mm:ss, up to ${Math.floor(duration)}.`,
    )
  const [start, end] = [Math.max(0, from - beforeSeconds), from + afterSeconds]
  const note = statusNote(status)
  const head = `${title}${note ? ` (${note})` : ''}, from ${formatTime(start)} to ${formatTime(Math.min(end, duration))}`
  return `${head}\n\n${timedText(withinRange(transcript, start, end))}\n`
}

/** Throws the same error for an invalid URI, an unknown transcript and another owner's transcript. */
export async function readTranscript(jobs: Jobs, owner: string, uri: string): Promise<Transcript> {
  const id = transcriptIdOf(uri)
  if (id === undefined) throw new ResourceNotFoundError(uri)
  return jobs.read(owner, id).catch(throwNotFound(jobs, uri))
}

function throwNotFound(jobs: Jobs, uri: string): (error: unknown) => never {
  return error => {
    if (codeOf(error) !== 'TRANSCRIPT_NOT_FOUND') return throwProtocolError(jobs)(error)
    throw new ResourceNotFoundError(uri, [`Resource not found: ${uri}`, ...jobs.warnings()].join('. '))
  }
}

/** Returns a function that rethrows as `ProtocolError`: the SDK sends clients no other error's message. */
export function throwProtocolError(jobs: Jobs): (error: unknown) => never {
  return error => {
    if (error instanceof ProtocolError) throw error
    const isInvalidInput = /^(?:BAD_INPUT|TRANSCRIPT_NOT_FOUND)$/.test(codeOf(error))
    throw new ProtocolError(
      isInvalidInput ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError,
      describeFailure(error, jobs),
    )
  }
}

function readableText(transcript: Transcript): string {
  const note = statusNote(transcript.status)
  const head = note ? `${transcript.title} (${note})` : transcript.title
  return `${head}\n\n${timedText(transcript)}\n`
}

function contents(uri: URL, mimeType: string, body: string | Uint8Array, meta?: Record<string, unknown>) {
  const data = typeof body === 'string' ? { text: body } : { blob: Buffer.from(body).toString('base64') }
  return { contents: [{ uri: uri.href, mimeType, ...data, ...(meta && { _meta: meta }) }] }
}
