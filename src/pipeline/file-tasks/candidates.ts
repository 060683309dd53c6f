// The models that a pass may be asked of, with the checkpoint that an earlier attempt has left for each.
import type { SpeechError } from '../../domain/errors.ts'
import type { PipelineRequest } from '../../domain/job.ts'
import { contextFor } from '../../domain/models/context.ts'
import type { FileRecogniserList } from '../../domain/models/file-recogniser-list.ts'
import { languageRefusal } from '../../domain/models/successors.ts'
import type { FileRecogniser, FileRequest } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { textHash } from '../audio/fingerprint.ts'
import type { Candidate, PassCheckpoint } from './pass-context.ts'

export interface Pass {
  recognisers: FileRecogniserList
  /** ISO code; absent: detect. */
  language?: string
  /** Number of speakers, for the models that identify speakers. */
  speakers?: number
  /** Names and terms to expect. */
  context?: string
}

export interface PlannedPass extends Pass {
  /** In the order of preference. */
  candidates: Candidate[]
  /** Those that an earlier attempt has begun or finished, the furthest first: any of their results will do. */
  begun: Candidate[]
  /** The model that answers unless it fails; undefined where all are gone. */
  leading: FileRecogniser | undefined
}

export async function planPass(pass: Pass, request: PipelineRequest, run: Run): Promise<PlannedPass> {
  const available = (await pass.recognisers.available()).filter(one => !refusalOf(one, pass))
  const found = await Promise.all(
    pass.recognisers.members.map(async recogniser => {
      const options = optionsFor(recogniser, pass)
      const key = checkpointKey(recogniser, options, request, run)
      const { context: _, ...withoutContext } = options
      const earlierKey = checkpointKey(recogniser, withoutContext, request, run)
      const stored = (await run.checkpoints.get(key)) ?? (await moveOwnCheckpoint(earlierKey, key, run))
      return { recogniser, options, key, ...readCheckpoint(stored, run) }
    }),
  )
  const candidates = found.map((candidate, i) => {
    const isPreceded = found.slice(0, i).some(({ recogniser }) => available.includes(recogniser))
    // A result of another job from a later model does not replace a model that lives.
    return isPreceded && !candidate.isOwnCheckpoint ? { ...candidate, checkpoint: undefined } : candidate
  })
  const begun = [isDone, hasTask, isIntent].flatMap(stage => candidates.filter(stage))
  return { ...pass, candidates, begun, leading: begun[0]?.recogniser ?? available[0] }
}

export function isDone({ checkpoint }: Candidate): boolean {
  return checkpoint !== undefined && 'hearing' in checkpoint
}

function hasTask({ checkpoint }: Candidate): boolean {
  return checkpoint !== undefined && 'task' in checkpoint
}

export function isIntent({ checkpoint }: Candidate): boolean {
  return checkpoint !== undefined && 'intent' in checkpoint
}

/** True for a model whose one task gives what both passes are for. */
export function givesBoth(recogniser: FileRecogniser | undefined): boolean {
  return Boolean(recogniser?.capabilities.text && recogniser.capabilities.speakers)
}

/** The error of a successor that the recording is not for. */
export function refusalOf(
  recogniser: FileRecogniser,
  { recognisers, language }: Pass,
): SpeechError | undefined {
  return languageRefusal(recogniser, recognisers.members[0]!, language)
}

function optionsFor(
  { capabilities }: FileRecogniser,
  { language, speakers, context }: Pass,
): Omit<FileRequest, 'url'> {
  return {
    ...(language !== undefined && { language }),
    ...(capabilities.speakers && speakers !== undefined && { speakers }),
    ...(context !== undefined && { context }),
  }
}

/** Equal passes over a recording share a result among all jobs of an owner; without a hash, only within the job. */
function checkpointKey(
  { model, takes }: FileRecogniser,
  { language = '', speakers = 0, context }: Omit<FileRequest, 'url'>,
  { hash }: PipelineRequest,
  { job }: Run,
): string {
  const { text, vocabulary } = contextFor(model, takes, context)
  const hints = text || vocabulary ? [text ?? '', vocabulary ?? {}] : []
  return `pass:${textHash(JSON.stringify([hash ?? job, model, language, speakers, ...hints]))}`
}

/** The key of an earlier version lacked the context: what it began for this job is not paid again. */
async function moveOwnCheckpoint(from: string, to: string, { checkpoints }: Run): Promise<unknown> {
  const stored = from === to ? undefined : await checkpoints.get(from)
  if (!checkpoints.isFromThisJob(stored)) return undefined
  await checkpoints.put(to, stored)
  return stored
}

function readCheckpoint(
  value: unknown,
  { checkpoints }: Run,
): Pick<Candidate, 'checkpoint' | 'isOwnCheckpoint'> {
  const stored = value as
    | { intent?: unknown; task?: unknown; hearing?: { sentences?: unknown } }
    | null
    | undefined
  const isValid =
    typeof stored?.intent === 'number' ||
    typeof stored?.task === 'string' ||
    Array.isArray(stored?.hearing?.sentences)
  return {
    checkpoint: isValid ? (stored as PassCheckpoint) : undefined,
    isOwnCheckpoint: checkpoints.isFromThisJob(value),
  }
}
