// Page cursor: age and id of the last transcript of a page, and of the first one of its list, as an opaque string.
import { SpeechError } from '../errors.ts'

/** A position in a list that begins with the newest transcript. */
export interface Cursor {
  createdAt: string
  id: string
}

export interface PageCursor extends Cursor {
  /** The first transcript of the first page: newer ones are not of this list. Absent where the store wrote the cursor. */
  first?: Cursor
}

/** Sorts before the newest transcript. */
const start: Cursor = { createdAt: '~', id: '' }

export function writeCursor({ createdAt, id, first }: PageCursor): string {
  const facts = [createdAt, id, ...(first ? [first.createdAt, first.id] : [])]
  return Buffer.from(JSON.stringify(facts)).toString('base64url')
}

/** Throws `BAD_INPUT` for any other string. */
export function readCursor(cursor: string | undefined): PageCursor {
  if (cursor === undefined) return start
  try {
    const facts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const [createdAt, id, ...first] = facts
    if (isPosition(createdAt, id)) {
      const position = { createdAt, id } as Cursor
      return isPosition(...first)
        ? { ...position, first: { createdAt: first[0], id: first[1] } as Cursor }
        : position
    }
  } catch {}
  throw new SpeechError('BAD_INPUT', 'The cursor is not from an earlier page.', {
    hint: 'Start again without a cursor.',
  })
}

function isPosition(createdAt?: unknown, id?: unknown): boolean {
  return typeof createdAt === 'string' && typeof id === 'string'
}

/** True where the list shows `one` later than `other`. */
export function isAfter(one: Cursor, other: Cursor): boolean {
  return one.createdAt === other.createdAt ? one.id < other.id : one.createdAt < other.createdAt
}

/** A position from which a list begins with this transcript. */
export function justBefore({ createdAt, id }: Cursor): Cursor {
  return { createdAt, id: `${id}~` }
}
