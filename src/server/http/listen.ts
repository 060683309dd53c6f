// Opens and closes a listening port; explains why a port is not available.
import type { Server, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { SpeechError } from '../../domain/errors.ts'

/** Names of the settings for the address a server listens on. */
const httpSettings = { host: 'SPEECH_HTTP_HOST', port: 'SPEECH_HTTP_PORT' }

/** Throws `CONFIG_INVALID`. */
export async function listen(
  server: Server,
  host: string,
  port: number,
  settings = httpSettings,
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (cause) {
    const [message, hint] = reasonOf((cause as { code?: string }).code, port, settings)
    throw new SpeechError('CONFIG_INVALID', message, { hint, cause })
  }
}

function reasonOf(code: string | undefined, port: number, settings: typeof httpSettings): [string, string] {
  if (code === 'EADDRINUSE')
    return [
      `Port ${port} is used by another program.`,
      `Stop that program, or set ${settings.port} to another port (0: any free port).`,
    ]
  if (code === 'EACCES')
    return [`No permission to use port ${port}.`, `Set ${settings.port} to 1024 or higher.`]
  return [
    `The address in ${settings.host} does not belong to this machine.`,
    'Set it to 127.0.0.1, or to an address of this machine.',
  ]
}

/** Stops accepting connections, and closes open ones when the pending responses are sent or the timeout expires. */
export async function closeServer(
  server: Server,
  pending: ReadonlySet<ServerResponse>,
  timeoutMs: number,
): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  const sent = [...pending].map(response => new Promise(resolve => response.once('close', resolve)))
  await Promise.race([Promise.all(sent), pause(timeoutMs, undefined, { ref: false })])
  server.closeAllConnections()
  await closed
}
