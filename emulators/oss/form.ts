// Parses multipart forms as strictly as OSS: quotes, boundary and position of the file matter.
import { refusal } from './errors.ts'

export interface Form {
  /** Fields before the file; later ones are ignored. */
  fields: Map<string, string>
  file: { name: string; type: string | undefined; body: Buffer }
}

/** Throws `MalformedPOSTRequest` for an invalid part, and `InvalidArgument` without a file. */
export function parseForm(contentType: string | undefined, body: Buffer): Form {
  // A quoted boundary is valid HTTP, but OSS takes the quotes as part of it.
  const boundary = /^multipart\/form-data;.*\bboundary=([^;\s]+)/i.exec(contentType ?? '')?.[1]
  if (!boundary) throw refusal('MalformedPOSTRequest')
  const delimiter = Buffer.from(`--${boundary}`)
  const fields = new Map<string, string>()
  let at = body.indexOf(delimiter)
  if (at !== 0) throw refusal('MalformedPOSTRequest')
  while (body.toString('latin1', at + delimiter.length, at + delimiter.length + 2) === '\r\n') {
    const next = body.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), at + delimiter.length)
    if (next < 0) throw refusal('MalformedPOSTRequest')
    const part = parsePart(body.subarray(at + delimiter.length + 2, next))
    if (part.name.toLowerCase() === 'file') {
      return { fields, file: { name: part.fileName ?? '', type: part.type, body: part.body } }
    }
    fields.set(part.name, part.body.toString('utf8'))
    at = next + 2
  }
  throw refusal('InvalidArgument', 'POST requires exactly one file upload per request.', {
    ArgumentName: 'file',
  })
}

function parsePart(part: Buffer) {
  const end = part.indexOf('\r\n\r\n')
  const [first = '', ...others] = part.subarray(0, Math.max(end, 0)).toString('utf8').split('\r\n')
  // The disposition must come first, with quoted names.
  const disposition = /^content-disposition:\s*form-data;\s*name="([^"]+)"(?:;\s*filename="([^"]*)")?/i.exec(
    first,
  )
  if (!disposition) throw refusal('MalformedPOSTRequest')
  const type = others.map(header => /^content-type:\s*(.+)$/i.exec(header)?.[1]).find(Boolean)
  return { name: disposition[1]!, fileName: disposition[2], type, body: part.subarray(end + 4) }
}
