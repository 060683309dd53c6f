// Runs one or two passes over one upload concurrently; each resumes from its checkpoints.
import { setMaxListeners } from 'node:events'
import { type ErrorCode, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { PipelineRequest } from '../../domain/job.ts'
import type { Replaced } from '../../domain/models/successors.ts'
import type { FileRecogniser, FileRecognition } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { mapInTurns } from '../../domain/waiting/turns.ts'
import { log } from '../../log.ts'
import { delaySeconds } from '../audio/encode.ts'
import { echoWarning, isEcho } from '../chunks/echo.ts'
import type { PipelinePorts } from '../pipeline.ts'
import type { Source } from '../source/source.ts'
import { givesBoth, isDone, isIntent, type Pass, type PlannedPass, planPass } from './candidates.ts'
import { savePasses } from './own-tasks.ts'
import { billOf, type PassTools, runPass } from './pass.ts'
import { type AudioScan, createUploadSession, reserveFor, type UploadSession } from './upload.ts'

/** Result of a pass: its recognition or its error; neither while it runs. */
export interface PassResult extends Replaced {
  /** The model that has answered, or else the one that is asked. */
  recogniser: FileRecogniser
  /** True where its task is that of the other pass. */
  isShared: boolean
  recognition?: FileRecognition
  error?: SpeechError
  /** Seconds that this job pays for, and that another one has paid for. */
  sent: number
  cached: number
  /** US dollars that this job pays; absent if unknown. */
  costUsd?: number
}

export interface PassResults extends AudioScan {
  /** In the order of the passes. */
  passes: PassResult[]
}

export interface PassOptions {
  request: PipelineRequest
  source: Source
  ports: PipelinePorts
  run: Run
  /** Called after each pass, with the results so far. */
  onPassDone: (soFar: PassResults) => void
}

/** These errors end the job at once: no other request would succeed. */
const fatalCodes = new Set<ErrorCode>(['KEY_MISSING', 'KEY_REFUSED', 'ACCOUNT_IN_ARREARS'])
/** After these errors of a model the other pass needs one of its own. */
const modelCodes = new Set<ErrorCode>(['MODEL_NOT_FOUND', 'ACCESS_DENIED', 'FREE_TIER_USED_UP'])
const cleanupTimeoutMs = 10_000

const nothingPaid = { sent: 0, cached: 0, costUsd: 0 }

/** Tasks that this job pays for, by the number of the pass that waits for them. */
type OwnTasks = Map<number, { recogniser: FileRecogniser; task: string }>

/**
 * Resolves when all passes have ended; a failed pass does not end the others. A pass whose work the model of another one
 * does as well waits for that one and shares its task. Throws the first error where all fail. Leaves nothing in the cloud,
 * unless another process continues the job.
 */
export async function runPasses(
  passes: Pass[],
  { request, source, ports, run: outer, onPassDone }: PassOptions,
): Promise<PassResults> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  setMaxListeners(0, run.signal)
  const found = await Promise.all(passes.map(pass => planPass(pass, request, run)))
  const leader = found.findLastIndex(({ leading }) => givesBoth(leading))
  const waits = (i: number) => leader >= 0 && i !== leader
  const part = run.budget.open()
  const upload = await createUploadSession(source, ports, run, part)
  const tasks: OwnTasks = new Map()
  let running: Promise<void>[] = []
  try {
    const scan = await scanOnce(
      found.filter((_, i) => !waits(i)),
      upload,
    )
    const planned = found.map(pass => withValidCheckpoints(pass, scan))
    const results = planned.map((pass, i): PassResult => {
      const recogniser = waits(i) ? planned[leader]!.leading! : leadingOf(pass)
      return { recogniser, ...inPlaceOf(pass, leadingOf(pass)), isShared: waits(i), ...nothingPaid }
    })
    let leaderEnd = Promise.resolve()
    const shared: PassTools['shared'] = new Map()
    const onPoll = createWaitReporter(scan.duration, run)
    const timeoutSeconds = ports.taskTimeoutSeconds(scan.duration)
    const { pollSeconds, limitSubmits } = ports

    async function runOwn(pass: PlannedPass, i: number): Promise<PassResult> {
      const onAsk = async (recogniser: FileRecogniser) => {
        results[i] = { ...results[i]!, recogniser, isShared: false }
        // A successor may cost more than the model that the upload was checked for.
        const paid = results.filter(({ cached, error, isShared }) => cached === 0 && !error && !isShared)
        const models = paid.map(({ recogniser }) => recogniser)
        await reserveFor(models, scan.duration, part, run.budget)
      }
      const onOwnTask = (recogniser: FileRecogniser, task: string) => void tasks.set(i, { recogniser, task })
      const callbacks = { onPoll, onAsk, onOwnTask }
      const times = { seconds: scan.duration, pollSeconds, timeoutSeconds }
      const tools = { upload, run, shared, part, limitSubmits, ...times, ...callbacks }
      const result = await resultOf(pass, tools, scan)
      tasks.delete(i)
      return result
    }

    async function start(pass: PlannedPass, i: number): Promise<void> {
      if (waits(i)) await leaderEnd
      const { recogniser, recognition, error } = results[Math.max(0, leader)]!
      const isShared = waits(i) && (error ? !modelCodes.has(error.code) : givesBoth(recogniser))
      results[i] = isShared
        ? { ...results[i]!, recogniser, ...(error ? { error } : { recognition }) }
        : await runOwn(pass, i)
      onPassDone({ ...scan, passes: [...results] })
    }

    // A recording without speech is not sent.
    if (scan.speech.length > 0 || scan.lost) {
      await savePasses(planned, run)
      if (leader >= 0) leaderEnd = start(planned[leader]!, leader)
      running = planned.map((pass, i) => (i === leader ? leaderEnd : start(pass, i)))
      await Promise.all(running)
    } else for (const result of results) result.recognition = { sentences: [], seconds: 0 }
    const failures = results.flatMap(({ recognition, error }) => (!recognition && error ? [error] : []))
    if (failures.length === passes.length) throw failures[0]
    return { ...scan, passes: results }
  } finally {
    stop.abort()
    await Promise.allSettled(running)
    part.close()
    if (!outer.continuesElsewhere()) await cleanUp(tasks, upload)
  }
}

