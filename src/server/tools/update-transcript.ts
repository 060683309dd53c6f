// update_transcript: renames a transcript or its speakers.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { transcriptId } from '../inputs.ts'
import { defineTool } from '../tool.ts'
import { transcriptUri } from '../uris.ts'

export const updateTranscript = defineTool({
  name: 'update_transcript',
  title: 'Rename a transcript or its speakers',
  description: [
    'Change the title of a transcript or the names of its speakers, in all its views and files; the text stays unchanged.',
    'Use this when the user wants to rename a transcript, or says who S1 and S2 are.',
    'Example: {"transcript_id": "tr_…", "title": "Kick-off", "speakers": {"S1": "Anja"}}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    title: z.string().trim().min(1).max(200).optional().describe('New title'),
    speakers: z
      .record(z.string(), z.string().max(100))
      .optional()
      .describe('New names by speaker id (S1) or current name; an empty string removes the name'),
  }),
  output: z.object({
    transcript_id: z.string(),
    uri: z.string(),
    title: z.string(),
    speakers: z.array(z.object({ id: z.string(), name: z.string().optional() })).optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, title: newTitle, speakers: names }, { jobs, owner }) {
    if (newTitle === undefined && Object.keys(names ?? {}).length === 0)
      throw new SpeechError('BAD_INPUT', 'Nothing to change.', {
        hint: 'Pass a title, or speakers with their names.',
      })
    const request = { title: newTitle, speakers: names }
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
