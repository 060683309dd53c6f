// delete_transcript: removes a transcript and all its stored data.
import * as z from 'zod/v4'
import { transcriptId } from '../inputs.ts'
import { defineTool } from '../tool.ts'

export const deleteTranscript = defineTool({
  name: 'delete_transcript',
  title: 'Delete a transcript',
  description: [
    'Permanently delete a transcript and all its data, also while it runs. The recording itself stays.',
    'Use this when the user asks for it: transcribing the recording again is billed again.',
    'Example: {"transcript_id": "tr_…"}',
  ].join(' '),
  input: z.object({ transcript_id: transcriptId }),
  output: z.object({
    transcript_id: z.string(),
    deleted: z.literal(true),
    warnings: z.array(z.string()).optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id }, { jobs, owner }) {
    const warnings = await jobs.remove(owner, transcript_id)
    return {
      structured: { transcript_id, deleted: true, ...(warnings.length > 0 && { warnings }) },
      text: ['The transcript is deleted.', ...warnings, `transcript_id: ${transcript_id}`].join('\n'),
    }
  },
})
