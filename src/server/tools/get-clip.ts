// get_clip: the sound of a stretch of a transcript, for agents that can hear.
import * as z from 'zod/v4'
import { deadlines } from '../../domain/network/deadlines.ts'
import { from, to, transcriptId } from '../inputs.ts'
import { clipMime, describeClip } from '../results/clip.ts'
import { pageOf } from '../results/page.ts'
import { defineTool } from '../tool.ts'

export const getClip = defineTool({
  name: 'get_clip',
  title: 'Hear a stretch',
  description: [
    'Get the sound of up to 25 s as MP3, cut between words.',
    'Use this when you can hear, and how it was said matters.',
    'Example: {"transcript_id": "tr_…", "from": 83, "to": 95}',
  ].join(' '),
  input: z.object({ transcript_id: transcriptId, from, to }),
  output: z.looseObject({ text: z.string(), next_from: z.number().optional() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  deadline: deadlines.clip,
  async handler({ transcript_id, from = 0, to }, call) {
    const { jobs, owner, signal } = call
    const clip = await jobs.clip(owner, transcript_id, { from, to, signal })
    const { data, structured, text } = describeClip(clip, to, await pageOf(call, clip.transcript.id))
    return { structured, text, sound: [{ type: 'audio', data, mimeType: clipMime }] }
  },
})
