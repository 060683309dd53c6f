// Full-text search in SQLite (FTS5).
import type Database from 'libsql'
import { phrasesOf } from '../../../domain/reading/search-terms.ts'

/** FTS5 expression of quoted terms; undefined for a query without a word. */
export function matchExpression(query: string): string | undefined {
  const phrases = phrasesOf(query).map(({ terms, isPrefix }) => `"${terms}"${isPrefix ? '*' : ''}`)
  return phrases.length > 0 ? phrases.join(' AND ') : undefined
}

/** Indexes the row of a transcript; title and text are given as terms. Returns true if the row was indexed before. */
export function index(database: Database.Database, number: number, title: string, text: string): boolean {
  const wasIndexed = removeFromIndex(database, number)
  database.prepare('INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)').run(number, title, text)
  return wasIndexed
}

export function removeFromIndex(database: Database.Database, number: number): boolean {
  return database.prepare('DELETE FROM search WHERE rowid = ?').run(number).changes > 0
}
