// Options of an MCP server: those shared by all connections, and those of one connection.
import type { Uploads } from '../domain/network/uploads.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Seals } from './http/pages/seals.ts'

export interface ServerOptions {
  jobs: Jobs
  /** Absent where nothing can be uploaded. */
  uploads?: Uploads | undefined
  /** Absent where no page is served: over stdio. */
  seals?: Seals | undefined
  /** Loads what calls need, which is no part of their time. */
  load?(): Promise<unknown>
  version: string
  /** Default for how long a call waits for a job. */
  waitSeconds: number
}

export interface Connection {
  /** Owner of the transcripts that the client may read. */
  owner: string
  /** Protocol generation: `legacy` up to 2025-11-25, `modern` from 2026-07-28 on. */
  era: 'legacy' | 'modern'
  /** True if the server lives as long as the connection, and so sends change notifications itself. */
  push: boolean
  /** True if a client cancels a call by closing its connection. */
  closingCancels: boolean
  /** Called when the call of a tool of ours begins: it asks nothing that the client cannot answer. */
  onCallBegins?(): void
}
