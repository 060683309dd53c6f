// Environment of child processes: enough to start and to find libraries, and no key of any service.

/** Windows spells some of these names in several ways. */
const names =
  process.platform === 'win32'
    ? /^(?:PATH|PATHEXT|SYSTEMROOT|TEMP|TMP)$/i
    : /^(?:PATH|HOME|TMPDIR|LANG|LC_\w+|(?:DY)?LD_\w+)$/

/** Every child process gets this environment: the program's own holds the user's keys. */
export function childEnvironment(own: Record<string, string | undefined> = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => names.test(name)))
}
