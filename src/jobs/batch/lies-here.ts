// Whether this machine has the files of a batch. With a shared store, others are left to a process that sees them.
import { identify } from '../../pipeline/source/source.ts'
import type { JobContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { BatchEnds, StoredBatch } from './stored-batch.ts'

/** Recordings that are looked at. */
const maxLookedAt = 5

/** True where one of the recordings that have not ended is found, or where only the end of the batch is left to write. */
export async function liesHere(
  { recordings }: StoredBatch,
  ends: BatchEnds,
  owner: string,
  { store, pipeline }: Pick<JobContext, 'store' | 'pipeline'>,
): Promise<boolean> {
  const pending = recordings.filter(({ id }) => !ends.has(id))
  if (pending.length === 0) return true
  const checkpoints = createCheckpoints(store, owner, '')
  const { signal } = new AbortController()
  // Spread over the list: those of one folder may be deleted by now.
  const step = Math.max(1, pending.length / maxLookedAt)
  for (let at = 0; at < pending.length; at += step) {
    const { audio, content } = pending[Math.floor(at)]!
    const found = await identify(audio, pipeline, { signal, checkpoints }).catch(() => undefined)
    if (found?.content === content) return true
  }
  return false
}
