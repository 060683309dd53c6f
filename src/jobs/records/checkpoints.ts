// Checkpoints of one job: bound to its owner, and never an error where the store fails.
import { codeOf } from '../../domain/errors.ts'
import type { Checkpoints, Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'

/**
 * A value that `job` has stored carries the job's id in `by`, and counts as its own. `onFirst` is called after each value
 * that was stored under a key without one.
 */
export function createCheckpoints(
  store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>,
  owner: string,
  job: string,
  onFirst = () => {},
): Checkpoints {
  /** Keys that had no value when they were read. */
  const missing = new Set<string>()
  return {
    async get(key) {
      try {
        const value = await store.getCheckpoint(owner, key)
        if (value === undefined) missing.add(key)
        return value
      } catch (error) {
        return logFailure(error)
      }
    },
    async put(key, value) {
      const stored = typeof value === 'object' && value !== null ? { ...value, by: job } : value
      try {
        await store.putCheckpoint(owner, key, stored, job)
      } catch (error) {
        return logFailure(error)
      }
      if (missing.delete(key)) onFirst()
    },
    isFromThisJob: value => (value as { by?: unknown } | null)?.by === job,
  }
}

function logFailure(error: unknown): undefined {
  log.warn('checkpoint-failed', { code: codeOf(error) })
}
