// A request of a few thousand characters as one piece.
import type { RequestBody } from '../http/http.ts'

export function jsonBody(value: object): RequestBody {
  const bytes = Buffer.from(JSON.stringify(value))
  return { bytes: bytes.length, pieces: () => [bytes] }
}
