// request_upload: an address to which a person sends a recording that is not on the server. Over HTTP only.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { uploadAddress } from '../../domain/network/uploads.ts'
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
  async handler(wish, { owner, uploads, serverUrl }) {
    if (!uploads || !serverUrl)
      throw new SpeechError('BAD_INPUT', 'The address of this server is unknown.', {
        hint: 'Give a path or an https:// URL instead.',
      })
    const { id, pass, maxBytes, endsAt } = await uploads.createTicket(owner, wish)
    const url = `${serverUrl}/uploads/${pass}`
    const curl = `curl -T FILE ${url}/`
    const audio = uploadAddress(id)
    const ends_at = new Date(endsAt).toISOString()
    const text = [
      `The user can upload one recording of at most ${Math.floor(maxBytes / 1e6)} MB until ${ends_at}:`,
      `- in a browser: ${url}`,
      `- in a terminal: ${curl}`,
      `- so that a broken upload goes on: speech-mcp upload FILE ${url} (or any tus client)`,
      `The address is a secret of the user. Then call transcribe_audio or diarize_audio with {"audio": "${audio}"}.`,
    ].join('\n')
    return { structured: { audio, url, curl, max_bytes: maxBytes, ends_at }, text }
  },
})
