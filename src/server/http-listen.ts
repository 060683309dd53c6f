// Opens and closes the port, and says in plain words why it cannot be had.
import type { Server } from 'node:http'
import { SpeechError } from '../domain/errors.ts'

/** Throws `CONFIG_INVALID`. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (cause) {
    const [message, hint] = reasonOf((cause as { code?: string }).code, port)
    throw new SpeechError('CONFIG_INVALID', message, { hint, cause })
  }
}

function reasonOf(code: string | undefined, port: number): [message: string, hint: string] {
  if (code === 'EADDRINUSE')
    return [
      `Port ${port} is taken by another program.`,
      'Stop that program, or set SPEECH_HTTP_PORT to another number (0: any free one).',
    ]
  if (code === 'EACCES')
    return [`Port ${port} may not be used.`, 'Set SPEECH_HTTP_PORT to a number of 1024 or more.']
  return [
    'The address in SPEECH_HTTP_HOST is not one of this machine.',
    'Set it to 127.0.0.1, or to an address of this machine.',
  ]
}

/** Connections that clients keep open for later are closed at once, the others when their answers are out. */
export async function closeServer(server: Server, patience: number): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const late = setTimeout(() => server.closeAllConnections(), patience)
  await new Promise<void>(resolve => server.close(() => resolve()))
  clearInterval(idle)
  clearTimeout(late)
}
