// Orders from the front become transcripts in the store.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cancelled, describeError, isSpeechError, SpeechError } from '../domain/errors.ts'
import type { Order, Progress, Run } from '../domain/job.ts'
import type { Store, TranscriptPage } from '../domain/ports.ts'
import type { Transcript } from '../domain/transcript.ts'
import { log } from '../log.ts'
import { describeFileError } from '../pipeline/paths.ts'
import { type PipelinePorts, transcribe } from '../pipeline/transcribe.ts'

export interface Watch {
  /** Aborting it stops ffmpeg and the requests. */
  signal: AbortSignal
  onProgress?: (progress: Progress) => void
}

export interface Jobs {
  /** Resolves with the stored transcript; throws `SpeechError`, or the signal's reason. */
  transcribe(order: Order, watch: Watch): Promise<Transcript>
  /** Throws `TRANSCRIPT_NOT_FOUND`. */
  get(id: string): Promise<Transcript>
  list(options: { limit: number; cursor?: string }): Promise<TranscriptPage>
  /** Stops what runs, and resolves when nothing of it is left. */
  close(): Promise<void>
}

export interface JobsOptions {
  pipeline: PipelinePorts
  store: Store
  /** Folder under which each order gets a scratch folder. */
  scratchDir: string
}

/** How many transcripts that could not be stored are kept at hand until the process ends. */
const mostUnsaved = 20

export function createJobs({ pipeline, store, scratchDir }: JobsOptions): Jobs {
  const unsaved = new Map<string, Transcript>()
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  async function keep(transcript: Transcript): Promise<Transcript> {
    try {
      await store.putTranscript(transcript)
      return transcript
    } catch (error) {
      // The words are paid for: hand them out, and say that they are nowhere else.
      log.error('transcript-not-stored', {
        id: transcript.id,
        code: isSpeechError(error) ? error.code : 'INTERNAL',
      })
      const warning = `The transcript could not be stored and is lost when the server ends. ${describeError(error)}`
      const kept = { ...transcript, warnings: [...transcript.warnings, warning] }
      unsaved.set(kept.id, kept)
      if (unsaved.size > mostUnsaved) unsaved.delete(unsaved.keys().next().value!)
      return kept
    }
  }

  async function perform(order: Order, { signal, onProgress }: Watch): Promise<Transcript> {
    const id = newId()
    const warnings = new Set<string>()
    const folder = join(scratchDir, id)
    let made: Promise<string> | undefined
    const run: Run = {
      signal: AbortSignal.any([signal, closing.signal]),
      scratch: () => (made ??= makeFolder(folder)),
      progress: update => onProgress?.(update),
      warn: sentence => void warnings.add(sentence),
    }
    const started = performance.now()
    try {
      const findings = await transcribe(order, pipeline, run)
      const transcript = { id, createdAt: new Date().toISOString(), ...findings, warnings: [...warnings] }
      const took = Math.round(performance.now() - started)
      log.info('transcribed', { id, seconds: findings.duration, took })
      return await keep(transcript)
    } finally {
      // A folder that stays behind is swept later; it must not cost the transcript.
      if (made)
        await rm(folder, { recursive: true, force: true }).catch(() =>
          log.warn('scratch-not-removed', { id }),
        )
    }
  }

  return {
    transcribe(order, watch) {
      const work = perform(order, watch)
      running.add(work)
      work.catch(() => {}).finally(() => running.delete(work))
      return work
    },
    async get(id) {
      const found = unsaved.get(id) ?? (await store.getTranscript(id))
      if (found) return found
      throw new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no transcript with this id.', {
        hint: 'Ids look like tr_…; `speech-mcp export` lists the newest, or transcribe the recording again.',
      })
    },
    list: options => store.listTranscripts(options),
    async close() {
      closing.abort(cancelled())
      await Promise.allSettled(running)
    },
  }
}

/** What a killed process has left behind goes when it is a day old; no order takes that long. */
const leftoverAge = 24 * 3600 * 1000

async function sweep(scratchDir: string): Promise<void> {
  for (const name of await readdir(scratchDir).catch(() => [])) {
    const folder = join(scratchDir, name)
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > leftoverAge) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await sweep(dirname(folder))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch (error) {
    throw describeFileError(error)
  }
}

/** 80 random bits in lower case: nobody guesses another's. */
function newId(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  return `tr_${[...randomBytes(16)].map(byte => alphabet[byte & 31]).join('')}`
}
