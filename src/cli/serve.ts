// speech-mcp: serves one MCP client over stdin and stdout until it disconnects.
import { createApp } from '../app.ts'
import { unfilledTemplates } from '../config/config.ts'
import { log, redirectConsole } from '../log.ts'
import { serveOverStdio } from '../server/stdio.ts'
import type { Command } from './command.ts'

/** Short, because clients kill a server about two seconds after they close stdin. */
const drainSeconds = 1

export const serve: Command = {
  usage: 'speech-mcp',
  help: 'Serve MCP over stdio, for clients that start the server.',
  async run({ config, version }) {
    redirectConsole()
    for (const name of unfilledTemplates()) log.warn('setting-is-a-template', { name })
    const app = await createApp(config)
    await new Promise<void>(end => {
      const { waitSeconds } = config
      const serving = serveOverStdio({ jobs: app.jobs, version, waitSeconds }, end)
      // Without a key this process cannot run interrupted jobs; another one may.
      if (config.apiKey) app.jobs.startRecovery()
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => void serving.close().finally(end))
    })
    await app.close({ drainSeconds })
    return 0
  },
}
