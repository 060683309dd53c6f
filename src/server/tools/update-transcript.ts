// update_transcript: renames a transcript or its speakers.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { transcriptId } from '../inputs.ts'
import { parseJson } from '../json-rpc/json-rpc.ts'
import { defineTool } from '../tool.ts'
import { transcriptUri } from '../uris.ts'

/** Also takes names by speaker, `{"S1": "Anja"}`, and either of them as text. */
function asList(given: unknown): unknown {
  const value = typeof given === 'string' ? (parseJson(Buffer.from(given)) ?? given) : given
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.entries(value).map(([speaker, name]) => ({ speaker, name: name ?? '' }))
}

export const updateTranscript = defineTool({
  name: 'update_transcript',
  title: 'Rename a transcript or its speakers',
  description: [
    'Change the title of a transcript or the names of its speakers, in all its views and files.',
    'Use this when the user wants to rename a transcript, or says who S1 and S2 are.',
    'Example: {"transcript_id": "tr_…", "speakers": [{"speaker": "S1", "name": "Anja"}]}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    title: z.string().trim().min(1).max(200).optional().describe('New title'),
    speakers: z
      .preprocess(asList, z.array(z.object({ speaker: z.string(), name: z.string().max(100) })))
      .optional()
      .describe('speaker: id (S1) or current name; name: the new one, "" to remove it'),
  }),
  output: z.object({
    transcript_id: z.string(),
    uri: z.string(),
    title: z.string(),
    speakers: z.array(z.object({ id: z.string(), name: z.string().optional() })).optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  isForApps: true,
  async handler({ transcript_id, title: newTitle, speakers: named = [] }, { jobs, owner }) {
    if (newTitle === undefined && named.length === 0)
      throw new SpeechError('BAD_INPUT', 'Nothing to change.', {
        hint: 'Pass a title, or speakers with their names.',
      })
    const names = Object.fromEntries(named.map(({ speaker, name }) => [speaker, name]))
    const request = { title: newTitle, ...(named.length > 0 && { speakers: names }) }
    const { id, title, speakers } = await jobs.rename(owner, transcript_id, request)
    const uri = transcriptUri(id)
    const known = speakers?.map(({ id, name }) => ({ id, ...(name && { name }) }))
    const lines = [
      `The transcript is now called "${title}".`,
      `transcript_id: ${id}`,
      `uri: ${uri}`,
      ...(known ?? []).map(({ id, name }) => `speaker ${id}: ${name ?? '(no name)'}`),
    ]
    return {
      structured: { transcript_id: id, uri, title, ...(known && { speakers: known }) },
      text: lines.join('\n'),
    }
  },
})
