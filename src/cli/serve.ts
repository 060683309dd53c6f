// speech-mcp: serve one MCP client over stdin and stdout until it goes.
import { createApp } from '../app.ts'
import { unfilledTemplates } from '../config/config.ts'
import { log, redirectConsole } from '../log.ts'
import { serveOverStdio } from '../server/stdio.ts'
import type { Command } from './command.ts'

/** Clients wait about two seconds for the end before they force it. */
const drainSeconds = 1

export const serve: Command = {
  usage: 'speech-mcp',
  help: 'Serve MCP over stdio; this is what a client starts.',
  async run({ config, version }) {
    redirectConsole()
    for (const name of unfilledTemplates()) log.warn('setting-is-a-template', { name })
    const app = createApp(config)
    await new Promise<void>(end => {
      const { waitSeconds } = config
      const serving = serveOverStdio({ jobs: app.jobs, version, waitSeconds }, end)
      // Without a key another process may finish what this one could not.
      if (config.apiKey) app.jobs.startRecovery()
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => void serving.close().finally(end))
    })
    await app.close({ drainSeconds })
    return 0
  },
}
