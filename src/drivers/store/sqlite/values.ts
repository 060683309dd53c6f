// Reads single values, which may be megabytes: those are read in the thread, as they would block the event loop.
import type { Connection } from './connection.ts'
import { bytesOf, selectBytes } from './rows.ts'

/** More take SQLite over 10 ms. */
const maxBytesHere = 1_000_000

/** The value in the row that the FROM clause names by owner and key; undefined if there is none. */
export async function readValue(
  { read, readAside }: Connection,
  column: string,
  from: string,
  owner: string,
  key: string,
): Promise<Uint8Array | undefined> {
  const where = `${from} AND octet_length(${column}) <= ${maxBytesHere}`
  const [small] = await read(database => bytesOf(database, column, where, owner, key))
  if (small) return small
  const isThere = await read(database => database.prepare(`SELECT 1 FROM ${from}`).all(owner, key).length > 0)
  return isThere ? (await readAside(owner, selectBytes(column, from), owner, key))[0] : undefined
}
