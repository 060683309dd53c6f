// speech-mcp: serves one MCP client over stdin and stdout until it disconnects.
import { canRunJobs } from '../config/config.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import { redirectConsole } from '../log.ts'
import { serveOverStdio } from '../server/stdio/stdio.ts'
import type { Command } from './command.ts'
import { deferApp } from './deferred-app.ts'
import { logIgnoredSettings } from './io/ignored-settings.ts'
import { printLine } from './io/messages.ts'

/** Short, because clients kill a server about two seconds after they close stdin. */
const drainSeconds = deadlines.stdioShutdown.totalSeconds
/** A client that has not listed the tools by then may be waiting for a job of a dead process. */
const maxIdleMs = 500
/** A model rarely decides on a call sooner; a client that calls without one must not wait for what it may not need. */
const modelMs = 400

export const serve: Command = {
  usage: 'speech-mcp',
  help: 'Serve MCP over stdio, for clients that start the server.',
  examples: [['', 'Waits for an MCP client on stdin. Clients start it themselves.']],
  async run({ config, version }) {
    redirectConsole()
    if (process.stdin.isTTY) greet()
    logIgnoredSettings(config)
    const app = deferApp(config)
    // Without a key this process cannot run interrupted jobs; another one may.
    if (canRunJobs(config)) app.jobs.startRecovery()
    await new Promise<void>((resolve, fail) => {
      // In time for the first call, once the client no longer waits. A failure ends the server as it would at its start.
      const prefetch = () => void app.load().catch(fail)
      const idle = setTimeout(prefetch, maxIdleMs)
      let warming: NodeJS.Timeout | undefined
      const onListed = () => {
        setImmediate(prefetch)
        // Messengers record Ogg.
        warming ??= setTimeout(() => void app.load().then(({ warmUp }) => warmUp('note.ogg'), fail), modelMs)
      }
      const onEnd = () => {
        clearTimeout(idle)
        clearTimeout(warming)
        resolve()
      }
      const serving = serveOverStdio(
        { jobs: app.jobs, load: app.load, version, waitSeconds: config.waitSeconds },
        { onEnd, onListed },
      )
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => void serving.close().finally(onEnd))
    })
    await app.close({ drainSeconds })
    return 0
  },
}

/** A person who starts the server by hand would see nothing at all. */
function greet(): void {
  printLine('speech-mcp waits for an MCP client to speak JSON-RPC on stdin. Clients start it themselves.')
  printLine('To transcribe: `speech-mcp transcribe FILE`. All commands: `speech-mcp --help`. Ctrl-C ends it.')
}
