// diarize_audio: turns a recording of several people into text that says who said what.
import * as z from 'zod/v4'
import { timedText } from '../../formats/text.ts'
import { orChatFile, recording, waitSeconds } from '../inputs.ts'
import { transcribeForTool } from '../orders/transcribe.ts'
import { sameOutput, transcriptAnswer } from '../results/transcript.ts'
import { defineTool } from '../tool.ts'

const input = z.object({
  audio: recording.audio,
  language: recording.language,
  context: recording.context,
  speakers: z.number().int().min(2).max(100).optional().describe('How many, if known'),
  track: recording.track,
  format: recording.format,
  title: recording.title,
  allow_unsaved: recording.allow_unsaved,
  confirm_usd: recording.confirm_usd,
  wait_seconds: waitSeconds,
})

export const diarizeAudio = defineTool({
  name: 'diarize_audio',
  title: 'Transcribe with speakers',
  description: [
    'Transcribe a recording of several people (meeting, interview, call): lines like "[2:07] S1: …", or ?: if unknown.',
    'Use this when the user wants to know who said what; otherwise transcribe_audio is faster and costs half.',
    'Up to 12 hours. update_transcript gives S1, S2, … names.',
    'Pages, batches, status running and billing are as in transcribe_audio.',
    'Example: {"audio": "~/Recordings/board.m4a", "speakers": 4}',
  ].join(' '),
  input,
  fileInput: orChatFile(input),
  output: sameOutput,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler(given, call) {
    return transcribeForTool('diarize_audio', given, call, ({ transcript, ...more }) =>
      transcriptAnswer(transcript, { text: timedText(transcript), view: 'text', ...more }),
    )
  },
})
