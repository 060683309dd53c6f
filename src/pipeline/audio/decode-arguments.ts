// The arguments with which ffmpeg decodes a recording.
import type { Span } from '../../domain/transcript.ts'
import type { Source } from '../source/source.ts'
import { sampleRate } from './activity.ts'
import { maxOverlapSeconds, stepSeconds } from './clock/leaps.ts'
import { packetFormat } from './clock/packets.ts'
import { inputArguments } from './demuxers.ts'
import { encoderArguments, maxVoiceNoteSeconds } from './encode.ts'
import type { Urgency } from './ffmpeg.ts'

export interface DecodeOptions {
  /** Yields only this stretch: by sample number, as seeking by time is inexact in files with a variable bit rate. */
  part?: Span
  /**
   * Begins shortly before the part instead of at the start of the file, and places the samples by their times: for a file
   * whose times are exact.
   */
  seeks?: boolean
  /** Default: by `voiceNote`. */
  urgency?: Urgency
  /** Encodes a voice note in the same process: starting a second one would take longer than its work. */
  voiceNote?: boolean
}

/** Decoders of frames that refer to earlier ones are right again by then. */
const runUpSeconds = 3

/** Seconds at which decoding begins; 0: at the start of the file. */
export function seekSeconds({ part, seeks }: DecodeOptions): number {
  return seeks ? Math.max(0, Math.floor((part?.start ?? 0) - runUpSeconds)) : 0
}

/**
 * Counts the steps back of the clock. Registers: 0 is their number, 1 the time at which the last frame ended. The half
 * keeps the output from times before 0, which it would change.
 */
const countedSteps = `asetpts='st(0,ld(0)+lt(PTS,ld(1)-${maxOverlapSeconds}/TB));st(1,PTS+S/SR/TB);PTS+(ld(0)+0.5)*${stepSeconds}/TB'`

/**
 * One channel, and then its rate: by itself, ffmpeg resamples each channel before it mixes them. Half of the usual filter
 * is enough for speech. A quarter less work for stereo. Mixed to whole numbers, since a mix to floating point is not
 * scaled down, and loud channels together would be clipped.
 */
const monoSound = `aformat=channel_layouts=mono:sample_fmts=s16p,aresample=${sampleRate}:filter_size=16`

export function decoderArguments(source: Source, options: DecodeOptions): string[] {
  const { hasClock, voice = {} } = source
  const seek = seekSeconds(options)
  const map = voice.stream === undefined ? [] : ['-map', `0:${voice.stream}`]
  const soundOnly = ['-map_metadata', '-1', ...map, '-vn', '-sn', '-dn']
  const mix = voice.filter === undefined ? [] : [voice.filter]
  const filters = [...(hasClock ? [countedSteps] : []), ...mix, monoSound]
  return [
    // Only the verbose log counts packets and samples, and tells of a changed start.
    ...['-nostdin', '-loglevel', 'verbose'],
    // By itself, ffmpeg takes a gap of ten seconds in Ogg and MPEG-TS for a fault of the clock, and hides steps back.
    ...(hasClock ? ['-copyts'] : []),
    ...(seek > 0 ? ['-ss', String(seek)] : []),
    ...inputArguments(source),
    ...[...soundOnly, '-ac', '1', '-ar', String(sampleRate)],
    ...['-af', filters.join(',')],
    // Without flushing, samples arrive in buffers of 32 kB instead of 1 kB: a thirtieth of the reads.
    ...[...(hasClock ? packetFormat : ['-f', 's16le']), '-flush_packets', '0', 'pipe:1'],
    ...(options.voiceNote
      ? [
          ...soundOnly,
          // Times of the file's clock would count towards the limit.
          ...['-af', ['asetpts=N/SR/TB', ...mix].join(',')],
          ...['-t', String(maxVoiceNoteSeconds)],
          ...encoderArguments('voiceNote'),
          'pipe:3',
        ]
      : []),
  ]
}
