// The store that machines share: transcripts, jobs and checkpoints in Tablestore.
import type { Store } from '../../../domain/ports.ts'

export interface TablestoreOptions {
  endpoint: string
  /** Absent: the first part of the endpoint's host. */
  instance?: string
  /** How the names of the tables begin. */
  prefix: string
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string }
  /** Days after which what was not changed is forgotten; absent: never. */
  retentionDays?: number
  /** Seconds before a second attempt, and for all attempts at one thing. */
  firstDelay?: number
  patience?: number
}

export interface TablestoreStore extends Store {
  /**
   * Makes the tables and the search index that are missing; resolves with a sentence for each thing that was made or
   * found. Throws `STORE_*`, whose hint names the rights that are missing.
   */
  setUp(signal: AbortSignal): Promise<string[]>
}

/** Cheap: the client library is loaded on first use. */
export function tablestoreStore(_options: TablestoreOptions): TablestoreStore {
  throw new Error('Not built yet.')
}
