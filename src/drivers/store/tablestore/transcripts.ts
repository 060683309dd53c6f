// Transcripts in Tablestore: whole under their id, in a listing by age, and with the words that they are found by.
import type { Store, TranscriptPage } from '../../../domain/ports.ts'
import type { Transcript, TranscriptSummary } from '../../../domain/transcript.ts'
import { write } from '../writing.ts'
import { damagedRows } from './errors.ts'
import { type LargeValues, textColumns } from './large-values.ts'
import type { Listing } from './listing.ts'
import { type Facts, parsed, type Rows, textIn } from './rows.ts'
import type { Search } from './search.ts'

type Transcripts = Pick<
  Store,
  'putTranscript' | 'getTranscript' | 'listTranscripts' | 'searchTranscripts' | 'deleteTranscript'
>

export interface TranscriptRooms {
  rows: Rows
  texts: LargeValues
  listing: Listing
  search: Search
}

/** Bytes of the words of one transcript that are searched (limit of the service: 2 MB): about 30 hours of talk. */
const mostWords = 1_900_000
/** A transcript whose parts are replaced while it is read is read again so often. */
const mostReads = 5

export function transcripts({ rows, texts, listing, search }: TranscriptRooms): Transcripts {
  const turns = new Map<string, Promise<unknown>>()

  /** Writes of one transcript in the order of the calls: a long one must not replace what came after it. */
  function inTurn<T>(owner: string, id: string, work: () => Promise<T>): Promise<T> {
    const key = `${owner}/${id}`
    const turn = (turns.get(key) ?? Promise.resolve()).then(work)
    const over = turn
      .catch(() => {})
      .then(() => {
        if (turns.get(key) === over) turns.delete(key)
      })
    turns.set(key, over)
    return turn
  }

  const find = (owner: string, id: string) =>
    rows.get('transcripts', { id, owner }, ['created', ...textColumns])

  async function put(owner: string, transcript: Transcript): Promise<void> {
    const { id, createdAt: created } = transcript
    const { body, title, text } = await write(transcript)
    const before = await find(owner, id)
    const laid = await texts.write(Buffer.from(body))
    const summary = JSON.stringify(summaryOf(transcript))
    // A row of the listing without a transcript is passed over; a transcript without one would be in no list.
    await listing.add(owner, { created, id })
    await rows.put('transcripts', { id, owner }, { created, summary, words: wordsOf(title, text), ...laid })
    if (before) await forget(owner, id, before, created)
  }

  /** Takes away what a row that is gone had elsewhere. */
  async function forget(owner: string, id: string, before: Facts, created?: string): Promise<void> {
    const listed = textIn(before, 'created')
    if (listed !== created) await listing.remove(owner, { created: listed, id })
    await texts.remove(before)
  }

  return {
    putTranscript: (owner, transcript) => inTurn(owner, transcript.id, () => put(owner, transcript)),
    async getTranscript(owner, id) {
      for (let reads = 0; reads < mostReads; reads++) {
        const row = await rows.get('transcripts', { id, owner }, ['body', 'sum', ...textColumns])
        if (!row) return undefined
        const bytes = await texts.read(row)
        if (bytes) return parsed<Transcript>(bytes)
      }
      throw damagedRows()
    },
    async listTranscripts(owner, request): Promise<TranscriptPage> {
      return listing.page(owner, request, ['summary'], () => true)
    },
    searchTranscripts: (owner, query, request) => search.page(owner, query, request),
    deleteTranscript: (owner, id) =>
      inTurn(owner, id, async () => {
        const before = await find(owner, id)
        if (!before) return false
        await rows.remove('transcripts', { id, owner })
        await forget(owner, id, before)
        return true
      }),
  }
}

function summaryOf({ id, title, createdAt, status, language, duration }: Transcript): TranscriptSummary {
  return { id, title, createdAt, status, duration, ...(language && { language }) }
}

/** Terms with one blank between and around them. No phrase goes over the bar from the title to the text. */
function wordsOf(title: string, text: string): string {
  const words = ` ${title} | ${text} `.replace(/ {2,}/g, ' ')
  const bytes = Buffer.from(words)
  if (bytes.length <= mostWords) return words
  const cut = bytes.subarray(0, mostWords).toString()
  return cut.slice(0, cut.lastIndexOf(' ') + 1)
}
