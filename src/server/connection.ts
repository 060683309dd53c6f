// What a server is built from: what all connections share, and what is this one's own.
import type { Jobs } from '../jobs/jobs.ts'

export interface ServerOptions {
  jobs: Jobs
  version: string
  /** How long a call waits for the end of a job unless it says otherwise. */
  waitSeconds: number
}

export interface Connection {
  /** Whose transcripts are to be seen. */
  owner: string
  /** The generation of the protocol: up to 2025-11-25, or from 2026-07-28 on. */
  era: 'legacy' | 'modern'
  /** True where this server lives as long as the connection and so tells of changes itself. */
  push: boolean
  /** True where a client cancels a call by closing its connection. */
  closingCancels: boolean
}
