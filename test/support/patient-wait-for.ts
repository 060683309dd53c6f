// On a busy machine an event may take longer than the second for which `vi.waitFor` waits by default.
import { vi } from 'vitest'

const timeout = 20_000
const isPatient = Symbol.for('isPatient')

// Files that share a worker share `vi` too.
if (!(isPatient in vi.waitFor)) {
  const { waitFor } = vi
  const patient: typeof waitFor = (callback, options) =>
    waitFor(callback, typeof options === 'number' ? options : { timeout, ...options })
  vi.waitFor = Object.assign(patient, { [isPatient]: true })
}
