// Opens files with the demuxers that ffmpeg may use.
import type { Source } from '../source/source.ts'
import { allowedDemuxers } from './formats.ts'

export type InputFile = Pick<Source, 'file' | 'inputOptions'>

/** ffmpeg arguments that open a file and nothing that the file names. */
export function inputArguments({ file, inputOptions = [] }: InputFile): string[] {
  const allowed = ['-protocol_whitelist', 'file', '-format_whitelist', allowedDemuxers]
  return [...inputOptions, ...allowed, '-i', `file:${file}`]
}

/** Formats that can make a program open other files or URLs; their refusal gets an error of its own. */
export const playlistDemuxers =
  /^(?:hls|applehttp|concat|dash|sdp|rtsp|rtp|sap|imf|webm_dash_manifest|mlv|vobsub)\b/
