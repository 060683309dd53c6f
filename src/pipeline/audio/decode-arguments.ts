// The arguments with which ffmpeg decodes a recording.
import type { Span } from '../../domain/transcript.ts'
import type { Source } from '../source/source.ts'
import { sampleRate } from './activity.ts'
import { inputArguments } from './demuxers.ts'
import { encoderArguments, maxVoiceNoteSeconds } from './encode.ts'
import { packetFormat } from './packets.ts'

/** Of a file whose header gives no length. */
export const maxGapSeconds = 12 * 3600

export interface DecodeOptions {
  /** Yields only this stretch: by sample number, as seeking by time is inexact in files with a variable bit rate. */
  part?: Span
  /** Encodes a voice note in the same process: starting a second one would take longer than its work. */
  voiceNote?: boolean
}

/**
 * Lets the clock go on where it goes back, as where a recording was joined to another: no output of ffmpeg takes a time
 * before the last one. Registers: 0 is what to add to the times, 1 the time at which the last frame ended.
 */
const forwardClock = `asetpts='st(0,if(lt(PTS+ld(0),ld(1)-0.1/TB),ld(1)-PTS,ld(0)));st(1,PTS+ld(0)+S/SR/TB);PTS+ld(0)'`

export function decoderArguments(source: Source, { voiceNote }: DecodeOptions): string[] {
  const { hasClock, voice = {} } = source
  const map = voice.stream === undefined ? [] : ['-map', `0:${voice.stream}`]
  const soundOnly = ['-map_metadata', '-1', ...map, '-vn', '-sn', '-dn']
  const mix = voice.filter === undefined ? [] : [voice.filter]
  const filters = hasClock ? [forwardClock, ...mix] : mix
  return [
    // Only the verbose log counts packets and samples, and tells of a changed start.
    ...['-nostdin', '-loglevel', 'verbose'],
    // By itself, ffmpeg takes a gap of ten seconds in Ogg and MPEG-TS for a fault of the clock.
    ...(hasClock ? ['-dts_delta_threshold', String(maxGapSeconds)] : []),
    ...inputArguments(source),
    ...[...soundOnly, '-ac', '1', '-ar', String(sampleRate)],
    ...(filters.length > 0 ? ['-af', filters.join(',')] : []),
    // Without flushing, samples arrive in buffers of 32 kB instead of 1 kB: a thirtieth of the reads.
    ...[...(hasClock ? packetFormat : ['-f', 's16le']), '-flush_packets', '0', 'pipe:1'],
    ...(voiceNote
      ? [
          ...soundOnly,
          ...(mix.length > 0 ? ['-af', ...mix] : []),
          '-t',
          String(maxVoiceNoteSeconds),
          ...encoderArguments('voiceNote'),
          'pipe:3',
        ]
      : []),
  ]
}
