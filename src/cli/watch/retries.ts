// Recordings that a watch tries again: the provider could not be reached, and may be back by then.
import type { RecordingResult } from '../batch/report.ts'

const retryMs = 60_000

/** Times are in milliseconds of one clock. */
export function createRetries() {
  /** By path: when to try. */
  const times = new Map<string, number>()
  return {
    /** Of several recordings, the first meets the error, and the others wait. */
    add({ audio, outcome, error }: Pick<RecordingResult, 'audio' | 'outcome' | 'error'>, now: number): void {
      if (error?.code === 'PROVIDER_UNREACHABLE' || outcome === 'waiting') times.set(audio, now + retryMs)
    },
    /** Those whose time has come; each once for every `add`. */
    take(now: number): string[] {
      const due = [...times].filter(([, at]) => at <= now).map(([audio]) => audio)
      for (const audio of due) times.delete(audio)
      return due
    },
  }
}
