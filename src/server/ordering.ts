// What the tools do that take a recording: place the order, wait for it, and read what has become of it.
import { SpeechError } from '../domain/errors.ts'
import type { Job, JobTool, Order } from '../domain/job.ts'
import { seconds, type Transcript } from '../domain/transcript.ts'
import type { Call } from './tool.ts'

/** Waits as long as the call does; throws what the job failed with. */
export async function carryOut(
  order: Order,
  tool: JobTool,
  call: Call,
  wait = call.waitSeconds,
): Promise<Transcript> {
  const { jobs, owner, signal, departure, progress } = call
  const { job, answered } = await jobs.submit(order, { tool, owner, signal })
  const watch = { owner, signal, seconds: wait, departure, onProgress: progress }
  ensureGood(await jobs.watch(job.id, watch))
  const made = await jobs.read(owner, job.id)
  return answered ? atNoCost(made) : made
}

function ensureGood({ state, error, tool }: Job): void {
  if (state === 'cancelled')
    throw new SpeechError('CANCELLED', 'Somebody cancelled this transcription while it was under way.', {
      hint: `Call ${tool} again to go on; what is finished is not billed again.`,
    })
  if (state === 'failed' && error) throw new SpeechError(error.code, error.message, { hint: error.hint })
}

/** What this call cost, which found the work done. */
function atNoCost(transcript: Transcript): Transcript {
  const { audioSeconds, cachedSeconds, costUsd } = transcript.usage
  const usage = {
    audioSeconds: 0,
    cachedSeconds: seconds(audioSeconds + cachedSeconds),
    ...(costUsd !== undefined && { costUsd: 0 }),
  }
  return { ...transcript, usage }
}
