// Store shared by several machines: transcripts, jobs and checkpoints in Alibaba Cloud Tablestore.
import type { Store } from '../../../domain/ports.ts'
import { checkpoints } from './checkpoints.ts'
import type { ConnectionOptions } from './client.ts'
import { jobs } from './jobs.ts'
import { createLargeValues } from './large-values.ts'
import { createListing } from './listing.ts'
import { createRequests, type RequestOptions } from './requests.ts'
import { createRows } from './rows.ts'
import { createSearch } from './search.ts'
import { createSearchIndex } from './search-index.ts'
import { setUp } from './set-up.ts'
import { spending } from './spending.ts'
import { transcripts } from './transcripts.ts'

export interface TablestoreOptions extends ConnectionOptions, RequestOptions {
  /** Prefix of the table names. */
  prefix: string
  /** Days after their last change after which rows expire. Default: never. */
  retentionDays?: number | undefined
}

export interface TablestoreStore extends Store {
  /**
   * Creates missing tables and the search index; resolves with a sentence for each. Throws `STORE_*`, whose hint names the
   * missing permissions.
   */
  setUp(signal: AbortSignal): Promise<string[]>
}

/** Cheap: loads the client library on first use. */
export function tablestoreStore(options: TablestoreOptions): TablestoreStore {
  const { prefix } = options
  const requests = createRequests(options)
  const rows = createRows(requests, prefix)
  const largeValues = createLargeValues(rows)
  const listing = createListing(rows)
  return {
    ...transcripts(rows, largeValues, listing),
    searchTranscripts: createSearch(rows, listing, createSearchIndex(requests, prefix)),
    ...jobs(rows),
    ...checkpoints(rows, largeValues),
    ...spending(rows),
    setUp: signal => setUp(requests, options, signal),
    // The service removes deleted rows itself.
    erase: async () => [],
    warnings: () => [],
    losses: () => 0,
    async close() {
      requests.close()
    },
  }
}
