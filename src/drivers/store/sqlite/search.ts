// Full-text search in SQLite.
import type Database from 'libsql'
import { phrasesOf } from '../terms.ts'

/** A query in the language of FTS5, made of quoted terms alone; undefined for one without a word. */
export function matchExpression(query: string): string | undefined {
  const wanted = phrasesOf(query).map(({ terms, isOpen }) => `"${terms}"${isOpen ? '*' : ''}`)
  return wanted.length > 0 ? wanted.join(' AND ') : undefined
}

/** Makes the transcript of this row findable by its title and text, which are given as terms. */
export function index(database: Database.Database, number: number, title: string, text: string): void {
  forget(database, number)
  database.prepare('INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)').run(number, title, text)
}

export function forget(database: Database.Database, number: number): void {
  database.prepare('DELETE FROM search WHERE rowid = ?').run(number)
}
