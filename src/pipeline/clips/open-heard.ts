// Opens a recording with the voices that its transcript has heard.
import type { PipelineRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { withSpeexDecoder } from '../audio/speex.ts'
import type { ChunkPorts } from '../chunks/transcribe-chunks.ts'
import { openSource, type Source, type SourcePorts, type SourceRun } from '../source/source.ts'
import { findVoices } from '../voices/find-voices.ts'
import type { Voice } from '../voices/voice.ts'

/** `voices` are those of an earlier look at the recording; `onVoices` gets those that were found. */
export interface KnownVoices {
  voices?: readonly Voice[] | undefined
  onVoices(found: readonly Voice[]): void
}

export type HeardPorts = SourcePorts & Pick<ChunkPorts, 'ffmpeg'>

/** Throws `SpeechError` where the recording has gone or changed, or the signal's reason. */
export async function openHeard(
  request: PipelineRequest,
  ports: HeardPorts,
  run: SourceRun & Pick<Run, 'warn'>,
  { voices, onVoices }: KnownVoices,
): Promise<{ source: Source; voices: readonly Voice[] }> {
  const opened = await openSource(request, ports, run)
  const source = await withSpeexDecoder(opened, ports.ffmpeg, run)
  const heard = voices ?? (await findVoices(source, request, ports.ffmpeg, run)).voices
  onVoices(heard)
  return { source, voices: heard }
}

/** The transcript has the warnings about the file. */
export const silentRun = (given: SourceRun) => ({ ...given, warn() {} })
