// Searches in a library of 20,000 transcripts: frequent and rare words, single letters, many words, phrases that were never said.
import { join } from 'node:path'
import Sqlite from 'libsql'
import { sqliteStore } from '../src/drivers/store/sqlite/sqlite.ts'
import { connect, startHttpServer } from './http-server.ts'
import { timed } from './measure.ts'

const transcripts = 20_000
const vocabulary = Array.from({ length: 3000 }, (_, i) => `w${((i * 7919) % 100_003).toString(36)}`)
const frequent = 'budget'

export interface SearchResult {
  /** Milliseconds of a search: 99th percentile. */
  p99: number
  /** Longest event loop delay in milliseconds. */
  longest: number
}

/** Searches the store in the data folder of `env`, after filling it. */
export async function benchSearch(env: Record<string, string>): Promise<SearchResult> {
  await fill(env.SPEECH_DATA_DIR!)
  const server = await startHttpServer(env)
  try {
    const client = await connect(server.url)
    const search = (query: string) => client.callTool({ name: 'search_transcripts', arguments: { query } })
    await search('warm')
    server.resetDelay()
    const times: number[] = []
    for (const query of queries()) times.push((await timed(() => search(query)))[0] * 1000)
    const { max } = await server.delay()
    await client.close()
    times.sort((a, b) => a - b)
    return { p99: times[Math.floor(times.length * 0.99)]!, longest: max }
  } finally {
    server.stop()
  }
}

/** 200 queries. */
function queries(): string[] {
  const word = (n: number) => vocabulary[n % vocabulary.length]!
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789']
  return Array.from({ length: 20 }, (_, n) => [
    word(n * 7),
    frequent,
    `${frequent} ${word(n * 11)}`,
    `${frequent} zzzz${n}`,
    letters[n]!,
    `w ${word(n).slice(0, 2)} ${word(n).slice(0, 3)}`,
    letters.slice(n % 4).join(' '),
    Array.from({ length: 100 }, (_, k) => word(n + k)).join(' '),
    `"${word(n)} ${frequent} ${word(n + 1)}"`,
    `"${frequent} ${frequent}"`,
  ]).flat()
}

async function fill(folder: string): Promise<void> {
  const store = sqliteStore({ folder })
  await store.listTranscripts('local', { limit: 1 })
  await store.close()
  // Through the store each transcript would be a transaction of its own.
  const database = new Sqlite(join(folder, 'speech.db'))
  const put = database.prepare(
    'INSERT INTO transcripts (owner, id, created_at, summary, body) VALUES (?, ?, ?, ?, ?)',
  )
  const index = database.prepare('INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)')
  database.exec('BEGIN')
  for (let n = 1; n <= transcripts; n++) {
    const segments = Array.from({ length: 40 }, (_, k) => sentence(n, k))
    const createdAt = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
    const summary = { id: `tr_${n}`, title: `Meeting ${n}`, createdAt, status: 'completed', duration: 200 }
    const body = {
      ...{ ...summary, model: 'bench', segments, warnings: [], usage: { audioSeconds: 0, cachedSeconds: 0 } },
      coverage: { speechSeconds: 200, transcribedSeconds: 200, gaps: [] },
    }
    put.run('local', summary.id, createdAt, JSON.stringify(summary), JSON.stringify(body))
    index.run(n, `meeting ${n}`, segments.map(({ text }) => text).join(' '))
  }
  database.exec('COMMIT')
  database.close()
}

function sentence(n: number, k: number) {
  const words = Array.from({ length: 12 }, (_, i) => vocabulary[((n * 40 + k) * 12 + i) ** 2 % 2999]!)
  return {
    start: k * 5,
    end: k * 5 + 4,
    estimated: false,
    text: [...words, ...(k ? [] : [frequent])].join(' '),
  }
}
