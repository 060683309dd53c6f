// transcribe_audio: a recording becomes text.
import * as z from 'zod/v4'
import { plainText, timedText } from '../../exports/readable.ts'
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
    'times are seconds from the start, estimated from speech activity. Each call is billed anew: for a recording',
    'that is transcribed already, use get_transcript.',
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
  }),
  output: transcriptOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  async handler({ audio, language, context, timestamps, title }, { jobs, signal, progress }) {
    const order = {
      audio,
      timestamps,
      ...(language && { language }),
      ...(context && { context }),
      ...(title && { title }),
    }
    const transcript = await jobs.transcribe(order, { signal, onProgress: progress })
    return timestamps === 'none'
      ? transcriptAnswer(transcript, { text: plainText(transcript), view: 'raw' })
      : transcriptAnswer(transcript, { text: timedText(transcript), view: 'text' })
  },
})
