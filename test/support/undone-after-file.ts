// Files that share a worker share its modules, clock and environment: a spy that one leaves silences another one's log.
import { afterAll, vi } from 'vitest'

afterAll(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  vi.unstubAllEnvs()
})
