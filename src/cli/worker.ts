// speech-mcp worker: runs jobs from the shared queue, on any machine, until a signal stops it.
import { createApp } from '../app.ts'
import { canRunJobs } from '../config/config.ts'
import { SpeechError } from '../domain/errors.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import { redirectConsole } from '../log.ts'
import { serveHealth } from '../server/health.ts'
import type { Command } from './command.ts'
import { logIgnoredSettings } from './io/ignored-settings.ts'
import { printLine } from './io/messages.ts'
import { shutdownSignal } from './io/shutdown-signal.ts'

/** After the finish time, seconds to wait for requests to the provider that are already billed. */
const drainSeconds = deadlines.shutdown.totalSeconds
/** The jobs that wait come first. */
const warmUpAfterMs = 1_000
/** A queue that has not answered for this long makes the worker unhealthy. */
const maxQueueSilenceMs = 60_000

export const worker: Command = {
  usage: 'speech-mcp worker',
  help: 'Run jobs from the queue that servers share; see docs/team.md.',
  examples: [['worker', 'Runs until SIGTERM. The settings of a team are in the environment.']],
  async run({ config, version }) {
    redirectConsole()
    logIgnoredSettings(config)
    if (config.mnsEndpoint === undefined)
      throw new SpeechError('CONFIG_INVALID', 'A worker needs a queue shared with the servers.', {
        hint: 'Set MNS_ENDPOINT, TABLESTORE_ENDPOINT and OSS_BUCKET as for the servers. A single machine needs no worker: its server runs the jobs itself.',
      })
    if (!canRunJobs(config))
      throw new SpeechError('KEY_MISSING', 'A worker needs the provider’s API key.', {
        hint: 'Set DASHSCOPE_API_KEY as for the servers.',
      })
    // A worker reads no local files: recordings come from the bucket.
    const app = await createApp({ ...config, allowedDirs: [] }, { role: 'worker', metricsVersion: version })
    let isDraining = false
    const health = () => {
      const silentSince = app.queueSilentSince?.()
      const isSilent = silentSince !== undefined && Date.now() - silentSince > maxQueueSilenceMs
      const status = isDraining ? 'draining' : isSilent ? 'queue silent' : 'ok'
      const since = silentSince === undefined ? {} : { silentSince: new Date(silentSince).toISOString() }
      return { isHealthy: status === 'ok', body: { status, jobs: app.jobs.activeJobs(), ...since } }
    }
    const serving = await serveHealth({
      host: config.workerHost,
      port: config.workerPort,
      health,
      metrics: app.metrics!,
    })
    const stopped = shutdownSignal()
    app.jobs.startRecovery()
    // From the bucket, each comes under this name.
    setTimeout(() => void app.warmUp('recording'), warmUpAfterMs).unref()
    printLine(`speech-mcp runs up to ${config.workerJobs} jobs at once; health at ${serving.url}.`)
    await stopped
    isDraining = true
    await app.close({ finishSeconds: config.drainSeconds, drainSeconds })
    await serving.close()
    return 0
  },
}
