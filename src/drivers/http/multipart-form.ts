// Form body with one file, with a length that is known before it is sent.
import { randomUUID } from 'node:crypto'
import type { RequestBody } from './http.ts'

export interface FormFile {
  name: string
  /** Media type. */
  type: string
  bytes: number
  /** Reads from the start with each call. */
  pieces(): Iterable<Buffer> | AsyncIterable<Buffer>
}

/**
 * The names of fields may repeat. OSS PostObject expects quoted names, an unquoted boundary, and the file last with its
 * disposition before its type (OSS reference); all other servers take that too.
 */
export function multipartForm(
  fields: readonly (readonly [name: string, value: string])[],
  file: FormFile,
): { contentType: string; body: RequestBody } {
  const boundary = `speech-mcp-${randomUUID()}`
  const partHeader = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const textParts = fields.map(([name, value]) => `${partHeader(name)}\r\n${value}\r\n`)
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
