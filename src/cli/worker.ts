// speech-mcp worker: carry out what servers have ordered, on any machine, until a signal ends it.
import { createApp } from '../app.ts'
import { unfilledTemplates } from '../config/config.ts'
import { SpeechError } from '../domain/errors.ts'
import { log, redirectConsole } from '../log.ts'
import { serveHealth } from '../server/health.ts'
import type { Command } from './command.ts'
import { signalled } from './io/shutdown-signal.ts'

/** Seconds for requests that are under way when the time for finishing is up: their chunks are paid for. */
const drainSeconds = 10
/** Milliseconds after which a queue that does not answer is said to be silent. */
const longestSilence = 60_000

export const worker: Command = {
  usage: 'speech-mcp worker',
  help: 'Work on what servers of a team have ordered; see "Running it for a team" in the README.',
  async run({ config, version }) {
    redirectConsole()
    for (const name of unfilledTemplates()) log.warn('setting-is-a-template', { name })
    if (config.mnsEndpoint === undefined)
      throw new SpeechError('CONFIG_INVALID', 'A worker needs a queue that it shares with servers.', {
        hint: 'Set MNS_ENDPOINT, TABLESTORE_ENDPOINT and OSS_BUCKET as for the servers. One machine alone needs no worker: its server works by itself.',
      })
    if (!config.apiKey)
      throw new SpeechError('KEY_MISSING', 'A worker needs the key of the provider.', {
        hint: 'Set DASHSCOPE_API_KEY as for the servers.',
      })
    // Files are no business of a worker: recordings come out of the bucket.
    const app = createApp({ ...config, allowedDirs: [] }, { role: 'worker', metricsVersion: version })
    let isDraining = false
    const health = () => {
      const silent = app.queueSilentSince?.()
      const isSilent = silent !== undefined && Date.now() - silent > longestSilence
      const status = isDraining ? 'draining' : isSilent ? 'queue silent' : 'ok'
      const since = silent === undefined ? {} : { silentSince: new Date(silent).toISOString() }
      return { isWell: status === 'ok', facts: { status, jobs: app.jobs.activeJobs(), ...since } }
    }
    const serving = await serveHealth({
      host: config.workerHost,
      port: config.workerPort,
      health,
      metrics: app.metrics!,
    })
    const stopped = signalled()
    app.jobs.startRecovery()
    process.stderr.write(
      `speech-mcp works on up to ${config.workerJobs} jobs at once; health at ${serving.url}.\n`,
    )
    await stopped
    isDraining = true
    await app.close({ finishSeconds: config.drainSeconds, drainSeconds })
    await serving.close()
    return 0
  },
}
