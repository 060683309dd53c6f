// Transcripts in Tablestore: the whole body by id, a listing by age, and the search terms.
import type { Store } from '../../../domain/ports.ts'
import type { Transcript } from '../../../domain/transcript.ts'
import { parseBody, serialize, summaryOf } from '../serialize.ts'
import { damagedRow } from './errors.ts'
import { type LargeValues, locationColumns } from './large-values.ts'
import type { Listing } from './listing.ts'
import { type Columns, type Rows, textIn } from './rows.ts'

type Transcripts = Pick<Store, 'putTranscript' | 'getTranscript' | 'listTranscripts' | 'deleteTranscript'>

/** Searchable words of one transcript, about 30 hours of speech (the service accepts 2 MB). */
const maxWordsBytes = 1_900_000
/** Reads of a transcript whose parts are replaced while it is read. */
const maxReads = 5

export function transcripts(rows: Rows, largeValues: LargeValues, listing: Listing): Transcripts {
  const lastWrites = new Map<string, Promise<unknown>>()

  /** Serialises writes of a transcript in the order of the calls: a slow, long version must not replace a later one. */
  function inOrder<T>(owner: string, id: string, work: () => Promise<T>): Promise<T> {
    const key = `${owner}/${id}`
    const write = (lastWrites.get(key) ?? Promise.resolve()).then(work)
    const ended = write
      .catch(() => {})
      .then(() => {
        if (lastWrites.get(key) === ended) lastWrites.delete(key)
      })
    lastWrites.set(key, ended)
    return write
  }

  const find = (owner: string, id: string) =>
    rows.get('transcripts', { id, owner }, ['created', ...locationColumns])

  async function put(owner: string, transcript: Transcript): Promise<void> {
    const { id, createdAt: created } = transcript
    const { body, title, text } = await serialize(transcript)
    const before = await find(owner, id)
    const columns = await largeValues.write(Buffer.from(body))
    const summary = JSON.stringify(summaryOf(transcript))
    // The listing comes first: lists skip an entry without a transcript, but never show a transcript without an entry.
    await listing.add(owner, { created, id })
    const words = wordsOf(title, text)
    await rows.put('transcripts', { id, owner }, { created, summary, words, ...columns })
    if (before) await deleteRest(owner, id, before, created)
  }

  /** Deletes the listing entry and the parts of a replaced or deleted row. */
  async function deleteRest(owner: string, id: string, before: Columns, newCreated?: string): Promise<void> {
    const created = textIn(before, 'created')
    if (created !== newCreated) await listing.delete(owner, { created, id })
    await largeValues.delete(before)
  }

  return {
    putTranscript: (owner, transcript) => inOrder(owner, transcript.id, () => put(owner, transcript)),
    async getTranscript(owner, id) {
      for (let reads = 0; reads < maxReads; reads++) {
        const row = await rows.get('transcripts', { id, owner }, ['body', 'sum', ...locationColumns])
        if (!row) return undefined
        const bytes = await largeValues.read(row)
        if (!bytes) continue
        return await parseBody(bytes.toString().split('\n')).catch(() => {
          throw damagedRow()
        })
      }
      throw damagedRow()
    },
    listTranscripts: (owner, request) => listing.page(owner, request, ['summary'], () => true),
    deleteTranscript: (owner, id) =>
      inOrder(owner, id, async () => {
        const before = await find(owner, id)
        if (!before) return false
        await rows.delete('transcripts', { id, owner })
        await deleteRest(owner, id, before)
        return true
      }),
  }
}

/** Terms with single spaces between and around them. The bar keeps phrases from spanning title and text. */
function wordsOf(title: string, text: string): string {
  const words = ` ${title} | ${text} `.replace(/ {2,}/g, ' ')
  const bytes = Buffer.from(words)
  if (bytes.length <= maxWordsBytes) return words
  const truncated = bytes.subarray(0, maxWordsBytes).toString()
  return truncated.slice(0, truncated.lastIndexOf(' ') + 1)
}
