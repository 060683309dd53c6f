// Runs a command's work in the foreground: with a progress bar, stopped by Ctrl-C.
import { type App, createApp } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { type ProgressBar, progressBar } from './progress-bar.ts'

const signals = ['SIGINT', 'SIGTERM'] as const

export interface Session {
  app: App
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal
  bar: ProgressBar
}

export interface InteractiveOptions {
  /** After a signal: seconds for requests that are paid for. Default: 0. */
  drainSeconds?: number
  /** Called with the signal. */
  onStop?(): void
}

/** Resolves with the work's exit code, or with 130 if a signal stopped it. A second signal ends the process at once. */
export async function runInteractive(
  config: Config,
  work: (session: Session) => Promise<number>,
  { drainSeconds = 0, onStop }: InteractiveOptions = {},
): Promise<number> {
  const app = await createApp(config)
  const stop = new AbortController()
  const onSignal = () => {
    onStop?.()
    stop.abort()
  }
  for (const signal of signals) process.once(signal, onSignal)
  const bar = progressBar(process.stderr)
  try {
    return await work({ app, signal: stop.signal, bar })
  } catch (error) {
    bar.clear()
    if (!stop.signal.aborted) throw error
    process.stderr.write('Cancelled.\n')
    return 130
  } finally {
    await app.close({ drainSeconds: stop.signal.aborted ? drainSeconds : 0 })
    for (const signal of signals) process.off(signal, onSignal)
  }
}
