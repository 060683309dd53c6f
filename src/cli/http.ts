// speech-mcp http: serves MCP clients over Streamable HTTP until a signal stops it.
import { type App, createApp } from '../app.ts'
import { type Config, canRunJobs } from '../config/config.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import { redirectConsole } from '../log.ts'
import { serveHttp } from '../server/http/http.ts'
import { createSeals } from '../server/http/pages/seals.ts'
import type { Command } from './command.ts'
import { logIgnoredSettings } from './io/ignored-settings.ts'
import { printLine } from './io/messages.ts'
import { shutdownSignal } from './io/shutdown-signal.ts'

/** On shutdown, seconds to wait for requests to the provider that are already billed. */
const drainSeconds = deadlines.shutdown.totalSeconds
/** A client that waits for the server calls first. */
const warmUpAfterMs = 1_000

export const http: Command = {
  usage: 'speech-mcp http',
  help: 'Serve MCP over Streamable HTTP, for clients that connect to a URL.',
  examples: [
    ['http', 'Serves this machine at http://127.0.0.1:8765/mcp.'],
    ['http --speech-http-port 9000 --speech-allowed-dirs ~/Recordings', 'Opens a folder to clients.'],
  ],
  async run({ config, version }) {
    redirectConsole()
    logIgnoredSettings(config)
    // Remote users may connect, so only explicitly configured folders are readable.
    const allowedDirs = config.allowedDirsGiven ? config.allowedDirs : []
    const app = await createApp({ ...config, allowedDirs }, { metricsVersion: version })
    const uploads = await app.loadUploads()
    const serving = await serveHttp(
      {
        jobs: app.jobs,
        uploads,
        seals: createSeals(app.pageKey),
        version,
        waitSeconds: config.waitSeconds,
      },
      {
        host: config.httpHost,
        port: config.httpPort,
        allowedHosts: config.httpAllowedHosts,
        tokens: config.tokens,
        login: loginOf(config, app),
        metrics: app.metrics,
      },
    )
    const stopped = shutdownSignal()
    // Without a key this process cannot run interrupted jobs; another one may.
    if (canRunJobs(config)) app.jobs.startRecovery()
    uploads.startSweep()
    printLine(greeting(serving.url, config, allowedDirs))
    // Messengers record Ogg.
    setTimeout(() => void app.warmUp('note.ogg'), warmUpAfterMs).unref()
    await stopped
    // Waiting calls are answered while transcripts are still readable; the store closes last.
    await serving.close(() => app.jobs.close({ drainSeconds }))
    await app.close()
    return 0
  },
}

function loginOf(config: Config, { fetchText }: App) {
  const { oauthIssuer: issuer, oauthAudiences: audiences, oauthOwnerClaim: ownerClaim } = config
  if (issuer === undefined) return undefined
  const { oauthClientId: id, oauthClientSecret: secret } = config
  return { issuer, audiences, ownerClaim, fetchText, client: id === undefined ? undefined : { id, secret } }
}

function greeting(url: string, { tokens, oauthIssuer }: Config, folders: string[]): string {
  const access = [
    ...(oauthIssuer ? [`login with ${new URL(oauthIssuer).host}`] : []),
    ...(tokens.length > 0 ? [`tokens: ${tokens.length}`] : []),
    ...(!oauthIssuer && tokens.length === 0 ? ['no tokens, this machine only'] : []),
  ].join(', ')
  const readable = folders.length === 0 ? 'none, see SPEECH_ALLOWED_DIRS' : folders.join(', ')
  const served = `speech-mcp serves ${url} (${access}; allowed folders: ${readable}).`
  return `${served} In a browser: ${new URL('/', url).href}`
}
