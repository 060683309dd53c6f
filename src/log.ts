// Log as JSON lines on stderr. Logs ids, counts and durations only: never speech, paths or keys.

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof levels)[number]
export const logLevels: readonly LogLevel[] = levels

let threshold = levels.indexOf('warn')

export function setLogLevel(level: LogLevel): void {
  threshold = levels.indexOf(level)
}

type Fields = Record<string, string | number | boolean | undefined>

function write(level: LogLevel, event: string, fields: Fields): void {
  if (levels.indexOf(level) < threshold) return
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`)
}

export const log = {
  debug: (event: string, fields: Fields = {}) => write('debug', event, fields),
  info: (event: string, fields: Fields = {}) => write('info', event, fields),
  warn: (event: string, fields: Fields = {}) => write('warn', event, fields),
  error: (event: string, fields: Fields = {}) => write('error', event, fields),
}

/** Redirects `console` to the log, so that a library cannot write between the JSON-RPC messages on stdout. */
export function redirectConsole(): void {
  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace', 'dir', 'table'] as const)
    console[name] = (...values: unknown[]) => log.debug('console', { method: name, values: values.length })
}
