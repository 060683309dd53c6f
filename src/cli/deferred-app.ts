// The app, loaded when it is first needed: a client that lists the tools does not wait for what runs them.
import type { App } from '../app.ts'
import type { Config } from '../config/config.ts'

type Jobs = App['jobs']

export interface DeferredApp extends Pick<App, 'close'> {
  /** The first call loads the app, and rejects if that fails. */
  jobs: Jobs
  /** Loads the app if that has not begun. Rejects with the error of `createApp`. */
  load(): Promise<App>
}

/** An app that was never needed is closed without being loaded. */
export function deferApp(config: Config): DeferredApp {
  let loading: Promise<App> | undefined
  let loaded: Jobs | undefined
  const pending = new Set<(jobs: Jobs) => void>()

  const load = () => (loading ??= open())
  const ready = async () => (await load()).jobs

  async function open(): Promise<App> {
    const { createApp } = await import('../app.ts')
    const app = await createApp(config)
    loaded = app.jobs
    for (const begin of pending) begin(loaded)
    pending.clear()
    return app
  }

  /** Begins once the app is loaded, without loading it. The returned function ends it. */
  function whenLoaded(begin: (jobs: Jobs) => (() => void) | undefined): () => void {
    let end: (() => void) | undefined
    const run = (jobs: Jobs) => {
      end = begin(jobs)
    }
    if (loaded) run(loaded)
    else pending.add(run)
    return () => {
      pending.delete(run)
      end?.()
    }
  }

  const jobs: Jobs = {
    transcribe: async (...args) => (await ready()).transcribe(...args),
    submit: async (...args) => (await ready()).submit(...args),
    watch: async (...args) => (await ready()).watch(...args),
    read: async (...args) => (await ready()).read(...args),
    format: async (...args) => (await ready()).format(...args),
    warnings: () => loaded?.warnings() ?? [],
    list: async (...args) => (await ready()).list(...args),
    unfinished: async (...args) => (await ready()).unfinished(...args),
    spending: async (...args) => (await ready()).spending(...args),
    search: async (...args) => (await ready()).search(...args),
    cancel: async (...args) => (await ready()).cancel(...args),
    rename: async (...args) => (await ready()).rename(...args),
    remove: async (...args) => (await ready()).remove(...args),
    plan: async (...args) => (await ready()).plan(...args),
    limitCost: async (...args) => (await ready()).limitCost(...args),
    sourcesIn: async (...args) => (await ready()).sourcesIn(...args),
    orderBatch: async (...args) => (await ready()).orderBatch(...args),
    batch: async (...args) => (await ready()).batch(...args),
    recordings: async (...args) => (await ready()).recordings(...args),
    recordingsOf: async (...args) => (await ready()).recordingsOf(...args),
    save: async (...args) => (await ready()).save(...args),
    clip: async (...args) => (await ready()).clip(...args),
    waveform: async (...args) => (await ready()).waveform(...args),
    oneAtATime: async (...args) => (await ready()).oneAtATime(...args),
    foldersOpen: config.allowedDirs.length > 0,
    // Before the app is loaded nothing changes.
    subscribe: listener => whenLoaded(({ subscribe }) => subscribe(listener)),
    follow(owner, id) {
      // Its failure is reported to the caller that reads the transcript.
      load().catch(() => {})
      return whenLoaded(({ follow }) => follow(owner, id))
    },
    startRecovery: () => void whenLoaded(({ startRecovery }) => void startRecovery()),
    activeJobs: () => loaded?.activeJobs() ?? 0,
    close: async options => (await loading)?.jobs.close(options),
  }
  return { jobs, load, close: async options => (await loading)?.close(options) }
}
