// get_transcript: reads a transcript page by page, also while its job is running.
import * as z from 'zod/v4'
import { isBatchId } from '../../domain/batch/batch.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { JobTool } from '../../domain/job.ts'
import { findSpeakers, listSpeakers } from '../../domain/speakers.ts'
import { type Transcript, withoutFormatted } from '../../domain/transcript.ts'
import { markdown } from '../../formats/markdown.ts'
import { maxPageTokens } from '../../formats/page.ts'
import { filterSegments, withinRange } from '../../formats/shown-segments.ts'
import type { SubtitleOptions } from '../../formats/subtitles/presets.ts'
import { type FilteredTranscript, outline, plainText, timedText } from '../../formats/text.ts'
import { from, offset, preset, to, transcriptId, waitSeconds } from '../inputs.ts'
import { watchBatch } from '../orders/order-batch.ts'
import { pageFor } from '../results/page.ts'
import { rendered } from '../results/rendered.ts'
import { sameOutput, transcriptAnswer, type View } from '../results/transcript.ts'
import { defineTool, type ToolCall } from '../tool.ts'

/** Views that are no output formats, which `rendered` makes. */
const texts: Record<Exclude<View, FileView>, (reading: FilteredTranscript) => string | Promise<string>> = {
  text: timedText,
  plain: plainText,
  raw: plainText,
  outline,
  markdown,
}
const fileViews = ['srt', 'vtt', 'json'] as const
type FileView = (typeof fileViews)[number]
const views = [...(Object.keys(texts) as (keyof typeof texts)[]), ...fileViews]

export const getTranscript = defineTool({
  name: 'get_transcript',
  title: 'Read a transcript',
  description: [
    'Read a transcript: further pages, a time range, one speaker, an outline or subtitles.',
    'Use this with a transcript_id; it is free. Of a long recording, read the outline first, then from and to.',
    'While status is running, it waits, then returns the text so far.',
    'Example: {"transcript_id": "tr_…", "from": 600, "to": 900}',
  ].join(' '),
  input: z.object({
    transcript_id: transcriptId,
    view: z
      .enum(views)
      .default('text')
      .describe(
        'text (default): with times; plain: without; raw: plain, before formatting; outline: first words of each part',
      ),
    preset,
    speaker: z.string().min(1).max(100).optional().describe('Only this one: id (S1) or name'),
    from,
    to,
    offset,
    limit: z
      .number()
      .int()
      .min(100)
      .max(maxPageTokens)
      .default(maxPageTokens)
      .describe('Tokens per page, about'),
    wait_seconds: waitSeconds,
  }),
  output: sameOutput,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async handler({ transcript_id, view, preset, speaker, from, to, offset, limit }, call) {
    if (from !== undefined && to !== undefined && from >= to)
      throw new SpeechError('BAD_INPUT', '`from` must be less than `to`.', {
        hint: 'Both are in seconds from the start.',
      })
    if (isBatchId(transcript_id)) return watchBatch(transcript_id, call, { offset })
    const { transcript: found, tool } = await waitAndRead(transcript_id, call)
    const transcript = view === 'raw' ? withoutFormatted(found) : found
    const onlySpeakers = speaker === undefined ? undefined : speakerIds(transcript, speaker)
    const reading = { ...withinRange(transcript, from, to), onlySpeakers }
    const { text, broken } = isFile(view)
      ? await fileText(reading, view, { preset }, call)
      : { text: await texts[view](reading), broken: [] }
    const shown = { ...transcript, warnings: [...ruleNotes(broken), ...transcript.warnings] }
    const page = await pageFor(found, call, offset)
    return transcriptAnswer(shown, { text, view, preset, offset, limit, tool, speaker, from, to, page })
  },
})

const isFile = (view: View): view is FileView => fileViews.some(name => name === view)

/** Begins nothing for a call that has ended while it waited for others of its owner. */
async function fileText(
  reading: FilteredTranscript,
  view: FileView,
  options: SubtitleOptions,
  { jobs, owner, signal }: ToolCall,
): Promise<{ text: string; broken: string[] }> {
  const read = async () => {
    signal.throwIfAborted()
    return filterSpeakers(reading)
  }
  const { content, broken } = await rendered(jobs, owner, read, view, options)
  return { text: String(content), broken }
}

const maxRuleNotes = 5

/** Sentences about cues that break a rule of the preset. */
function ruleNotes(broken: string[]): string[] {
  const more = broken.length - maxRuleNotes
  return [
    ...broken.slice(0, maxRuleNotes),
    ...(more > 0 ? [`${more} more cues break a rule of the preset.`] : []),
  ]
}

/** Waits while the job is running. */
async function waitAndRead(
  id: string,
  { jobs, owner, wait, signal, progress }: ToolCall,
): Promise<{ transcript: Transcript; tool?: JobTool }> {
  const transcript = await jobs.read(owner, id)
  if (transcript.status !== 'running') return { transcript }
  // A reader that disconnects cancels nothing: the caller that submitted the job still needs it.
  const watch = { ...wait, owner, signal, disconnectReason: () => 'detached' as const, onProgress: progress }
  const { tool } = await jobs.watch(transcript.id, watch)
  return { transcript: await jobs.read(owner, transcript.id), tool }
}

/** Throws `BAD_INPUT` if no speaker has this id or name. */
function speakerIds(transcript: Transcript, idOrName: string): string[] {
  const found = findSpeakers(transcript.speakers ?? [], idOrName)
  if (found.length === 0) throw noSuchSpeaker(transcript)
  return found.map(({ id }) => id)
}

/** Keeps only the sentences of the chosen speakers. Gaps stay, because their speaker is unknown. */
function filterSpeakers({ onlySpeakers, ...transcript }: FilteredTranscript): Transcript {
  return onlySpeakers
    ? filterSegments(transcript, ({ speaker }) => !!speaker && onlySpeakers.includes(speaker))
    : transcript
}

function noSuchSpeaker({ speakers, status }: Transcript): SpeechError {
  const isRunning = status === 'running'
  if (speakers?.length)
    return new SpeechError('BAD_INPUT', 'This transcript has no such speaker.', {
      hint: `${isRunning ? 'Speakers so far' : 'Its speakers'}: ${listSpeakers(speakers)}.`,
    })
  const alternative = isRunning ? 'wait until it is complete' : 'call diarize_audio with the recording'
  return new SpeechError('BAD_INPUT', `This transcript has no speakers${isRunning ? ' yet' : ''}.`, {
    hint: `Omit the speaker, or ${alternative}.`,
  })
}
