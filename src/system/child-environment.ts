// Environment of child processes: enough to start and to find libraries, and no key of any service.
import { fileURLToPath } from 'node:url'

/** Windows spells some of these names in several ways. */
const names =
  process.platform === 'win32'
    ? /^(?:PATH|PATHEXT|SYSTEMROOT|TEMP|TMP)$/i
    : /^(?:PATH|HOME|TMPDIR|LANG|LC_\w+|(?:DY)?LD_\w+)$/

/**
 * A statically linked ffmpeg, as packages bring it, would load the system's modules for character sets. They are of
 * another C library, and it crashes at the names in an MPEG transport stream. The list in this folder comes first.
 */
const gconv = fileURLToPath(new URL('gconv', import.meta.url))
const additions: Record<string, string> = process.platform === 'linux' ? { GCONV_PATH: gconv } : {}

/** Every child process gets this environment: the program's own holds the user's keys. */
export function childEnvironment(own: Record<string, string | undefined> = process.env): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(own).filter(([name]) => names.test(name))), ...additions }
}
