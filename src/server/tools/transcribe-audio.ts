// transcribe_audio: turns a recording into text, within the call or after it.
import * as z from 'zod/v4'
import { plainText, timedText } from '../../formats/text.ts'
import { orChatFile, recording, waitSeconds } from '../inputs.ts'
import { transcribeForTool } from '../orders/transcribe.ts'
import { transcriptAnswer, transcriptOutput } from '../results/transcript.ts'
import { defineTool } from '../tool.ts'

const input = z.object({
  audio: recording.audio,
  language: recording.language,
  context: recording.context,
  timestamps: z
    .enum(['none', 'segment', 'word'])
    .optional()
    .describe(
      'Usually omitted. none: no times; segment, word: measured, if there is a bucket (slower); word: of each, in json and csv-words',
    ),
  track: recording.track,
  format: recording.format,
  title: recording.title,
  allow_unsaved: recording.allow_unsaved,
  confirm_usd: recording.confirm_usd,
  wait_seconds: waitSeconds,
})

export const transcribeAudio = defineTool({
  name: 'transcribe_audio',
  title: 'Transcribe audio',
  description: [
    'Transcribe speech in an audio or video recording.',
    'Use this when the user wants to know what was said; to know who said it, use diarize_audio.',
    'Any format and length, 52 languages. Returns the first page, with times in seconds from the start;',
    'get_transcript returns the next, and waits for more while status is running.',
    'Of a folder or several recordings it first returns a plan with the price; confirm_usd begins it.',
    'The same call is never billed twice: it resumes or returns at once.',
    'Example: {"audio": "~/Recordings/standup.m4a", "context": "Anja, Kubernetes, OKR"}',
  ].join(' '),
  input,
  fileInput: orChatFile(input),
  output: transcriptOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler(given, call) {
    return transcribeForTool('transcribe_audio', given, call, ({ transcript, ...more }) =>
      given.timestamps === 'none'
        ? transcriptAnswer(transcript, { text: plainText(transcript), view: 'plain', ...more })
        : transcriptAnswer(transcript, { text: timedText(transcript), view: 'text', ...more }),
    )
  },
})
