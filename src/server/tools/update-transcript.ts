// update_transcript: give a transcript another title, and its speakers their names.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { transcriptId } from '../inputs.ts'
import { defineTool } from '../tool.ts'
import { transcriptUri } from '../uris.ts'

export const updateTranscript = defineTool({
  name: 'update_transcript',
  title: 'Rename a transcript or its speakers',
  description: [
    'Give a transcript another title, or its speakers names, in all its views and files; what was spoken stays as it is.',
    'Use this when someone wants a transcript to be called something else, or says who S1 and S2 are.',
    'Example: {"transcript_id": "tr_…", "title": "Kick-off", "speakers": {"S1": "Anja"}}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    title: z.string().trim().min(1).max(200).optional().describe('The new title'),
    speakers: z
      .record(z.string(), z.string().max(100))
      .optional()
      .describe('New names, by id (S1) or by the name so far; an empty one takes the name away'),
  }),
  output: z.object({
    transcript_id: z.string(),
    uri: z.string(),
    title: z.string(),
    speakers: z.array(z.object({ id: z.string(), name: z.string().optional() })).optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, title: wish, speakers: names }, { jobs, owner }) {
    if (wish === undefined && Object.keys(names ?? {}).length === 0)
      throw new SpeechError('BAD_INPUT', 'There is nothing to change.', {
        hint: 'Give a title, or speakers with their names.',
      })
    const { id, title, speakers } = await jobs.rename(owner, transcript_id, {
      ...(wish !== undefined && { title: wish }),
      ...(names && { speakers: names }),
    })
    const uri = transcriptUri(id)
    const known = speakers?.map(({ id, name }) => ({ id, ...(name && { name }) }))
    const lines = [
      `The transcript is called "${title}" now.`,
      `transcript_id: ${id}`,
      `uri: ${uri}`,
      ...(known ?? []).map(({ id, name }) => `speaker ${id}: ${name ?? 'no name yet'}`),
    ]
    return {
      structured: { transcript_id: id, uri, title, ...(known && { speakers: known }) },
      text: lines.join('\n'),
    }
  },
})
