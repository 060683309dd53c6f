// Refuses recordings whose figures are not those of speech: a few kB of them would be billed as hours.
import { SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'

/** Hertz. Speech needs 8,000; a header with less is damaged or made up, as each sample becomes many. */
const minSampleRate = 4_000
/**
 * Codec2 at 450 bit/s, the lowest rate of any codec for speech, takes 56 bytes a second. A silence takes fewer in many
 * formats, so only sound is counted.
 */
const minBytesPerSoundSecond = 50
/** Of the whole length, silences included: WavPack keeps them in 17 bytes a second, ALAC in 74, FLAC in 186. */
const minBytesPerSecond = 10
/** Any file may be this long: its bytes say little. */
const freeSoundSeconds = 60
const freeSeconds = 600

/** Throws `IMPLAUSIBLE_LENGTH` if ffmpeg's description of the input has a rate that is too low. True once it has been read. */
export function checkSampleRate(stderr: string): boolean {
  const track = /^ {2}Stream #0:(\d+) -> #0:0/m.exec(stderr)?.[1]
  if (track === undefined) return false
  const rate = new RegExp(`^ +Stream #0:${track}\\b.*: Audio: .*?, (\\d+) Hz`, 'm').exec(stderr)?.[1]
  if (rate !== undefined && Number(rate) < minSampleRate)
    throw implausible(
      `The file says that it has ${rate} samples a second; speech has at least ${minSampleRate}.`,
    )
  return true
}

/** Seconds of sound that a file of so many bytes can hold in each channel. */
export function maxSoundSeconds(bytes: number): number {
  return freeSoundSeconds + bytes / minBytesPerSoundSecond
}

/** Throws `IMPLAUSIBLE_LENGTH` where a file yields more sound than it can hold. */
export function ensurePlausibleSound(seconds: number, bytes: number): void {
  if (seconds <= maxSoundSeconds(bytes)) return
  throw implausible(`The file has ${bytes} bytes, but becomes more than ${formatTime(seconds)} of sound.`)
}

/** Seconds, silences included, that a file of so many bytes can hold. */
export function maxSeconds(bytes: number): number {
  return freeSeconds + bytes / minBytesPerSecond
}

/** Throws `IMPLAUSIBLE_LENGTH` where a whole file, whose silences are billed too, is longer than its bytes allow. */
export function ensurePlausibleLength(seconds: number, bytes: number): void {
  if (seconds <= maxSeconds(bytes)) return
  throw implausible(
    `The file has ${bytes} bytes, but becomes ${formatTime(seconds)}.`,
    'Call transcribe_audio without measured times: it sends no silences.',
  )
}

function implausible(message: string, hint = 'Save or convert the recording again.'): SpeechError {
  return new SpeechError('IMPLAUSIBLE_LENGTH', message, { hint: `Nothing more is sent. ${hint}` })
}
