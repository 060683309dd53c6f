// Draft of a transcript while its job runs: shown to readers, and saved from time to time.
import type { Progress } from '../../domain/job.ts'
import type { Transcript, TranscriptStatus } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import type { Findings } from '../../pipeline/pipeline.ts'
import type { JobBasis } from '../context.ts'
import { emptyTranscript, transcriptView, withJobState } from '../view/transcript-view.ts'
import type { LeasedJob } from './leased-job.ts'

export type Draft = ReturnType<typeof createDraft>

const saveIntervalMs = 1_000
/** A long text is not saved for every chunk: either it has grown by this factor, or this much time has passed. */
const minSaveGrowth = 1.1
const maxUnsavedMs = 10_000

export function createDraft(leased: LeasedJob, { repository, changes }: JobBasis) {
  const { owner, id } = leased.job()
  const before = repository.getTranscript(owner, id).catch(() => undefined)
  const warnings = new Set<string>()
  let progress: Progress = { done: 0, message: 'Starting' }
  let findings: (() => Findings | Promise<Findings>) | undefined
  /** Built last; undefined while this attempt is in no list. */
  let saved: Transcript | undefined
  let lastSave = { done: 0, at: performance.now() }
  let saving: Promise<unknown> = Promise.resolve()
  let isStopped = false
  let isAnswered = false
  const saver = setInterval(() => {
    saving = saving.then(saveIfDue).catch(error => log.error('not-saved', { id, error: error?.name }))
  }, saveIntervalMs)

  async function saveIfDue(): Promise<void> {
    if (!findings || isStopped) return
    const hasGrown = progress.done >= lastSave.done * minSaveGrowth
    if (!hasGrown && performance.now() - lastSave.at < maxUnsavedMs) return
    lastSave = { done: progress.done, at: performance.now() }
    await save('running', await findings())
  }

  /** Saves the findings, unless an earlier attempt had more, or the job is no longer held. Throws `STORE_*`, `DISK_FULL`. */
  async function save(status: TranscriptStatus, found: Findings, ...more: string[]): Promise<void> {
    const earlier = await before
    // A new attempt must not overwrite a longer transcript of an earlier attempt.
    const isLonger = found.coverage.transcribedSeconds > (earlier?.coverage.transcribedSeconds ?? -1)
    if (!isLonger && status !== 'completed' && status !== 'partial') return
    if (!(await leased.isHeld())) return
    const isNew = !saved
    saved = transcriptView(leased.job(), { ...found, status }, [...warnings, ...more])
    await repository.saveTranscript(owner, saved)
    changes.publish({ owner, id, listChanged: isNew })
  }

  function report(update: Progress): void {
    progress = isAnswered ? { ...update, isAnswered } : update
    changes.progressed(owner, id)
  }

  return {
    progress: () => progress,
    report,
    answered(): void {
      if (isAnswered) return
      isAnswered = true
      report(progress)
    },
    warn: (sentence: string) => void warnings.add(sentence),
    /** Sets the function that returns the findings so far. */
    setFindings(soFar: () => Findings | Promise<Findings>): void {
      findings = soFar
      changes.publish({ owner, id, listChanged: false })
    },
    /** Undefined before anything was found. */
    findings: async () => findings?.(),
    /** The transcript so far. */
    async transcript(): Promise<Transcript> {
      const found = await findings?.()
      if (found) return transcriptView(leased.job(), found, [...warnings])
      const earlier = await before
      return earlier ? withJobState(leased.job(), earlier) : emptyTranscript(leased.job())
    },
    /** The transcript that was built by the last `save`, stored or not. */
    saved: () => saved,
    save,
    /** Gives the fragment of an earlier attempt its final status; deletes what only this attempt wrote. */
    async discardFragment(status: 'failed' | 'cancelled'): Promise<void> {
      const earlier = await before
      if (!(await leased.isHeld())) return
      if (earlier?.status === 'running') await repository.saveTranscript(owner, { ...earlier, status })
      else if (saved && !earlier) await repository.deleteTranscript(owner, id)
    },
    /** Saves again if the title or a name was changed during the last save. */
    async applyNames(): Promise<void> {
      if (!saved) return
      const { id: _, createdAt, warnings, ...found } = saved
      const renamed = transcriptView(leased.job(), found, warnings)
      const namesOf = ({ title, speakers }: Transcript) => JSON.stringify([title, speakers])
      if (namesOf(renamed) !== namesOf(saved)) await repository.saveTranscript(owner, renamed)
    },
    /** Ends the periodic saves. */
    async stopSaving(): Promise<void> {
      isStopped = true
      clearInterval(saver)
      await saving
    },
  }
}
