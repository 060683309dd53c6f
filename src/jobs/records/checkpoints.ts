// What one order keeps of paid work, and finds of it: bound to its owner, and quiet where the store fails.
import { isSpeechError } from '../../domain/errors.ts'
import type { Checkpoints, Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'

/** `job` is the order that keeps; what has it in `by` is its own. */
export function createCheckpoints(
  store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>,
  owner: string,
  job: string,
): Checkpoints {
  return {
    get: key => store.getCheckpoint(owner, key).catch(complain),
    async put(key, value) {
      const kept = typeof value === 'object' && value !== null ? { ...value, by: job } : value
      await store.putCheckpoint(owner, key, kept, job).catch(complain)
    },
    isFromThisJob: value => (value as { by?: unknown } | null)?.by === job,
  }
}

function complain(error: unknown): undefined {
  log.warn('checkpoint-failed', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
}
