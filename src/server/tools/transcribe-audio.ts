// transcribe_audio: turns a recording into text, within the call or after it.
import * as z from 'zod/v4'
import { plainText, timedText } from '../../formats/text.ts'
import { recording, waitSeconds } from '../inputs.ts'
import { transcriptAnswer, transcriptOutput } from '../results/transcript.ts'
import { defineTool } from '../tool.ts'
import { transcribeForTool } from '../transcribe.ts'

export const transcribeAudio = defineTool({
  name: 'transcribe_audio',
  title: 'Transcribe audio',
  description: [
    'Transcribe speech in an audio or video recording (interview, voice note, film).',
    'Use this when the user wants to know what was said; to know who said it, use diarize_audio.',
    'Accepts any format and length, 52 languages and dialects. Silence is not sent or billed.',
    'Returns the first page (about 8,000 tokens); get_transcript returns the next.',
    'Times are seconds from the start; the result says whether they are measured.',
    'Long recordings may return status running and the text so far: get_transcript waits for more.',
    'The same call is never billed twice: it resumes or returns at once.',
    'Example: {"audio": "~/Recordings/standup.m4a", "language": "en", "context": "Anja, Kubernetes, OKR"}',
  ].join(' '),
  input: z.object({
    audio: recording.audio,
    language: recording.language,
    context: recording.context,
    timestamps: z
      .enum(['none', 'segment', 'word'])
      .optional()
      .describe(
        'Usually omitted. none: text without times; segment, word: measured times if the server has a bucket (slower); word: also per word, in the json view',
      ),
    track: recording.track,
    format: recording.format,
    title: recording.title,
    allow_unsaved: recording.allow_unsaved,
    wait_seconds: waitSeconds,
  }),
  output: transcriptOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler(given, call) {
    const { transcript, ...more } = await transcribeForTool('transcribe_audio', given, call)
    return given.timestamps === 'none'
      ? transcriptAnswer(transcript, { text: plainText(transcript), view: 'plain', ...more })
      : transcriptAnswer(transcript, { text: timedText(transcript), view: 'text', ...more })
  },
})
