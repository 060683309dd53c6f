// delete_transcript: remove a transcript and all that is kept of it.
import * as z from 'zod/v4'
import { transcriptId } from '../inputs.ts'
import { defineTool } from '../tool.ts'

export const deleteTranscript = defineTool({
  name: 'delete_transcript',
  title: 'Delete a transcript',
  description: [
    'Remove a transcript for good, with all that is kept of it here; stops it first if it is running. The recording itself stays.',
    'Use this when someone asks for it to be deleted: to have it again, the recording is sent and billed again.',
    'Example: {"transcript_id": "tr_…"}',
  ].join(' '),
  input: z.object({ transcript_id: transcriptId }),
  output: z.object({ transcript_id: z.string(), deleted: z.literal(true) }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id }, { jobs, owner }) {
    await jobs.remove(owner, transcript_id)
    return {
      structured: { transcript_id, deleted: true },
      text: `The transcript is deleted.\ntranscript_id: ${transcript_id}`,
    }
  },
})
