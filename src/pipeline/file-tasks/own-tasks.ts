// Records the passes of a job, so that their tasks can be stopped when the job ends in another process.
import type { Checkpoints, FileRecogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { PlannedPass } from './candidates.ts'

/** The key of a pass does not contain the job, as jobs share equal passes. */
interface PassesCheckpoint {
  passes: { model: string; key: string }[]
}

export function passesCheckpointKey(job: string): string {
  return `passes:${job}`
}

/** Must be called before the first submit: from then on there may be tasks. */
export async function savePasses(passes: PlannedPass[], run: Run): Promise<void> {
  const candidates = passes.flatMap(pass => pass.candidates)
  const saved = candidates.map(({ recogniser: { model }, key }) => ({ model, key }))
  await run.checkpoints.put(passesCheckpointKey(run.job), { passes: saved } satisfies PassesCheckpoint)
}

/** Validates a checkpoint, which another version may have written. */
function isPassesCheckpoint(value: unknown): value is PassesCheckpoint {
  return Array.isArray((value as Partial<PassesCheckpoint> | null | undefined)?.passes)
}

/**
 * Stops the tasks of a job that have not begun. Tasks that have begun, or that another job pays for, go on. Tries all
 * tasks, then throws the first error.
 */
export async function stopTasks(
  job: string,
  { recognisers, checkpoints }: { recognisers: FileRecogniser[]; checkpoints: Checkpoints },
  signal: AbortSignal,
): Promise<void> {
  const saved = await checkpoints.get(passesCheckpointKey(job))
  if (!isPassesCheckpoint(saved) || saved.passes.length === 0) return
  const stopping = saved.passes.map(async ({ model, key }) => {
    const pass = await checkpoints.get(key)
    const { task } = (pass ?? {}) as { task?: unknown }
    const recogniser = recognisers.find(one => one.model === model)
    if (typeof task === 'string' && checkpoints.isFromThisJob(pass)) await recogniser?.cancel(task, signal)
  })
  const failed = (await Promise.allSettled(stopping)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  await checkpoints.put(passesCheckpointKey(job), { passes: [] } satisfies PassesCheckpoint)
}
