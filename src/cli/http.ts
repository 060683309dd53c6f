// speech-mcp http: serve many MCP clients at one address, until a signal ends it.
import { createApp } from '../app.ts'
import { type Config, unfilledTemplates } from '../config/config.ts'
import { log, redirectConsole } from '../log.ts'
import { serveHttp } from '../server/http/http.ts'
import type { Command } from './command.ts'
import { signalled } from './io/shutdown-signal.ts'

/** How long requests to the provider may take to land when the server stops: their chunks are paid for. */
const drainSeconds = 10

export const http: Command = {
  usage: 'speech-mcp http',
  help: 'Serve MCP over Streamable HTTP, for clients that are given an address.',
  async run({ config, version }) {
    redirectConsole()
    for (const name of unfilledTemplates()) log.warn('setting-is-a-template', { name })
    // Whoever connects may be somebody else, so no folder is open that was not named.
    const allowedDirs = config.allowedDirsGiven ? config.allowedDirs : []
    const app = createApp({ ...config, allowedDirs }, { metricsVersion: version })
    const serving = await serveHttp(
      { jobs: app.jobs, version, waitSeconds: config.waitSeconds },
      { host: config.httpHost, port: config.httpPort, tokens: config.tokens, metrics: app.metrics },
    )
    const stopped = signalled()
    // Without a key another process may finish what this one could not.
    if (config.apiKey) app.jobs.startRecovery()
    process.stderr.write(`${greeting(serving.url, config, allowedDirs)}\n`)
    await stopped
    // What waits is answered while the transcripts can still be read; the store closes last.
    await serving.close(() => app.jobs.close({ drainSeconds }))
    await app.close()
    return 0
  },
}

function greeting(url: string, { tokens }: Config, folders: string[]): string {
  const who = tokens.length === 0 ? 'no tokens, this machine only' : `tokens: ${tokens.length}`
  const open = folders.length === 0 ? 'none (SPEECH_ALLOWED_DIRS opens some)' : folders.join(', ')
  return `speech-mcp serves ${url} (${who}; folders open: ${open}).`
}
