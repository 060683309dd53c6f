// A large library: copies of one transcript in the program's own database, with other words.
import { join } from 'node:path'
import Sqlite from 'libsql'
import { fixture } from '../../test/support/e2e/system.ts'
import { callTool } from './call.ts'
import type { Home } from './home.ts'
import { createRandom } from './random.ts'
import { openStdio } from './stdio.ts'

/** Rare words; each occurs in about one of seven transcripts. */
export const vocabulary = Array.from({ length: 3000 }, (_, i) => `w${((i * 7919) % 100_003).toString(36)}`)
/** A word that all transcripts contain. */
export const commonWord = 'budget'

export interface LibraryOptions {
  count: number
  owner?: string
  /** Sentences of each transcript, five seconds each. */
  sentences?: number
}

export const idOf = (i: number) => `tr_${i.toString(36).padStart(16, '0')}`

const wordsOfSentence = 12

/** Transcribes one recording with the program, so that its database exists and has a row to copy. */
export async function makeDatabase({ env }: Home): Promise<void> {
  const door = await openStdio({ env })
  const { fault, isError, text } = await callTool(door, 'transcribe_audio', {
    audio: fixture('voice-note.ogg'),
    wait_seconds: 30,
  })
  await door.close()
  if (fault || isError) throw new Error(`The first transcript failed: ${fault ?? text}`)
}

/** Adds transcripts to a database that no program has open. */
export function fillLibrary(home: Home, { count, owner = 'local', sentences = 40 }: LibraryOptions): void {
  const database = new Sqlite(join(home.data, 'speech.db'))
  const random = createRandom(1, `library ${owner}`)
  const row = database.prepare('SELECT * FROM transcripts LIMIT 1').get() as Record<string, unknown>
  const [summary, body] = [JSON.parse(String(row.summary)), JSON.parse(String(row.body))]
  const columns = database.prepare('PRAGMA table_info(transcripts)').all() as { name: string }[]
  const names = columns.map(({ name }) => name).filter(name => name !== 'number')
  const add = database.prepare(
    `INSERT INTO transcripts (${names}) VALUES (${names.map(() => '?')}) RETURNING number`,
  )
  const index = database.prepare('INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)')
  const sentence = (i: number) => ({
    ...body.segments[0],
    start: 5 * i,
    end: 5 * i + 4,
    text: `${i === 0 ? `${commonWord} ` : ''}${Array.from({ length: wordsOfSentence }, () => random.pick(vocabulary)).join(' ')}`,
  })
  database.exec('BEGIN IMMEDIATE')
  for (let i = 0; i < count; i++) {
    const createdAt = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString()
    const own = { id: idOf(i), title: `Meeting ${i}`, createdAt }
    const segments = Array.from({ length: sentences }, (_, k) => sentence(k))
    const whole = { ...body, ...own, duration: 5 * sentences, segments }
    const filled: Record<string, unknown> = {
      ...row,
      owner,
      id: own.id,
      created_at: createdAt,
      summary: JSON.stringify({ ...summary, ...own }),
      body: JSON.stringify(whole),
    }
    const [{ number }] = add.all(...names.map(name => filled[name])) as [{ number: number }]
    index.run(number, own.title.toLowerCase(), segments.map(({ text }) => text).join(' '))
  }
  database.exec('COMMIT')
  database.close()
}
