// What there is of a transcript while it is made: shown to whoever asks, and written down from time to time.
import type { Progress } from '../../domain/job.ts'
import type { Transcript, TranscriptStatus } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import type { Findings } from '../../pipeline/transcribe.ts'
import type { Changes } from '../records/changes.ts'
import type { Ledger } from '../records/job-repository.ts'
import { asOf, assemble, emptyTranscript } from '../view/transcript-view.ts'
import type { Fence } from './leased-job.ts'

export interface Draft {
  progress(): Progress
  moved(progress: Progress): void
  warn(sentence: string): void
  /** `findings` gives what there is so far, whenever it is asked. */
  found(findings: () => Findings): void
  /** What was found so far; undefined before anything was. */
  findings(): Findings | undefined
  transcript(): Promise<Transcript>
  /** Writes down what there is, unless there was more of it before, or the job is another worker's. */
  save(status: TranscriptStatus, findings: Findings, ...warnings: string[]): Promise<void>
  /** What an attempt that died has left is all there is; what this one has written in vain goes. */
  dropFragment(status: 'failed' | 'cancelled'): Promise<void>
  /** Writes once more what was given another name while it was written. */
  rename(): Promise<void>
  /** Nothing more is written by itself. */
  quiet(): Promise<void>
}

/** Milliseconds from the start to the first write of what there is, and between two of them. */
const savingInterval = 1_000
/** Of hours of text not every chunk is worth writing all of it anew: so much must have come, or so much time be over. */
const savingGrowth = 1.1
const longestUnsaved = 10_000

export function createDraft(fence: Fence, { ledger, changes }: { ledger: Ledger; changes: Changes }): Draft {
  const { owner, id } = fence.job()
  const before = ledger.transcript(owner, id).catch(() => undefined)
  const warnings = new Set<string>()
  let progress: Progress = { done: 0, message: 'Starting' }
  let findings: (() => Findings) | undefined
  /** What was written last; undefined while others have nothing in their lists of this attempt. */
  let written: Transcript | undefined
  let saved = { done: 0, at: performance.now() }
  let saving: Promise<unknown> = Promise.resolve()
  let done = false
  const saver = setInterval(() => {
    saving = saving.then(saveSoFar).catch(error => log.error('not-saved', { id, error: error?.name }))
  }, savingInterval)

  async function saveSoFar(): Promise<void> {
    if (!findings || done) return
    const isDue = progress.done >= saved.done * savingGrowth || performance.now() - saved.at >= longestUnsaved
    if (!isDue) return
    saved = { done: progress.done, at: performance.now() }
    await save('running', findings())
  }

  async function save(status: TranscriptStatus, found: Findings, ...more: string[]): Promise<void> {
    const earlier = await before
    // An order that starts again must not take away what an earlier attempt has found.
    const isMore = found.coverage.transcribedSeconds > (earlier?.coverage.transcribedSeconds ?? -1)
    if (!isMore && status !== 'completed' && status !== 'partial') return
    if (!(await fence.isOurs())) return
    const isNew = !written
    written = assemble(fence.job(), { ...found, status }, [...warnings, ...more])
    await ledger.keep(owner, written)
    changes.tell({ owner, id, listChanged: isNew })
  }

  return {
    progress: () => progress,
    moved(update) {
      progress = update
      changes.moved(owner, id)
    },
    warn: sentence => void warnings.add(sentence),
    found(soFar) {
      findings = soFar
      changes.tell({ owner, id, listChanged: false })
    },
    findings: () => findings?.(),
    async transcript() {
      if (findings) return assemble(fence.job(), findings(), [...warnings])
      const earlier = await before
      return earlier ? asOf(fence.job(), earlier) : emptyTranscript(fence.job())
    },
    save,
    async dropFragment(status) {
      const earlier = await before
      if (!(await fence.isOurs())) return
      if (earlier?.status === 'running') await ledger.keep(owner, { ...earlier, status })
      else if (written && !earlier) await ledger.drop(owner, id)
    },
    async rename() {
      if (!written) return
      const { id: _, createdAt, warnings, ...found } = written
      const renamed = assemble(fence.job(), found, warnings)
      if (
        JSON.stringify([renamed.title, renamed.speakers]) !==
        JSON.stringify([written.title, written.speakers])
      )
        await ledger.keep(owner, renamed)
    },
    async quiet() {
      done = true
      clearInterval(saver)
      await saving
    },
  }
}
