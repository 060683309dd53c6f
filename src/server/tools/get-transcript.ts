// get_transcript: read a transcript, in parts that fit, also while it is being made.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import type { JobTool } from '../../domain/job.ts'
import { findSpeakers, listSpeakers } from '../../domain/speakers.ts'
import type { Span, Transcript } from '../../domain/transcript.ts'
import { json } from '../../formats/json.ts'
import { maxPageTokens } from '../../formats/page.ts'
import { type FilteredTranscript, markdown, outline, plainText, timedText } from '../../formats/readable.ts'
import { asRecognised, filterSegments } from '../../formats/reading.ts'
import { srt, vtt } from '../../formats/subtitles.ts'
import { offset, transcriptId, waitSeconds } from '../inputs.ts'
import { transcriptAnswer, transcriptOutput, type View } from '../results/transcript.ts'
import { type Call, defineTool } from '../tool.ts'

const views: Record<View, (reading: FilteredTranscript) => string> = {
  text: timedText,
  plain: plainText,
  raw: plainText,
  outline,
  markdown,
  srt: reading => srt(alone(reading)),
  vtt: reading => vtt(alone(reading)),
  json: reading => json(alone(reading)),
}

export const getTranscript = defineTool({
  name: 'get_transcript',
  title: 'Read a transcript',
  description: [
    'Read a transcript that transcribe_audio or diarize_audio made: the rest of a long text, a stretch of it, what one speaker says, an outline or subtitles.',
    'Use this with a transcript_id; it costs nothing. For a long recording ask for the outline first,',
    'then for the stretch that matters with from and to. While the status is running it waits, then gives what is there.',
    'Example: {"transcript_id": "tr_…", "from": 600, "to": 900}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    view: z
      .enum(Object.keys(views) as [View, ...View[]])
      .default('text')
      .describe(
        'text: paragraphs with times; plain: without times; raw: plain, before any formatting; outline: first words of each part',
      ),
    speaker: z.string().min(1).max(100).optional().describe('Only what this speaker says: id (S1) or name'),
    from: z.number().min(0).optional().describe('Only what is said from this second on'),
    to: z.number().min(0).optional().describe('Only what is said before this second'),
    offset,
    limit: z
      .number()
      .int()
      .min(100)
      .max(maxPageTokens)
      .default(maxPageTokens)
      .describe('Most tokens on the page, roughly'),
    wait_seconds: waitSeconds,
  }),
  output: transcriptOutput,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, view, speaker, from, to, offset, limit, wait_seconds }, call) {
    if (from !== undefined && to !== undefined && from >= to)
      throw new SpeechError('BAD_INPUT', '`from` is not before `to`.', {
        hint: 'Give both in seconds from the start.',
      })
    const { transcript: found, tool } = await readWhenOver(
      transcript_id,
      wait_seconds ?? call.waitSeconds,
      call,
    )
    const transcript = view === 'raw' ? asRecognised(found) : found
    const only = speaker === undefined ? {} : { only: idsOf(transcript, speaker) }
    const text = views[view]({ ...stretch(transcript, from, to), ...only })
    return transcriptAnswer(transcript, {
      text,
      view,
      offset,
      ...(tool && { tool }),
      ...(speaker !== undefined && { speaker }),
      ...(limit !== maxPageTokens && { limit }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    })
  },
})

async function readWhenOver(
  id: string,
  seconds: number,
  call: Call,
): Promise<{ transcript: Transcript; tool?: JobTool }> {
  const { jobs, owner, signal, progress } = call
  const transcript = await jobs.read(owner, id)
  if (transcript.status !== 'running') return { transcript }
  // A reader who leaves stops nothing: whoever ordered the transcript still wants it.
  const watch = { owner, seconds, signal, departure: () => 'gone' as const, onProgress: progress }
  const { tool } = await jobs.watch(id, watch)
  return { transcript: await jobs.read(owner, id), tool }
}

function idsOf(transcript: Transcript, wanted: string): string[] {
  const found = findSpeakers(transcript.speakers ?? [], wanted)
  if (found.length === 0) throw noSuchSpeaker(transcript)
  return found.map(({ id }) => id)
}

/** With the sentences of those who are wanted. Gaps stay: nobody knows who speaks there. */
function alone({ onlySpeakers, ...transcript }: FilteredTranscript): Transcript {
  return onlySpeakers
    ? filterSegments(transcript, ({ speaker }) => !!speaker && onlySpeakers.includes(speaker))
    : transcript
}

function noSuchSpeaker({ speakers, status }: Transcript): SpeechError {
  const running = status === 'running'
  if (speakers?.length)
    return new SpeechError('BAD_INPUT', 'There is no such speaker in this transcript.', {
      hint: `There are ${listSpeakers(speakers)}${running ? ' so far' : ''}.`,
    })
  const otherwise = running ? 'wait for its end' : 'have the recording heard by diarize_audio'
  return new SpeechError('BAD_INPUT', `This transcript has no speakers${running ? ' yet' : ''}.`, {
    hint: `Read it without one, or ${otherwise}.`,
  })
}

/** The part of a transcript that is said between two moments; a sentence on the border belongs to it. */
function stretch(transcript: Transcript, from = 0, to = Number.POSITIVE_INFINITY): Transcript {
  const isWithin = ({ start, end }: Span) => end > from && start < to
  const { coverage } = transcript
  return {
    ...filterSegments(transcript, isWithin),
    coverage: { ...coverage, gaps: coverage.gaps.filter(isWithin) },
  }
}
