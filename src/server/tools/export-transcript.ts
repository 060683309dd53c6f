// export_transcript: writes a transcript as a file into an allowed folder.
import { extname } from 'node:path'
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import { asLine, withoutQuotes } from '../../domain/text.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { statusNote } from '../../formats/head.ts'
import { type FormatName, formatNames, formatOfExtension, outputFormats } from '../../formats/index.ts'
import { preset, transcriptId } from '../inputs.ts'
import { resourceLink } from '../results/links.ts'
import { rendered } from '../results/rendered.ts'
import { defineTool } from '../tool.ts'
import { transcriptUri } from '../uris.ts'

/** More would fill the answer; the file has all of them. */
const maxChecks = 20

export const exportTranscript = defineTool({
  name: 'export_transcript',
  title: 'Save a transcript as a file',
  description: [
    'Write a whole transcript to a file on the server’s machine, in a folder that it may read.',
    'Use this when the user wants a file (subtitles, Word, a table): never copy one by hand.',
    'Example: {"transcript_id": "tr_…", "save_as": "~/Documents/talk.docx"}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    save_as: z.string().min(1).describe('Path; its extension chooses the format'),
    format: z
      .enum(formatNames as [FormatName, ...FormatName[]])
      .optional()
      .describe('Only where several formats have the extension'),
    preset,
    overwrite: z.boolean().default(false).describe('Replace a user’s file. Ask first'),
  }),
  output: z.object({
    status: z.string(),
    transcript_id: z.string(),
    path: z.string(),
    format: z.string(),
    bytes: z.number(),
    file: z.enum(['created', 'replaced', 'unchanged']),
    checks: z.array(z.string()).describe('What is wrong with the file; empty if nothing is'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, save_as, format: given, preset, overwrite }, { jobs, owner }) {
    const format = given ?? formatOf(save_as)
    const read = () => jobs.read(owner, transcript_id)
    if (!jobs.foldersOpen) throw noFolder((await read()).id, format)
    const { transcript, content, broken } = await rendered(jobs, owner, read, format, { preset })
    const { id, status } = transcript
    const { extension } = outputFormats[format]
    const request = { path: save_as, extension, content, overwrite }
    const { path, outcome: file } = await jobs.save(owner, id, request)
    const bytes = Buffer.byteLength(content)
    const checks = shorten([...problemsOf(transcript), ...broken])
    const lines = [
      `The file is ${outcomes[file]}: ${asLine(path)}`,
      `format: ${format}, ${bytes} bytes`,
      `status: ${status}`,
      `transcript_id: ${id}`,
      ...checks.map(check => `check: ${check}`),
    ]
    return {
      structured: { status, transcript_id: id, path, format, bytes, file, checks },
      text: lines.join('\n'),
      links: [resourceLink(transcript, format)],
    }
  },
})

const outcomes = { created: 'written', replaced: 'replaced', unchanged: 'as it was' }

function formatOf(path: string): FormatName {
  const format = formatOfExtension(extname(withoutQuotes(path)).slice(1))
  if (format) return format
  const extensions = [...new Set(formatNames.map(name => outputFormats[name].extension))]
  throw new SpeechError('BAD_INPUT', 'The extension of the file is no output format.', {
    hint: `Let it end in one of .${extensions.join(', .')}.`,
  })
}

/** Sentences about what is missing. */
function problemsOf({ status, coverage }: Transcript): string[] {
  const note = statusNote(status)
  return [
    ...(note ? [`The transcript is ${note}.`] : []),
    ...coverage.gaps.map(
      ({ start, end, reason }) => `No text from ${formatTime(start)} to ${formatTime(end)}: ${reason}`,
    ),
  ]
}

function shorten(checks: string[]): string[] {
  const hidden = checks.length - maxChecks
  return hidden > 0 ? [...checks.slice(0, maxChecks), `${hidden} more.`] : checks
}

/** Over HTTP the folders are closed by default: they are another machine's. */
function noFolder(id: string, format: FormatName): SpeechError {
  return new SpeechError('OUTSIDE_ALLOWED_DIRS', 'This server may write to no folder.', {
    hint: `The resource ${transcriptUri(id)}/${format} is the same file, and get_transcript returns it in pages; or open a folder of the server with SPEECH_ALLOWED_DIRS.`,
  })
}
