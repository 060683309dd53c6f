// Form body for OSS PostObject, with a length that is known before it is sent (OSS reference, PostObject).
import { randomUUID } from 'node:crypto'
import type { RequestBody } from '../../http/http.ts'
import type { Spool } from './spool.ts'

/** OSS expects quoted names, an unquoted boundary, and the file last with its disposition before its type. */
export function uploadForm(
  fields: Record<string, string>,
  file: Spool & { name: string; type: string },
): { contentType: string; body: RequestBody } {
  const boundary = `speech-mcp-${randomUUID()}`
  const partHeader = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const textParts = Object.entries(fields).map(([name, value]) => `${partHeader(name)}\r\n${value}\r\n`)
  const filePart = `${partHeader('file', `; filename="${file.name}"`)}Content-Type: ${file.type}\r\n\r\n`
  const head = Buffer.from([...textParts, filePart].join(''))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: {
      byteLength: head.length + file.bytes + tail.length,
      async *chunks() {
        yield head
        yield* file.pieces()
        yield tail
      },
    },
  }
}
