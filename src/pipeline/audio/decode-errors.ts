// The error of a file without audio, by ffmpeg's messages.
import { SpeechError } from '../../domain/errors.ts'
import { playlistDemuxers } from './demuxers.ts'
import { encoderError } from './encode.ts'

export function noAudioError(stderr: string, code: number): SpeechError {
  if (/Unknown encoder/.test(stderr)) return encoderError(stderr)
  const refused = /\[([\w,]+) @ [^\]]*\] Format not on whitelist/.exec(stderr)
  if (refused && playlistDemuxers.test(refused[1]!))
    return new SpeechError('PLAYLIST_REFUSED', 'The file is a playlist that refers to other files or URLs.', {
      hint: 'Use the recording itself.',
    })
  if (/Permission denied/.test(stderr))
    return new SpeechError('FILE_UNREADABLE', 'The server may not read the file.', {
      hint: 'Grant the server’s user permission to read it.',
    })
  if (/moov atom not found/.test(stderr))
    return new SpeechError('NOT_AUDIO', 'The file is truncated: its index is missing.', {
      hint: 'Copy or record it again; an MP4 without an index cannot be read.',
    })
  if (/^Input #0/m.test(stderr) && !/Stream #0:\d+.*: Audio:/.test(stderr))
    return new SpeechError('NO_AUDIO_TRACK', 'The file has video but no audio track.', {
      hint: 'Use a recording that has an audio track.',
    })
  if (/Stream #0:\d+.*: Audio: none|[Dd]ecoder .*not found|no decoder found|drm|DRM/.test(stderr))
    return new SpeechError(
      'UNSUPPORTED_CODEC',
      'The audio codec is not supported by this ffmpeg, or the file is protected.',
      { hint: 'Convert it to MP3, M4A, WAV, FLAC or Ogg first.' },
    )
  // A wrapper that ends before its program has no such end.
  const isEmpty = code === 0 && /nothing was encoded|audio:0/.test(stderr)
  if (
    refused ||
    /Invalid data found|misdetection possible|does not contain any stream|matches no streams/.test(stderr) ||
    isEmpty
  )
    return new SpeechError('NOT_AUDIO', 'The file is not audio or video that ffmpeg can read.', {
      hint: 'Use a recording: MP3, M4A, WAV, FLAC, Ogg, WebM, MP4, MOV, MKV and most others work.',
    })
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg could not decode the file.', {
    hint: 'Try another copy of it. If FFMPEG_PATH is a wrapper, set it to ffmpeg itself; `speech-mcp doctor` checks it.',
  })
}

/** Of a stretch that is read again; where a whole recording is read, its samples so far are kept. */
export function endedEarly(): SpeechError {
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg ended before the recording did.', {
    hint: 'Call again; if it happens again, see `speech-mcp doctor`.',
  })
}
