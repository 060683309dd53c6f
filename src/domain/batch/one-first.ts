// Runs the recordings of a batch some at a time; the first ones alone, until the provider has answered one of them.
import type { PlannedRecording } from './batch.ts'

/** A slow first one, such as a long download, does not keep the others waiting for longer. */
const maxAloneMs = 30_000

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
  let answer = () => {}
  const isAnswered = new Promise<void>(resolve => (answer = resolve))
  let hasFailed = false
  const timer = setTimeout(answer, maxAloneMs)
  const others = Array.from({ length: concurrency - 1 }, async () => {
    await runAll(free)
    await isAnswered
    await runAll(paid)
  })
  const first = runAll(paid)
    .then(() => runAll(free))
    .finally(answer)
  const ends = await Promise.allSettled([first, ...others])
  clearTimeout(timer)
  const failure = ends.find(end => end.status === 'rejected')
  if (failure) throw failure.reason

  async function runAll(from: Iterable<Recording>): Promise<void> {
    try {
      for (const recording of from) if (!hasFailed) await run(recording, answer)
    } catch (error) {
      hasFailed = true
      throw error
    }
  }
}
