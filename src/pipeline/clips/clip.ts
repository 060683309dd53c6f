// Makes a clip: a short MP3 of a stretch of a recording, which begins and ends between words.
import type { PipelineRequest } from '../../domain/job.ts'
import { roundToMs, type Span, type Transcript } from '../../domain/transcript.ts'
import { sampleRate } from '../audio/activity.ts'
import type { SourceRun } from '../source/source.ts'
import { estimatedDoubtSeconds, type Stretch, stretchOf, unitsOf } from './borders.ts'
import { encodeClip, maxClipSeconds } from './encode-clip.ts'
import { type HeardPorts, type KnownVoices, openHeard, silentRun } from './open-heard.ts'
import { cutAt, findQuiet, type Sound } from './quiet.ts'
import { soundOf } from './sound.ts'

export interface ClipRequest extends PipelineRequest {
  /** Seconds; without an end, as much as a clip holds. */
  from: number
  to?: number
}

export interface Clip extends Span {
  /** MP3, whose base64 has at most 150,000 characters. */
  audio: Buffer
  /** `from` of the clip that goes on; absent where this one reaches the end that was asked for. */
  next?: number
}

/** Both ends of the clip may move outward to a pause. */
const maxStretchSeconds = maxClipSeconds - 2 * (estimatedDoubtSeconds + 0.1)
/** Heard beside an end, to tell its pauses from speech. */
const besideSeconds = 2

/** Resolves with the clip. Throws `SpeechError` where the recording has gone or changed, or the signal's reason. */
export async function makeClip(
  { from, to, ...request }: ClipRequest,
  { segments, duration }: Pick<Transcript, 'segments' | 'duration'>,
  ports: HeardPorts,
  given: SourceRun,
  known: KnownVoices,
): Promise<Clip> {
  const run = silentRun(given)
  const end = Math.min(to ?? Number.POSITIVE_INFINITY, duration)
  const stretch = stretchOf(unitsOf(segments), { from, to: end, duration, maxSeconds: maxStretchSeconds })
  const heard = await openHeard(request, ports, run, known)
  const span = {
    start: Math.max(0, stretch.start.time - besideSeconds),
    end: Math.min(duration, stretch.end.time + besideSeconds),
  }
  const sound = await soundOf({ ...heard, duration }, span, ports.ffmpeg, run)
  const cut = cutsOf(stretch, sound, duration)
  const at = (seconds: number) => Math.round((seconds - sound.start) * sampleRate)
  const samples = sound.samples.subarray(at(cut.start), at(cut.end))
  const audio = await encodeClip(samples, ports.ffmpeg, run)
  // To a file shorter than its header says, nothing can be added.
  const whole = { start: cut.start, end: roundToMs(cut.start + samples.length / sampleRate) }
  return { ...whole, audio, ...(stretch.next !== undefined && { next: stretch.next }) }
}

/** Nothing is said before the start and behind the end of the recording. */
function cutsOf({ start, end }: Stretch, sound: Sound, duration: number): Span {
  const quiet = findQuiet(sound)
  const from = start.time > 0 ? roundToMs(Math.max(0, cutAt(start, quiet, 'start'))) : 0
  const cut = end.time < duration ? cutAt(end, quiet, 'end') : duration
  const to = roundToMs(Math.min(cut, from + maxClipSeconds))
  return { start: from, end: Math.max(from, to) }
}
