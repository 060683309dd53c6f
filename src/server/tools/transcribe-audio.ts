// transcribe_audio: a recording becomes text, within this call or after it.
import * as z from 'zod/v4'
import { plainText, timedText } from '../../formats/readable.ts'
import { recording, waitSeconds } from '../inputs.ts'
import { carryOut } from '../ordering.ts'
import { transcriptAnswer, transcriptOutput } from '../results/transcript.ts'
import { defineTool } from '../tool.ts'

const { audio, language, format, title } = recording

export const transcribeAudio = defineTool({
  name: 'transcribe_audio',
  title: 'Transcribe audio',
  description: [
    'Turn a recording of speech (interview, voice note, film) into text.',
    'Use this when someone wants to know what was said in an audio or video file; for who said it, use diarize_audio.',
    'Takes any audio or video format and any length, in 52 languages and dialects; silence is not sent or billed.',
    'The answer holds the first page of the text (about 8,000 tokens) and says how to read on with get_transcript;',
    'times are seconds from the start, and the answer says whether they were measured or estimated.',
    'A long one may answer with status running and the text so far: the work goes on, and get_transcript waits for more.',
    'The same recording and options are never billed twice: calling again goes on, or answers at once.',
    'Example: {"audio": "~/Recordings/standup.m4a", "language": "en", "context": "Anja, Kubernetes, OKR"}',
  ].join(' '),
  input: z.object({
    audio,
    language,
    context: z
      .string()
      .max(10_000)
      .optional()
      .describe('Names, terms and topics to expect, in any form; they are then spelled right more often'),
    timestamps: z
      .enum(['none', 'segment', 'word'])
      .optional()
      .describe(
        'Usually left out. none: text without times; segment, word: measured times where the server has a bucket (slower); word: also for each word, in the json view',
      ),
    format,
    title,
    wait_seconds: waitSeconds,
  }),
  output: transcriptOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler({ audio, language, context, timestamps, format, title, wait_seconds }, call) {
    const order = {
      audio,
      ...(language && { language }),
      ...(context && { context }),
      ...(timestamps && { timestamps }),
      ...(format && { format: 'faithful' as const }),
      ...(title && { title }),
    }
    const tool = 'transcribe_audio'
    const { transcript, ...more } = await carryOut(order, tool, call, wait_seconds)
    return timestamps === 'none'
      ? transcriptAnswer(transcript, { tool, text: plainText(transcript), view: 'plain', ...more })
      : transcriptAnswer(transcript, { tool, text: timedText(transcript), view: 'text', ...more })
  },
})
