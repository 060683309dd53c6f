// Looks for the files of a batch on this machine. With a shared store, those of other machines are left to them.
import type { PlannedRecording } from '../../domain/batch/batch.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { JobContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'

/** Recordings that are looked at. */
const maxLookedAt = 5

/** True where one of some recordings is found. They are spread over the list: those of one folder may be deleted. */
export async function hasFilesHere(
  recordings: readonly PlannedRecording[],
  owner: string,
  { store, pipeline }: Pick<JobContext, 'store' | 'pipeline'>,
): Promise<boolean> {
  const checkpoints = createCheckpoints(store, owner, '')
  const { signal } = new AbortController()
  const count = Math.min(maxLookedAt, recordings.length)
  for (let i = 0; i < count; i++) {
    const { audio, content } = recordings[Math.floor((i * recordings.length) / count)]!
    const found = await identify(audio, pipeline, { owner, signal, checkpoints }).catch(() => undefined)
    if (found?.content === content) return true
  }
  return false
}
