// Warnings of a decoded file, by ffmpeg's description of it and by its messages.
import { formatTime } from '../../domain/format-time.ts'
import type { Run } from '../../domain/run.ts'
import type { Source } from '../source/source.ts'

/** Seconds, by ffmpeg's description of the input, unless ffmpeg estimated them from the bit rate. */
export function headerDuration(stderr: string): number | undefined {
  const found = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(stderr)
  if (!found || /Estimating duration from bitrate/.test(stderr)) return undefined
  const seconds = Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
  // For ffmpeg, the length of an Ogg, a Matroska or a NUT is its last time stamp, but not that of Speex.
  const start = /^Input #0, (?:ogg|matroska|nut)/m.test(stderr) ? Math.max(0, startSeconds(stderr)) : 0
  return seconds > start ? seconds - start : seconds
}

const isOgg = /^Input #0, ogg/m
/** Seconds: an Ogg that begins with silence frames starts within its first page, one of a live stream at any time. */
const maxOggSilenceSeconds = 1

/** Seconds at which a player's clock begins, in the times of the file: the start of its earliest stream. */
export function startSeconds(stderr: string): number {
  const start = Number(/^ {2}Duration: .*, start: (-?[\d.]+)/m.exec(stderr)?.[1] ?? 0)
  return isOgg.test(stderr) && start > 0 && start < maxOggSilenceSeconds ? 0 : start
}

/** A video may run longer than its audio, so its length says nothing of it; cover art is no video. */
function isVideo(stderr: string): boolean {
  return /Stream #0:\d+.*: Video: (?!.*attached pic|(?:mjpeg|png|bmp|gif|webp)\b.* 90k tbr)/.test(stderr)
}

/** After the mapping of streams, ffmpeg describes its output, which is PCM. */
function partsOf(stderr: string): { input: string; output: string } {
  const [input = '', output = ''] = stderr.split(/^Stream mapping:/m)
  return { input, output }
}

