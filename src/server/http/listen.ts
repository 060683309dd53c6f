// Opens and closes the port, and says in plain words why it cannot be had.
import type { Server, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { SpeechError } from '../../domain/errors.ts'

/** Names of the settings that say where a server listens. */
export interface Settings {
  host: string
  port: string
}

const usual: Settings = { host: 'SPEECH_HTTP_HOST', port: 'SPEECH_HTTP_PORT' }

/** Throws `CONFIG_INVALID`. */
export async function listen(server: Server, host: string, port: number, settings = usual): Promise<void> {
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

function reasonOf(
  code: string | undefined,
  port: number,
  settings: Settings,
): [message: string, hint: string] {
  if (code === 'EADDRINUSE')
    return [
      `Port ${port} is taken by another program.`,
      `Stop that program, or set ${settings.port} to another number (0: any free one).`,
    ]
  if (code === 'EACCES')
    return [`Port ${port} may not be used.`, `Set ${settings.port} to a number of 1024 or more.`]
  return [
    `The address in ${settings.host} is not one of this machine.`,
    'Set it to 127.0.0.1, or to an address of this machine.',
  ]
}

/** Takes no more connections, and closes those there are when the answers are out, or when patience ends. */
export async function closeServer(
  server: Server,
  answers: ReadonlySet<ServerResponse>,
  patience: number,
): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  const out = [...answers].map(answer => new Promise(resolve => answer.once('close', resolve)))
  await Promise.race([Promise.all(out), pause(patience, undefined, { ref: false })])
  server.closeAllConnections()
  await closed
}
