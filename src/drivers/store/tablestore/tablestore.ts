// The store that machines share: transcripts, jobs and checkpoints in Tablestore.
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import { jobs } from './jobs.ts'
import { createTexts } from './large-values.ts'
import { createListing } from './listing.ts'
import type { TablestoreOptions } from './options.ts'
import { createLine } from './requests.ts'
import { createRows } from './rows.ts'
import { createSearch } from './search.ts'
import { createCandidates } from './search-index.ts'
import { setUp } from './set-up.ts'
import { transcripts } from './transcripts.ts'

export interface TablestoreStore extends Store {
  /**
   * Makes the tables and the search index that are missing; resolves with a sentence for each thing that was made or
   * found. Throws `STORE_*`, whose hint names the rights that are missing.
   */
  setUp(signal: AbortSignal): Promise<string[]>
}

/** Cheap: the client library is loaded on first use. */
export function tablestoreStore(options: TablestoreOptions): TablestoreStore {
  const { prefix } = options
  const line = createLine(options)
  const rows = createRows(line, prefix)
  const texts = createTexts(rows)
  const listing = createListing(rows)
  const search = createSearch({ rows, listing, candidates: createCandidates(line, prefix) })
  return {
    ...transcripts({ rows, texts, listing, search }),
    ...jobs(rows),
    ...checkpoints(rows, texts),
    setUp: signal => setUp(line, options, signal),
    notice: () => undefined,
    async close() {
      line.close()
    },
  }
}
