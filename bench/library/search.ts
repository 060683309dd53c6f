// Searches of the worst kinds among 20,000 transcripts: single letters, many words, phrases that were never said.
import { connect, startHttpServer } from '../http-server.ts'
import { timed } from '../measure.ts'
import { fillSqlite } from './sqlite.ts'
import { frequent, vocabulary } from './transcripts.ts'

const transcripts = 20_000

export interface SearchResult {
  /** Milliseconds of a search: 99th percentile. */
  p99: number
  /** Longest event loop delay in milliseconds. */
  longest: number
}

/** Searches the store in the data folder of `env`, after filling it. */
export async function benchSearch(env: Record<string, string>): Promise<SearchResult> {
  await fillSqlite(env.SPEECH_DATA_DIR!, transcripts)
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
