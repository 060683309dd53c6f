// On a busy machine an event may take longer than the second for which `vi.waitFor` and `vi.waitUntil` wait by default.
import { vi } from 'vitest'

const timeout = 50_000
const isPatient = Symbol.for('isPatient')

type Wait = (callback: () => unknown, options?: number | { timeout?: number; interval?: number }) => unknown

function patient<Original>(wait: Original): Original {
  const patiently: Wait = (callback, options) =>
    (wait as Wait)(callback, typeof options === 'number' ? options : { timeout, ...options })
  return Object.assign(patiently, { [isPatient]: true }) as Original
}

// Files that share a worker share `vi` too.
if (!(isPatient in vi.waitFor)) {
  vi.waitFor = patient(vi.waitFor)
  vi.waitUntil = patient(vi.waitUntil)
}
