// cancel_transcription: stops a running job and keeps the finished part.
import * as z from 'zod/v4'
import { isBatchId } from '../../domain/batch/batch.ts'
import { transcriptId } from '../inputs.ts'
import { batchAnswer } from '../results/batch.ts'
import { statusOutput } from '../results/transcript.ts'
import { defineTool } from '../tool.ts'

export const cancelTranscription = defineTool({
  name: 'cancel_transcription',
  title: 'Cancel a transcription',
  description: [
    'Stop a transcription, and its formatting; the text so far is kept, and nothing more is billed.',
    'Use this when the user no longer wants the rest.',
    'Example: {"transcript_id": "tr_…"}',
  ].join(' '),
  input: z.object({ transcript_id: transcriptId }),
  output: z.object({
    status: statusOutput,
    transcript_id: z.string(),
    transcribed_seconds: z.number(),
    next_step: z.string().optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id }, { jobs, owner }) {
    const { tool } = await jobs.cancel(owner, transcript_id)
    if (isBatchId(transcript_id)) {
      const batch = await jobs.batch(owner, transcript_id)
      const kept = batch.items.reduce(
        (sum, { end }) => sum + (end?.state === 'completed' ? (end.seconds ?? 0) : 0),
        0,
      )
      const { structured, ...answer } = batchAnswer(batch)
      return { ...answer, structured: { ...structured, transcribed_seconds: kept } }
    }
    const { id, status, coverage } = await jobs.read(owner, transcript_id)
    const kept = coverage.transcribedSeconds
    const next =
      status === 'cancelled'
        ? `The same ${tool} call resumes from here; finished parts are not billed again.`
        : undefined
    const lines = [
      status === 'cancelled' ? 'The transcription is cancelled.' : 'Nothing left to cancel.',
      `status: ${status}`,
      `transcript_id: ${id}`,
      `speech transcribed so far: ${kept} s`,
      ...(next ? [`next step: ${next}`] : []),
    ]
    return {
      structured: { status, transcript_id: id, transcribed_seconds: kept, ...(next && { next_step: next }) },
      text: lines.join('\n'),
    }
  },
})
