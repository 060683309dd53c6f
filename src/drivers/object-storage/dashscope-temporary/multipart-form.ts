// The form of an upload to a store that takes forms (OSS reference, PostObject): a body whose length is known beforehand.
import { randomUUID } from 'node:crypto'
import type { RequestBody } from '../../http/http.ts'
import type { Spool } from './spool.ts'

/** OSS wants names in quotes, the boundary without, and the file last with its disposition before its type. */
export function uploadForm(
  fields: Record<string, string>,
  file: Spool & { name: string; type: string },
): { contentType: string; body: RequestBody } {
  const boundary = `speech-mcp-${randomUUID()}`
  const part = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const texts = Object.entries(fields).map(([name, value]) => `${part(name)}\r\n${value}\r\n`)
  const opening = `${part('file', `; filename="${file.name}"`)}Content-Type: ${file.type}\r\n\r\n`
  const head = Buffer.from([...texts, opening].join(''))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: {
      bytes: head.length + file.bytes + tail.length,
      async *pieces() {
        yield head
        yield* file.pieces()
        yield tail
      },
    },
  }
}
