// What is counted, as Prometheus reads it (prom-client, loaded on first use).
import type { Job } from '../../domain/job.ts'
import type { Meter } from '../../domain/meter.ts'

export interface Metrics extends Meter {
  /** The page that Prometheus fetches, and its content type. */
  page(): Promise<{ type: string; text: string }>
}

export interface MetricsOptions {
  /** Queued and running jobs of all owners; asked with each page. */
  unfinishedJobs(): Promise<Job[]>
  version?: string
}

export function prometheus(_options: MetricsOptions): Metrics {
  throw new Error('Not built yet.')
}
