// Page cursor: age and id of the last transcript of a page, as an opaque string.
import { SpeechError } from '../../domain/errors.ts'

export interface Cursor {
  createdAt: string
  id: string
}

/** Sorts before the newest transcript. */
const start: Cursor = { createdAt: '~', id: '' }

export function writeCursor({ createdAt, id }: Cursor): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

/** Throws `BAD_INPUT` for any other string. */
export function readCursor(cursor: string | undefined): Cursor {
  if (cursor === undefined) return start
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof createdAt === 'string' && typeof id === 'string') return { createdAt, id }
  } catch {}
  throw new SpeechError('BAD_INPUT', 'The cursor is not from an earlier page.', {
    hint: 'Start again without a cursor.',
  })
}
