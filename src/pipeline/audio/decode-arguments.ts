// The arguments with which ffmpeg decodes a recording.
import type { Span } from '../../domain/transcript.ts'
import { sampleRate } from './activity.ts'
import { inputArguments } from './demuxers.ts'
import { encoderArguments, maxVoiceNoteSeconds } from './encode.ts'

export interface DecodeOptions {
  /** Decodes only this channel, counted from 0, instead of the mix of all. */
  channel?: number
  /** Yields only this stretch: by sample number, as seeking by time is inexact in files with a variable bit rate. */
  part?: Span
  /** Encodes a voice note in the same process: starting a second one would take longer than its work. */
  voiceNote?: boolean
}

export function decoderArguments(file: string, { channel, voiceNote }: DecodeOptions): string[] {
  const soundOnly = ['-map_metadata', '-1', '-vn', '-sn', '-dn']
  return [
    ...['-nostdin', '-loglevel', 'info'],
    ...inputArguments(file),
    ...[...soundOnly, '-ac', '1', '-ar', String(sampleRate)],
    ...(channel === undefined ? [] : ['-af', `pan=mono|c0=c${channel}`]),
    // Without flushing, samples arrive in buffers of 32 kB instead of 1 kB: a thirtieth of the reads.
    ...['-f', 's16le', '-flush_packets', '0', 'pipe:1'],
    ...(voiceNote
      ? [...soundOnly, '-t', String(maxVoiceNoteSeconds), ...encoderArguments('voiceNote'), 'pipe:3']
      : []),
  ]
}
