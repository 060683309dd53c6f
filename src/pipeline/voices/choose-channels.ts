// Chooses how the channels of a track are heard: mixed by their layout, mixed by us, or apart.
import type { TranscriptionRequest } from '../../domain/job.ts'
import type { InputFile } from '../audio/demuxers.ts'
import type { Track } from './description.ts'
import { compareTracks, withoutRepeated } from './same-sound.ts'
import { areSeparateChannels, measureChannel } from './separate-channels.ts'
import type { HeardVoice } from './voice.ts'
import { readWindows, type StartFfmpeg, type Stretch } from './windows.ts'

export interface ChannelRequest extends Pick<TranscriptionRequest, 'speakers'> {
  /** Each channel may be one speaker. */
  isApart?: boolean
}

/** More channels apart are more decoders than a machine should run. */
const maxApart = 8
/** Sides that are each other's opposite leave this little of their sound in the mix. */
const minCancelledDb = 12
/** A voice that is further below the others is raised in the mix, up to this distance. */
const maxDistanceDb = 15
const mixedDistanceDb = 6
/** A channel without speech is left out of a mix of microphones if it is louder than this: a tone, a time code. */
const maxIdleDbfs = -50
/** Peak of a mix in the windows; others may be louder. */
const maxMixPeak = 0.7 * 32_767
/** Enough to compare levels; to tell speakers apart takes longer. */
const levelSeconds = 6

/** True for a track whose channels have to be looked at, whatever they sound like: microphones, not loudspeakers. */
export function areMicrophones({ channels, hasLayout }: Track): boolean {
  return channels > 2 && !hasLayout
}

/** The mix of a track of several: of microphones all alike. Undefined for the mix of ffmpeg. */
export function plainMix(track: Track): string | undefined {
  const weight = 1 / Math.sqrt(track.channels)
  return areMicrophones(track) ? panOf(new Array(track.channels).fill(weight)) : undefined
}

/**
 * One voice with all channels, without a filter where ffmpeg's mix will do; or with `isApart` one for each channel, where
 * each carries a speaker of its own. In doubt they are not heard apart: speakers can still be identified by voice, while
 * a room recognised twice would repeat each word.
 */
export async function chooseChannels(
  source: InputFile,
  track: Track,
  duration: number | undefined,
  { speakers = 2, isApart = false }: ChannelRequest,
  start: StartFfmpeg,
): Promise<HeardVoice[]> {
  const { stream, channels, isFine } = track
  const isSpeakers = channels > 2 && !areMicrophones(track)
  const options = { stream, duration, isFine, channels: isSpeakers ? 1 : Math.max(1, channels) }
  const maxSeconds = isApart ? undefined : levelSeconds
  const { stretches, gainDb } = await readWindows(source, { ...options, maxSeconds }, start)
  const sides = Array.from({ length: options.channels }, (_, i) => stretches.map(own => own[i]!))
  const levels = sides.map(speechLevel)
  const isSpoken = levels.some(Number.isFinite)
  const gain = gainDb > 0 && isSpoken ? `volume=${gainDb}dB` : ''
  const voice = (mix: string, key?: string): HeardVoice => {
    const filter = [gain, mix].filter(Boolean).join(',')
    return { ...(filter && { filter }), ...(key && { key }) }
  }
  if (!isSpoken || channels < 2 || isSpeakers) return [voice('')]
  const sounds = await compareTracks(sides.map(own => own.map(samples => [samples])))
  const kept = withoutRepeated(sounds, !isApart)
  const isPossible =
    isApart && kept.length > 1 && kept.length <= maxApart && speakers <= Math.max(2, kept.length)
  if (isPossible && (await areAllSeparate(kept, stretches)))
    return kept.map(channel => voice(`pan=mono|c0=c${channel}`, `channel:${channel}`))
  if (channels === 2) {
    const opposite = [0.5, -0.5]
    if (cancelledDb(sides) > minCancelledDb) return [voice(panOf(opposite))]
    const [left, right] = levels as [number, number]
    if (kept.length < 2 || Math.abs(left - right) < maxDistanceDb) return [voice('')]
  }
  return [voice(panOf(mixOf(sides, levels, kept)))]
}

async function areAllSeparate(channels: number[], stretches: Stretch[]): Promise<boolean> {
  for (const [i, right] of channels.entries())
    for (const left of channels.slice(0, i)) {
      // Other calls go on meanwhile.
      await new Promise(setImmediate)
      if (!areSeparateChannels(stretches.map(own => [own[left]!, own[right]!]))) return false
    }
  return true
}

/** Level (dBFS) of the blocks with speech; -Infinity without any. */
function speechLevel(stretches: readonly Int16Array[]): number {
  const levels = stretches
    .map(measureChannel)
    .flatMap(({ levels, speech }) => levels.filter((_, i) => speech[i]))
  const power = levels.reduce((sum, level) => sum + 10 ** (level / 10), 0)
  return levels.length > 0 ? 10 * Math.log10(power / levels.length) : Number.NEGATIVE_INFINITY
}

/** How far (dB) the mix of two sides is below their difference. */
function cancelledDb([left, right]: Int16Array[][]): number {
  let [mix, difference] = [1, 1]
  for (const [window, own] of left!.entries()) {
    const other = right![window]!
    for (let i = 0; i < own.length; i++) {
      mix += (own[i]! + other[i]!) ** 2
      difference += (own[i]! - other[i]!) ** 2
    }
  }
  return 10 * Math.log10(difference / mix)
}

/** Weights of a mix in which every voice is about as loud as the others, and which does not clip. */
function mixOf(sides: Int16Array[][], levels: number[], kept: number[]): number[] {
  const loudest = Math.max(...levels)
  const weights = sides.map((own, channel) => {
    const level = levels[channel]!
    if (level === Number.NEGATIVE_INFINITY) return rmsDbfs(own) < maxIdleDbfs ? 1 : 0
    if (!kept.includes(channel)) return 0
    return loudest - level < maxDistanceDb ? 1 : 10 ** ((loudest - level - mixedDistanceDb) / 20)
  })
  const used = weights.flatMap((weight, channel) => (weight > 0 ? [{ weight, own: sides[channel]! }] : []))
  let peak = 1
  for (const [window, samples] of used[0]!.own.entries())
    for (let i = 0; i < samples.length; i++) {
      let sum = 0
      for (const { weight, own } of used) sum += weight * own[window]![i]!
      peak = Math.max(peak, Math.abs(sum))
    }
  const scale = Math.min(1, maxMixPeak / peak)
  return weights.map(weight => weight * scale)
}

function rmsDbfs(stretches: readonly Int16Array[]): number {
  let [power, count] = [0, 0]
  for (const samples of stretches) {
    for (const sample of samples) power += sample * sample
    count += samples.length
  }
  return 10 * Math.log10(power / Math.max(1, count) / 32_768 ** 2)
}

function panOf(weights: readonly number[]): string {
  const terms = weights.flatMap((weight, channel) =>
    weight === 0 ? [] : [`${weight.toFixed(4)}*c${channel}`],
  )
  return `pan=mono|c0=${terms.join('+').replaceAll('+-', '-')}`
}
