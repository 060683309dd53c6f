// Times of what people read in a large library: lists, completion of ids, and ordinary searches.
import type { Client } from '@modelcontextprotocol/client'
import { timed } from '../measure.ts'
import { chinese, frequent, idOf, vocabulary } from './transcripts.ts'

export interface Reading {
  what: string
  isSearch?: true
  read(client: Client, i: number): Promise<unknown>
}

const word = (n: number) => vocabulary[(n * 37) % vocabulary.length]!
const search = (what: string, queryOf: (i: number) => string): Reading => ({
  what,
  isSearch: true,
  async read(client, i) {
    const result = await client.callTool({ name: 'search_transcripts', arguments: { query: queryOf(i) } })
    if (result.isError) throw new Error(JSON.stringify(result.content))
  },
})

export function readings(): Reading[] {
  let cursor: string | undefined
  return [
    // Without a cursor the client would ask for all pages.
    { what: 'list resources', read: client => client.request({ method: 'resources/list', params: {} }) },
    {
      what: 'list on, a page after another',
      async read(client) {
        const page = await client.callTool({
          name: 'search_transcripts',
          arguments: { limit: 20, ...(cursor && { cursor }) },
        })
        cursor = (page.structuredContent as { next_cursor?: string }).next_cursor
      },
    },
    {
      what: 'complete an id',
      read: (client, i) =>
        client.complete({
          ref: { type: 'ref/resource', uri: 'transcript://{id}' },
          argument: { name: 'id', value: idOf(i).slice(0, 4) },
        }),
    },
    search('search for a rare word', word),
    search('search for a word of every transcript', () => frequent),
    search('search for a rare word and a frequent one', i => `${frequent} ${word(i)}`),
    search('search for a phrase', i => `"${word(i)} ${frequent}"`),
    search('search in Chinese', i => chinese.slice(i % 5, (i % 5) + 3)),
    search('search for a word that nobody said', i => `zzz${i}`),
  ]
}

/** Sorted milliseconds of this many reads. */
export async function times({ read }: Reading, client: Client, count: number): Promise<number[]> {
  await read(client, count)
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await timed(() => read(client, i)))[0] * 1000)
  return all.sort((a, b) => a - b)
}