/** Where all models are gone, the first one stands for them. */
function leadingOf({ leading, recognisers }: PlannedPass): FileRecogniser {
  return leading ?? recognisers.members[0]!
}

function inPlaceOf({ recognisers }: Pass, { model }: FileRecogniser): Pick<PassResult, 'inPlaceOf'> {
  const first = recognisers.members[0]!.model
  return first === model ? {} : { inPlaceOf: first }
}

/** Uploads the recording only for passes that have to be submitted. */
async function scanOnce(passes: PlannedPass[], upload: UploadSession): Promise<AudioScan> {
  const toSubmit = passes.filter(({ begun: [first] }) => !first || isIntent(first))
  const recognisers = toSubmit.flatMap(({ leading }) => leading ?? [])
  return recognisers.length > 0 ? upload.ensureUploaded(recognisers) : upload.scan()
}

/** Gives a recording that was decoded in part keys of its own, as its result is not that of the whole. */
function withValidCheckpoints(pass: PlannedPass, { lost, duration }: AudioScan): PlannedPass {
  if (lost === undefined) return pass
  const candidates = pass.candidates.map(candidate =>
    isDone(candidate)
      ? candidate
      : { ...candidate, key: `${candidate.key}:${duration}`, checkpoint: undefined },
  )
  return { ...pass, candidates, begun: pass.begun.filter(isDone) }
}

async function resultOf(
  pass: PlannedPass,
  tools: PassTools,
  { duration, speech }: AudioScan,
): Promise<PassResult> {
  let asked = leadingOf(pass)
  const onAsk = (recogniser: FileRecogniser) => {
    asked = recogniser
    return tools.onAsk(recogniser)
  }
  try {
    const { recogniser, recognition: answer, paidBy, firstError } = await runPass(pass, { ...tools, onAsk })
    const recognition = await withoutEchoes(await onOurClock(answer), pass.context, speech, tools.run)
    const { seconds, costUsd } = billOf(recogniser, answer, duration)
    const model = { recogniser, ...inPlaceOf(pass, recogniser), firstError }
    const facts = { ...model, isShared: paidBy === 'shared', recognition }
    if (paidBy === 'others') return { ...facts, ...nothingPaid, cached: seconds }
    if (paidBy === 'shared') return { ...facts, ...nothingPaid }
    return { ...facts, sent: seconds, cached: 0, ...(costUsd !== undefined && { costUsd }) }
  } catch (error) {
    tools.run.signal.throwIfAborted()
    if (!isSpeechError(error) || fatalCodes.has(error.code)) throw error
    log.warn('pass-failed', { id: tools.run.job, model: asked.model, code: error.code })
    return { recogniser: asked, isShared: false, error, ...nothingPaid }
  }
}

/** The provider hears our MP3, which decoders play late. */
async function onOurClock({ sentences, ...recognition }: FileRecognition): Promise<FileRecognition> {
  const delay = delaySeconds('recording')
  const earlier = (time: number) => roundToMs(Math.max(0, time - delay))
  const shift = <Timed extends Span>(timed: Timed): Timed => ({
    ...timed,
    start: earlier(timed.start),
    end: earlier(timed.end),
  })
  return {
    ...recognition,
    sentences: await mapInTurns(sentences, sentence => {
      const { words } = sentence
      return { ...shift(sentence), ...(words && { words: words.map(shift) }) }
    }),
  }
}

async function withoutEchoes(
  { sentences, ...recognition }: FileRecognition,
  context: string | undefined,
  speech: Span[],
  run: Run,
): Promise<FileRecognition> {
  if (!context) return { ...recognition, sentences }
  const speechIn = (span: Span) => speech.filter(({ start, end }) => start < span.end && end > span.start)
  const areEchoes = await mapInTurns(sentences, sentence =>
    isEcho(sentence.text, context, speechIn(sentence)),
  )
  const echoes = sentences.filter((_, i) => areEchoes[i])
  if (echoes.length > 0) run.warn(echoWarning(echoes.map(({ start }) => start)))
  return { ...recognition, sentences: sentences.filter((_, i) => !areEchoes[i]) }
}

/** Stops tasks that have not begun; a task that has goes on, and the same request later fetches its result. */
async function cleanUp(tasks: OwnTasks, upload: UploadSession): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs)
  const stopping = [...tasks.values()].map(({ recogniser, task }) =>
    recogniser.cancel(task, signal).catch(() => {}),
  )
  await Promise.all([...stopping, upload.delete()])
}

/** Reports progress of a task, which is unknown: the second half, after the upload, approaches its end asymptotically. */
function createWaitReporter(duration: number, run: Run): () => void {
  const started = performance.now()
  return () => {
    const waitedSeconds = (performance.now() - started) / 1000
    const share = 1 - Math.exp(-waitedSeconds / (10 + duration / 30))
    run.progress({ done: (duration * (1 + share)) / 2, total: duration, message: 'Waiting for the provider' })
  }
}
