// transcribe_audio: a recording becomes text, within this call or after it.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { seconds, type Transcript } from '../../domain/transcript.ts'
import { plainText, timedText } from '../../exports/readable.ts'
import { waitSeconds } from '../inputs.ts'
import { transcriptAnswer, transcriptOutput } from '../result.ts'
import { defineTool } from '../tool.ts'

export const transcribeAudio = defineTool({
  name: 'transcribe_audio',
  title: 'Transcribe audio',
  description: [
    'Turn a recording of speech (meeting, interview, voice note, film) into text.',
    'Use this when someone wants to know what was said in an audio or video file.',
    'Takes any audio or video format and any length, in 52 languages and dialects; silence is not sent or billed.',
    'The answer holds the first page of the text (about 8,000 tokens) and says how to read on with get_transcript;',
    'times are seconds from the start, estimated from speech activity.',
    'A long recording may answer with status running and the text so far: the work goes on, and get_transcript waits for more.',
    'The same recording and options are never billed twice: calling again goes on, or answers at once.',
    'Example: {"audio": "~/Recordings/standup.m4a", "language": "en", "context": "Anja, Kubernetes, OKR"}',
  ].join(' '),
  input: z.object({
    audio: z
      .string()
      .describe(
        'The recording: a path on the machine the server runs on, an https:// address, or a data: URI of at most 1 MB. Files attached to a chat are not visible to the server',
      ),
    language: z
      .string()
      .max(60)
      .optional()
      .describe(
        'ISO code or English name of the language spoken; leave out to detect it, also where it changes',
      ),
    context: z
      .string()
      .max(10_000)
      .optional()
      .describe('Names, terms and topics to expect, in any form; they are then spelled right more often'),
    timestamps: z
      .enum(['none', 'segment', 'word'])
      .default('segment')
      .describe('none: text without times; word: also times for each word in the json export'),
    title: z.string().max(200).optional().describe('What to call the transcript; otherwise the file name'),
    wait_seconds: waitSeconds,
  }),
  output: transcriptOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler({ audio, language, context, timestamps, title, wait_seconds }, call) {
    const { jobs, owner, signal } = call
    const order = {
      audio,
      timestamps,
      ...(language && { language }),
      ...(context && { context }),
      ...(title && { title }),
    }
    const { job, answered } = await jobs.submit(order, { owner, signal })
    const wait = { owner, signal, seconds: wait_seconds ?? call.waitSeconds }
    ensureGood(await jobs.watch(job.id, { ...wait, departure: call.departure, onProgress: call.progress }))
    const made = await jobs.read(owner, job.id)
    const transcript = answered ? atNoCost(made) : made
    return timestamps === 'none'
      ? transcriptAnswer(transcript, { text: plainText(transcript), view: 'raw' })
      : transcriptAnswer(transcript, { text: timedText(transcript), view: 'text' })
  },
})

function ensureGood({ state, error }: Job): void {
  if (state === 'cancelled')
    throw new SpeechError('CANCELLED', 'Somebody cancelled this transcription while it was under way.', {
      hint: 'Call transcribe_audio again to go on; what is finished is not billed again.',
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