/** Nor does it of one of several tracks. */
function hasTracks(stderr: string): boolean {
  const { input } = partsOf(stderr)
  return (input.match(/^ +Stream #0:\d+.*: Audio: /gm)?.length ?? 0) > 1
}

const endMissing = /partial file|corrupt input packet|Read error|File ended prematurely/

/** Where the frames of a file could be read, they show it. */
function isEndMissing(stderr: string, { isTruncated, strayShare }: Source): boolean {
  return isTruncated ?? (strayShare === undefined && endMissing.test(stderr))
}

const amrPacketSeconds = 0.02

/**
 * Seconds that a player shows for a file that is whole, though its last packets may hold no sound. Undefined where the
 * end of the samples is all that is known.
 */
export function playedSeconds(stderr: string, source: Source): number | undefined {
  const { isTruncated, hasClock } = source
  if (!hasClock || (isTruncated === undefined && isEndMissing(stderr, source))) return undefined
  // The decoder drops frames that say that nothing was sent.
  const packets = /Stream #0:0\b.*: Audio: amr/.test(stderr) && /\(audio\): (\d+) packets read/.exec(stderr)
  if (packets) return Number(packets[1]) * amrPacketSeconds
  // Of tracks in Windows Media and Ogg, ffmpeg counts the start of a late one twice.
  const isUnsure = isVideo(stderr) || (/^Input #0, (?:asf|ogg)/m.test(stderr) && hasTracks(stderr))
  return isTruncated === false && !isUnsure ? headerDuration(stderr) : undefined
}

/** `decoded`: seconds, with the silence that the file declares. `hasGaps`: there is such silence. */
export function warnOfDamage(
  stderr: string,
  { decoded, hasGaps }: { decoded: number; hasGaps: boolean },
  source: Source,
  run: Pick<Run, 'warn'>,
): void {
  const { isTruncated, missingShare, strayShare = 0, hasTags, hasClock } = source
  if (source.isFollowed)
    run.warn(
      'The file holds another recording behind this one, which was not transcribed. Save it as a file of its own.',
    )
  const header = isVideo(stderr) || hasTracks(stderr) ? undefined : headerDuration(stderr)
  const declared = missingShare === undefined ? 0 : Math.round((10 * decoded) / (1 - missingShare)) / 10
  const expected = Math.max(header ?? 0, declared)
  const toleranceSeconds = isTruncated ? 0.5 : Math.max(0.5, decoded * 0.01)
  const isShort = expected - decoded > toleranceSeconds
  const isStray = decoded * strayShare >= minUndecodedSeconds
  // Where samples are only counted, as many as the header says are all of them: what failed was no sound.
  const isComplete = !hasClock && header !== undefined && decoded > header - minUndecodedSeconds
  // Older ffmpegs take the headers of a file that was joined for sound.
  const hasHeaders = hasTags || (source.isJoined && isOgg.test(stderr))
  const isUndecoded = !hasHeaders && !isComplete && undecodedSeconds(stderr) >= minUndecodedSeconds
  // At the end of a Matroska is its index, which is no sound.
  const isIndexMissing = header !== undefined && !isShort && /^Input #0, matroska/m.test(stderr)
  if (isShort && (isTruncated || (isTruncated === undefined && !isStray)))
    run.warn(
      `The file seems to be cut off${isTruncated ? '' : ' or damaged'}: its header says ${formatTime(expected)}, but its audio ends at ${formatTime(decoded)}. The audio up to there was transcribed.`,
    )
  else if (isEndMissing(stderr, source) && !isIndexMissing)
    run.warn(
      `The file seems to be cut off after ${formatTime(decoded)}. The audio up to there was transcribed.`,
    )
  else if (
    isStray ||
    isUndecoded ||
    isDisturbed(stderr, hasGaps, source.isJoined) ||
    (isTruncated && hasGaps) ||
    (isShort && decodingErrors(stderr) > 0)
  )
    run.warn('Parts of the file are damaged and could not be decoded; words may be missing there.')
}

/** Sizes of Matroska that cannot be: what they enclose is skipped. */
const brokenMatroska = /Invalid EBML|exceeds (?:containing master|max length)/
const disturbed =
  /mismatch|Truncating packet|packet_obj_size|asf skip|corrupt|Header missing|Invalid (?:data|packet)|invalid as first byte|Read error/

/** True where the demuxer has met bytes that do not fit. A gap beside them is a loss, and no pause of the recorder. */
function isDisturbed(stderr: string, hasGaps: boolean, isJoined = false): boolean {
  const { input, output } = partsOf(stderr)
  if (/: Audio: amr/.test(input)) return false
  const messages = isJoined ? output.replace(/^Error while decoding.*/gm, '') : output
  return brokenMatroska.test(output) || (hasGaps && disturbed.test(messages))
}

/** Fewer are lost where MP3 or Ogg files were joined. */
const minUndecodedSeconds = 0.1

/** Seconds of the packets that could not be decoded. In AMR those hold nothing, and PCM cannot fail but in its last byte. */
function undecodedSeconds(stderr: string): number {
  const { input } = partsOf(stderr)
  if (/: Audio: (?:amr|pcm_)/.test(input)) return 0
  const errors = decodingErrors(stderr)
  // Tags and text between the frames of an MP3 are no sound.
  const foreign = stderr.match(/Header missing/g)?.length ?? 0
  const [, frames, samples] = /(\d+) frames decoded.* \((\d+) samples\)/.exec(stderr) ?? []
  const rate = /: Audio: .*?, (\d+) Hz/.exec(stderr)?.[1]
  if (!frames || !rate) return errors > foreign ? minUndecodedSeconds : 0
  return ((errors - foreign) * Number(samples)) / Number(frames) / Number(rate)
}

function decodingErrors(stderr: string): number {
  return (
    stderr.match(/Error while decoding|Error submitting packet|Decoding error|corrupt input packet/g)
      ?.length ?? 0
  )
}
