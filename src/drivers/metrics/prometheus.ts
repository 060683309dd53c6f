// Metrics for Prometheus (prom-client, loaded on first use).
import { setTimeout as sleep } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import type { Job, JobState } from '../../domain/job.ts'
import type { Meter } from '../../domain/meter.ts'
import { log } from '../../log.ts'

export interface Metrics extends Meter {
  /** The page that Prometheus scrapes, and its content type. */
  page(): Promise<{ type: string; text: string }>
}

export interface MetricsOptions {
  /** Queued and running jobs of all owners; read for each page. */
  unfinishedJobs(): Promise<Job[]>
  version?: string
}

/** How long a page waits for the store; without its answer, the page has no job counts. */
const storeTimeoutMs = 2_000
/** Histogram buckets in seconds: a voice note waits for moments, a backlog for hours. */
const waitBuckets = [0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200]
const requestBuckets = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]
/** A job that was released is queued again, so it has not ended. */
const endStates = new Set<JobState>(['completed', 'partial', 'failed', 'cancelled'])

export function prometheus({ unfinishedJobs, version }: MetricsOptions): Metrics {
  let opened: Promise<Instruments> | undefined
  const open = () => (opened ??= openInstruments(version))

  /** A failure to count never stops the work. */
  function count(work: (instruments: Instruments) => void): void {
    open()
      .then(work)
      .catch(error => log.warn('metrics-failed', { error: (error as Error).name }))
  }

  async function countUnfinished({ jobs }: Instruments): Promise<void> {
    jobs.reset()
    const timeout = sleep(storeTimeoutMs, undefined, { ref: false })
    const found = await Promise.race([unfinishedJobs().catch(() => undefined), timeout])
    if (!found) return
    for (const state of ['queued', 'running'] as const)
      jobs.set({ state }, found.filter(job => job.state === state).length)
  }

  return {
    jobStarted: ({ tool, attempt, waitedSeconds }) =>
      count(({ inProgress, retries, wait }) => {
        inProgress.inc()
        if (attempt > 1) retries.inc({ tool })
        else wait.observe({ tool }, waitedSeconds)
      }),
    jobEnded: ({ tool, state, audioSeconds, usd }) =>
      count(({ inProgress, ended, audio, cost }) => {
        inProgress.dec()
        if (!endStates.has(state)) return
        ended.inc({ tool, state })
        audio.inc({ tool }, audioSeconds)
        cost.inc({ tool }, usd)
      }),
    requestFinished: ({ model, seconds, outcome }) =>
      count(({ requests, errors }) => {
        requests.observe({ model }, seconds)
        if (outcome !== 'ok') errors.inc({ model, code: outcome })
      }),
    async page() {
      const instruments = await open()
      await countUnfinished(instruments)
      const { registry } = instruments
      return { type: registry.contentType, text: await registry.metrics() }
    },
  }
}

type Instruments = Awaited<ReturnType<typeof openInstruments>>

/** Uses a separate registry, since two of them in one process would register the same names. */
async function openInstruments(version = 'unknown') {
  const { default: client } = await import('prom-client')
  const { Counter, Gauge, Histogram } = client
  const registry: Registry = new client.Registry()
  const registers = [registry]
  client.collectDefaultMetrics({ register: registry })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `speech_mcp_${name}_total`, help, labelNames, registers })
  const seconds = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name: `speech_mcp_${name}_seconds`, help, labelNames, buckets, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `speech_mcp_${name}`, help, labelNames, registers })
  gauge('info', 'Version of the running server.', ['version']).set({ version }, 1)
  return {
    registry,
    jobs: gauge('jobs', 'Unfinished jobs on all machines, by state.', ['state']),
    inProgress: gauge('jobs_at_work', 'Jobs that this process runs.', []),
    ended: counter('jobs_ended', 'Jobs that ended in this process, by tool and state.', ['tool', 'state']),
    retries: counter('retries', 'Jobs that were started again after their worker died.', ['tool']),
    audio: counter('audio_seconds', 'Seconds of audio of the jobs that ended in this process.', ['tool']),
    cost: counter('cost_usd', 'Provider cost of those jobs in US dollars.', ['tool']),
    wait: seconds('queue_wait', 'Seconds that jobs waited before they started.', ['tool'], waitBuckets),
    requests: seconds('provider_request', 'Duration of requests to the provider.', ['model'], requestBuckets),
    errors: counter('provider_errors', 'Failed requests to the provider, by error code.', ['model', 'code']),
  }
}
