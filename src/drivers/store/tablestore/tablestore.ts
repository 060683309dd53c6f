// The store that machines share: transcripts, jobs and checkpoints in Tablestore.
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import { jobs } from './jobs.ts'
import { createLargeValues } from './large-values.ts'
import { createListing } from './listing.ts'
import type { TablestoreOptions } from './options.ts'
import { createRequests } from './requests.ts'
import { createRows } from './rows.ts'
import { createSearch } from './search.ts'
import { createSearchIndex } from './search-index.ts'
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
  const line = createRequests(options)
  const rows = createRows(line, prefix)
  const texts = createLargeValues(rows)
  const listing = createListing(rows)
  const search = createSearch({ rows, listing, candidates: createSearchIndex(line, prefix) })
  return {
    ...transcripts({ rows, texts, listing, search }),
    ...jobs(rows),
    ...checkpoints(rows, texts),
    setUp: signal => setUp(line, options, signal),
    warning: () => undefined,
    async close() {
      line.close()
    },
  }
}
