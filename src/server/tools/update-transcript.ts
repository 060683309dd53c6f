// update_transcript: give a transcript another title.
import * as z from 'zod/v4'
import { transcriptId } from '../inputs.ts'
import { defineTool } from '../tool.ts'
import { transcriptUri } from '../uris.ts'

export const updateTranscript = defineTool({
  name: 'update_transcript',
  title: 'Rename a transcript',
  description: [
    'Give a transcript another title; what was spoken stays as it is.',
    'Use this when someone wants a transcript to be called something else.',
    'Example: {"transcript_id": "tr_…", "title": "Kick-off with Anja"}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    title: z.string().trim().min(1).max(200).describe('The new title'),
  }),
  output: z.object({ transcript_id: z.string(), uri: z.string(), title: z.string() }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, title: wish }, { jobs, owner }) {
    const { id, title } = await jobs.rename(owner, transcript_id, wish)
    const uri = transcriptUri(id)
    return {
      structured: { transcript_id: id, uri, title },
      text: `The transcript is called "${title}" now.\ntranscript_id: ${id}\nuri: ${uri}`,
    }
  },
})
