// Where a job's passes are kept, so that whoever ends the job for a process that is gone finds its tasks and stops them.
import type { Checkpoints, FileRecogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { Pass } from './pass-context.ts'

/** A pass is kept under a key that does not name the job, as other jobs may want the same. */
interface KeptPasses {
  passes: { model: string; key: string }[]
}

export function passesCheckpointKey(job: string): string {
  return `passes:${job}`
}

/** Called before the first submit: from then on there may be tasks. */
export async function savePasses(passes: Pass[], places: { key: string }[], run: Run): Promise<void> {
  const kept = passes.map(({ recogniser: { model } }, i) => ({ model, key: places[i]!.key }))
  await run.checkpoints.put(passesCheckpointKey(run.job), { passes: kept } satisfies KeptPasses)
}

/** What another version may have kept is looked at before it is believed. */
function isKeptPasses(value: unknown): value is KeptPasses {
  return Array.isArray((value as Partial<KeptPasses> | null | undefined)?.passes)
}

/**
 * Stops the tasks of a job that have not begun; those that have go on, and so do those that another job pays for. Throws
 * what the first of them throws that cannot be stopped, when all were tried.
 */
export async function stopTasks(
  job: string,
  { recognisers, checkpoints }: { recognisers: FileRecogniser[]; checkpoints: Checkpoints },
  signal: AbortSignal,
): Promise<void> {
  const kept = await checkpoints.get(passesCheckpointKey(job))
  if (!isKeptPasses(kept) || kept.passes.length === 0) return
  const stopping = kept.passes.map(async ({ model, key }) => {
    const pass = await checkpoints.get(key)
    const { task } = (pass ?? {}) as { task?: unknown }
    const recogniser = recognisers.find(one => one.model === model)
    if (typeof task === 'string' && checkpoints.isFromThisJob(pass)) await recogniser?.cancel(task, signal)
  })
  const failed = (await Promise.allSettled(stopping)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  await checkpoints.put(passesCheckpointKey(job), { passes: [] } satisfies KeptPasses)
}
