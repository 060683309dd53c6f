// Reads and writes single values, which may be megabytes: those go to the thread, as they would block the event loop.
import type { Connection } from './connection.ts'
import { bytesOf, type Statement, selectBytes } from './rows.ts'

/** Characters or bytes; more take SQLite over 10 ms. */
const maxValueHere = 1_000_000

/** The value in the row that the FROM clause names by owner and key; undefined if there is none. */
export async function readValue(
  { read, readAside }: Connection,
  column: string,
  from: string,
  owner: string,
  key: string,
): Promise<Uint8Array | undefined> {
  const where = `${from} AND octet_length(${column}) <= ${maxValueHere}`
  const [small] = await read(database => bytesOf(database, column, where, owner, key))
  if (small) return small
  const isThere = await read(database => database.prepare(`SELECT 1 FROM ${from}`).all(owner, key).length > 0)
  return isThere ? (await readAside(owner, selectBytes(column, from), owner, key))[0] : undefined
}

/** Runs the statements in a transaction; resolves with the number of rows that each has changed. */
export async function writeValues(
  { write, writeAside }: Connection,
  owner: string,
  statements: Statement[],
): Promise<number[]> {
  const isLarge = statements.some(({ values }) => values.some(value => String(value).length > maxValueHere))
  if (isLarge) {
    const changes = await writeAside(owner, statements).catch(() => undefined)
    if (changes) return changes
  }
  return write(database => statements.map(({ sql, values }) => database.prepare(sql).run(...values).changes))
}
