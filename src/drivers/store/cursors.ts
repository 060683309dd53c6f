// Where a page ended: the age and id of its last transcript, as a string for the caller to bring back.
import { SpeechError } from '../../domain/errors.ts'

export interface Cursor {
  createdAt: string
  id: string
}

/** Before the newest. */
const beginning: Cursor = { createdAt: '~', id: '' }

export function writeCursor({ createdAt, id }: Cursor): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

/** Throws `BAD_INPUT` for one that no page gave. */
export function readCursor(cursor: string | undefined): Cursor {
  if (cursor === undefined) return beginning
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof createdAt === 'string' && typeof id === 'string') return { createdAt, id }
  } catch {}
  throw new SpeechError('BAD_INPUT', 'The cursor is not one that a list gave.', {
    hint: 'Start again without a cursor.',
  })
}
