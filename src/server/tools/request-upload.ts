// request_upload: an address to which a person sends a recording that is not on the server. Over HTTP only.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { ticketAnswer } from '../results/upload.ts'
import { defineTool } from '../tool.ts'

export const requestUpload = defineTool({
  name: 'request_upload',
  title: 'Request an upload',
  description: [
    'Get an address to which the user uploads a recording, by browser or curl.',
    'Use this when it is not on the server; then pass `audio` on.',
    'Example: {"name": "talk.mp4"}',
  ].join(' '),
  input: z.object({ name: z.string().max(200).optional().describe('Of the file') }),
  output: z.object({
    audio: z.string(),
    url: z.string(),
    curl: z.string(),
    max_bytes: z.number(),
    ends_at: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  isAvailable: ({ uploads }) => uploads !== undefined,
  async handler({ name }, call) {
    const ticket = await ticketAnswer(call, name)
    if (ticket) return ticket
    throw new SpeechError('BAD_INPUT', 'The address of this server is unknown.', {
      hint: 'Give a path or an https:// URL instead.',
    })
  },
})
