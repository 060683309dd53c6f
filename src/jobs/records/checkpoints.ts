// Checkpoints of one job: bound to its owner, and never an error where the store fails.
import { codeOf } from '../../domain/errors.ts'
import type { Checkpoints, Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'

/** A value that `job` has stored carries the job's id in `by`, and counts as its own. */
export function createCheckpoints(
  store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>,
  owner: string,
  job: string,
): Checkpoints {
  return {
    get: key => store.getCheckpoint(owner, key).catch(logFailure),
    async put(key, value) {
      const stored = typeof value === 'object' && value !== null ? { ...value, by: job } : value
      await store.putCheckpoint(owner, key, stored, job).catch(logFailure)
    },
    isFromThisJob: value => (value as { by?: unknown } | null)?.by === job,
  }
}

function logFailure(error: unknown): undefined {
  log.warn('checkpoint-failed', { code: codeOf(error) })
}
