// A plain PUT of a whole file, as `curl -T` sends it.
import { SpeechError } from '../../../domain/errors.ts'
import { type Uploads, uploadAddress } from '../../../domain/network/uploads.ts'
import { describeWhole, type UploadRequest } from './answers.ts'

/** Throws `UPLOAD_REFUSED` for a broken upload too: the same PUT begins it again. */
export async function receivePut(request: UploadRequest, uploads: Uploads): Promise<void> {
  const { incoming, outgoing, upload, name } = request
  const bytes = Number(incoming.headers['content-length'] ?? Number.NaN)
  if (!Number.isSafeInteger(bytes))
    throw new SpeechError('BAD_INPUT', 'The request does not say how long the file is.', {
      hint: 'Send a file rather than a pipe, with the header Content-Length.',
    })
  if (incoming.headers['content-range'] !== undefined)
    throw new SpeechError('BAD_INPUT', 'A PUT takes the whole file.', {
      hint: 'To continue an upload use a tus client, or `speech-mcp upload`.',
    })
  const sha256 = announcedHash(incoming.headers)
  const begun = await uploads.begin(upload.id, {
    bytes,
    name,
    isPut: true,
    metadata: sha256 ? { sha256 } : {},
  })
  await uploads.append(begun, 0, incoming)
  const whole = await uploads.finish(begun)
  if (!whole) return void outgoing.destroy()
  describeWhole(outgoing, whole)
  outgoing.writeHead(201, { 'content-type': 'text/plain; charset=utf-8' })
  outgoing.end(`${uploadAddress(whole.id)}\nThe recording has arrived: pass this address on as \`audio\`.\n`)
}

/** From the headers of RFC 9530. */
function announcedHash(headers: NodeJS.Dict<string | string[]>): string | undefined {
  const text = String(headers['repr-digest'] ?? headers['content-digest'] ?? '')
  const base64 = /\bsha-256=:([A-Za-z0-9+/=]+):/i.exec(text)?.[1]
  return base64 && Buffer.from(base64, 'base64').toString('hex')
}
