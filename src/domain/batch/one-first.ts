// Runs the recordings of a batch some at a time; the first ones alone, until the provider has answered one of them.
import type { JobTool, Progress, TranscriptionRequest } from '../job.ts'
import type { PlannedRecording } from './batch.ts'

/**
 * A wrong key is refused once, not for each recording under way: `run` calls `onAnswered` where an answer has come, and
 * then others begin. Recordings that cost nothing do not wait for that.
 */
export async function runOneFirst<Recording extends Pick<PlannedRecording, 'state'>>(
  recordings: readonly Recording[],
  concurrency: number,
  run: (recording: Recording, onAnswered: () => void) => Promise<void>,
): Promise<void> {
  const free = recordings.filter(({ state }) => state === 'done').values()
  const paid = recordings.filter(({ state }) => state !== 'done').values()
  const others: Promise<void>[] = []
  await Promise.all(Array.from({ length: concurrency }, () => runAll(free, () => {})))
  try {
    await runAll(paid, beginOthers)
  } finally {
    await Promise.all(others)
  }

  async function runAll(from: Iterable<Recording>, onAnswered: () => void): Promise<void> {
    for (const recording of from) await run(recording, onAnswered)
  }

  function beginOthers(): void {
    while (others.length < concurrency - 1) {
      const other = runAll(paid, () => {})
      // It may fail before it is awaited.
      other.catch(() => {})
      others.push(other)
    }
  }
}

/** True where the progress of a recording shows that the provider has taken it. */
export function hasAnswer(
  tool: JobTool,
  { timestamps = 'none' }: Pick<TranscriptionRequest, 'timestamps'>,
  { done, total }: Progress,
): boolean {
  // The first half of these is the upload.
  const isUploaded = tool === 'diarize_audio' || timestamps !== 'none'
  return isUploaded ? total !== undefined && done > total / 2 : done > 0
}
