// find_recordings: lists the newest audio and video files in the allowed folders.
import * as z from 'zod/v4'
import { asLine } from '../../domain/text.ts'
import { limitOf } from '../inputs.ts'
import { defineTool } from '../tool.ts'

export const findRecordings = defineTool({
  name: 'find_recordings',
  title: 'Find recordings',
  description: [
    'List the newest audio and video files in the folders this server may read.',
    'Use this when the user refers to a recording without its path, such as "my last recording".',
    'Example: {"query": "standup"}',
  ].join(' '),
  input: z.object({
    query: z.string().max(200).optional().describe('Words in the path, in any order'),
    folder: z.string().optional().describe('Look in this one only'),
    limit: limitOf(50),
  }),
  output: z.object({
    recordings: z.array(
      z.object({ path: z.string(), name: z.string(), bytes: z.number(), modified_at: z.string() }),
    ),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  isAvailable: ({ jobs }) => jobs.foldersOpen,
  async handler({ query, folder, limit }, { jobs, signal }) {
    const found = await jobs.recordings({ limit, signal, query, folder })
    const recordings = found.map(({ modifiedAt, ...rest }) => ({ ...rest, modified_at: modifiedAt }))
    const lines = recordings.map(
      ({ path, name, bytes, modified_at }) =>
        `${asLine(name)} · ${bytes} bytes · ${modified_at}\n${shownPath(path)}`,
    )
    const none =
      'No recording found in the folders this server may read. Try fewer words, omit the query, or ask for the path.'
    return { structured: { recordings }, text: lines.join('\n\n') || none }
  },
})

/** Quoted as in JSON if it holds characters that a line cannot show: a model can still pass it on. */
function shownPath(path: string): string {
  return asLine(path) === path ? path : asLine(JSON.stringify(path))
}
