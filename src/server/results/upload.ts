// A ticket for an upload, as data and as text; and advice to ask for one, where a path leads to another machine.
import { isSpeechError } from '../../domain/errors.ts'
import { type Uploads, uploadAddress } from '../../domain/network/uploads.ts'

interface Uploader {
  owner: string
  uploads?: Uploads | undefined
  serverUrl?: string | undefined
}

/** Undefined where nothing can be uploaded. */
export async function ticketAnswer({ owner, uploads, serverUrl }: Uploader, name?: string) {
  if (!uploads || !serverUrl) return undefined
  const { id, pass, maxBytes, endsAt } = await uploads.createTicket(owner, { name })
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
}

/** More text for an error about a recording that this server does not see, where it can be uploaded. */
export function uploadAdvice(error: unknown, { uploads }: Uploader): string[] {
  const isElsewhere =
    isSpeechError(error) &&
    /^(?:OUTSIDE_ALLOWED_DIRS|FILE_NOT_FOUND|ATTACHMENT_NOT_VISIBLE)$/.test(error.code)
  return uploads && isElsewhere ? ['If the recording is on another machine, call request_upload.'] : []
}
