// Transcripts rendered as files: one at a time for each owner, as the subtitles of hours fill tens of megabytes.
import type { Transcript } from '../../domain/transcript.ts'
import { checkFormat, type FormatName, renderFormat } from '../../formats/index.ts'
import type { SubtitleOptions } from '../../formats/subtitles/presets.ts'
import type { Jobs } from '../../jobs/jobs.ts'

export interface Rendered {
  transcript: Transcript
  content: string | Uint8Array
  /** Cues that break a rule of their preset; empty for a format without cues. */
  broken: string[]
}

/** Throws as `read` does. */
export function rendered(
  { oneAtATime }: Pick<Jobs, 'oneAtATime'>,
  owner: string,
  read: () => Promise<Transcript>,
  format: FormatName,
  options: SubtitleOptions,
): Promise<Rendered> {
  return oneAtATime(owner, async () => {
    const transcript = await read()
    const content = await renderFormat(transcript, format, options)
    return { transcript, content, broken: await checkFormat(transcript, format, options) }
  })
}
