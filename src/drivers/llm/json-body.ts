// A request of a few thousand characters as one piece.
import type { JsonBody } from '../http/http.ts'

export function jsonBody(value: object): JsonBody {
  const bytes = Buffer.from(JSON.stringify(value))
  return { bytes: bytes.length, pieces: () => [bytes] }
}
