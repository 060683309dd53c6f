// What is counted, as Prometheus reads it (prom-client, loaded on first use).
import { setTimeout as sleep } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import type { Job, JobState } from '../../domain/job.ts'
import type { Meter } from '../../domain/meter.ts'
import { log } from '../../log.ts'

export interface Metrics extends Meter {
  /** The page that Prometheus fetches, and its content type. */
  page(): Promise<{ type: string; text: string }>
}

export interface MetricsOptions {
  /** Queued and running jobs of all owners; asked with each page. */
  unfinishedJobs(): Promise<Job[]>
  version?: string
}

/** Milliseconds that a page waits for the store; what it does not tell in time is left out of it. */
const storeTime = 2_000
/** Seconds. A voice note waits for moments, a backlog for hours. */
const waits = [0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200]
const answers = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]
/** Of states that are over: a job that was given back is not. */
const ends = new Set<JobState>(['completed', 'partial', 'failed', 'cancelled'])

export function prometheus({ unfinishedJobs, version }: MetricsOptions): Metrics {
  let opened: Promise<Instruments> | undefined
  const open = () => (opened ??= openInstruments(version))

  /** Whatever becomes of the counting, the work goes on. */
  function count(work: (instruments: Instruments) => void): void {
    open()
      .then(work)
      .catch(error => log.warn('not-counted', { error: (error as Error).name }))
  }

  async function countUnfinished({ jobs }: Instruments): Promise<void> {
    jobs.reset()
    const late = sleep(storeTime, undefined, { ref: false })
    const found = await Promise.race([unfinishedJobs().catch(() => undefined), late])
    if (!found) return
    for (const state of ['queued', 'running'] as const)
      jobs.set({ state }, found.filter(job => job.state === state).length)
  }

  return {
    jobStarted: ({ tool, attempt, waitedSeconds }) =>
      count(({ atWork, retries, wait }) => {
        atWork.inc()
        if (attempt > 1) retries.inc({ tool })
        else wait.observe({ tool }, waitedSeconds)
      }),
    jobEnded: ({ tool, state, audioSeconds, usd }) =>
      count(({ atWork, ended, audio, cost }) => {
        atWork.dec()
        if (!ends.has(state)) return
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

/** A registry of its own: two in one process would otherwise claim the same names. */
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
  gauge('info', 'The version that runs.', ['version']).set({ version }, 1)
  return {
    registry,
    jobs: gauge('jobs', 'Jobs that are not over, of all machines, by state.', ['state']),
    atWork: gauge('jobs_at_work', 'Jobs that this process works on.', []),
    ended: counter('jobs_ended', 'Jobs that came to their end here, by tool and state.', ['tool', 'state']),
    retries: counter('retries', 'Jobs that were begun again because a worker died over them.', ['tool']),
    audio: counter('audio_seconds', 'Seconds of recordings whose jobs ended here.', ['tool']),
    cost: counter('cost_usd', 'What those jobs cost at the provider, in US dollars.', ['tool']),
    wait: seconds('queue_wait', 'How long jobs waited before they were begun.', ['tool'], waits),
    requests: seconds('provider_request', 'How long requests to the provider took.', ['model'], answers),
    errors: counter('provider_errors', 'Requests that failed, by the code of the error.', ['model', 'code']),
  }
}
