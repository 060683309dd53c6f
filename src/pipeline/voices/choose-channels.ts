// Chooses how the channels of a track are heard: mixed by their layout, mixed by us, or apart.
import type { TranscriptionRequest } from '../../domain/job.ts'
import type { InputFile } from '../audio/demuxers.ts'
import { loadSpeechDetector } from '../audio/speech-detector/speech-detector.ts'
import type { Track } from './description.ts'
import { meanLevel } from './levels.ts'
import { compareTracks, withoutRepeated } from './same-sound.ts'
import { areSeparateChannels, measureChannel, soundsLikeSpeech } from './separate-channels.ts'
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
/** Of the power of a mix: a voice on one side alone makes a greater difference of the two sides. */
const maxAlikeDifference = 0.001
/** One sample of so many tells as well: their power is that of all. */
const alikeStep = 4
/** A voice that is further below the others is raised in the mix, up to this distance. */
const maxDistanceDb = 15
const mixedDistanceDb = 6
/** Sound in channels without speech, as hum or a time code, may drown it. Then all of it is put further below. */
const minIdleDistanceDb = 20
const mixedIdleDistanceDb = 30
/** Peak of a mix in the windows; others may be louder. */
const maxMixPeak = 0.7 * 32_767
/** Windows of 32 ms in which the detector must hear speech. */
const minVoiceWindows = 30
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
  const { stream, channels, hasLayout, isFine } = track
  if (channels < 2 && !isFine) return [{}]
  const options = { stream, duration, isFine, hasLayout, channels: Math.max(1, channels) }
  const maxSeconds = isApart ? undefined : levelSeconds
  const { stretches, gainDb } = await readWindows(source, { ...options, maxSeconds }, start)
  const sides = Array.from({ length: options.channels }, (_, i) => stretches.map(own => own[i]!))
  if (channels === 2 && gainDb === 0 && areAlike(sides)) return [{}]
  const isLayout = channels > 2 && !areMicrophones(track)
  const low = sides[track.lowChannel ?? -1] ?? []
  const levels = speechLevels(sides)
  const isSpoken = levels.some(Number.isFinite)
  const gain = gainDb > 0 && isSpoken ? `volume=${gainDb}dB` : ''
  const voice = (mix: string, key?: string): HeardVoice => {
    const filter = [gain, mix].filter(Boolean).join(',')
    return { ...(filter && { filter }), ...(key && { key }) }
  }
  if (!isSpoken || channels < 2) return [voice('')]
  const sounds = await compareTracks(sides.map(own => own.map(samples => [samples])))
  const kept = withoutRepeated(sounds, !isApart).filter(channel => Number.isFinite(levels[channel]))
  const isSeparable = (isApart || isLayout) && kept.length > 1 && kept.length <= maxApart
  const areSeparate = isSeparable && (await areAllSeparate(kept, stretches))
  // Some containers give a layout to any channels. Voices apart on others than the front ones are microphones.
  const isMixed = isLayout && !(areSeparate && kept.some(channel => channel > 2)) && !(await holdsVoice(low))
  if (isMixed) return [voice('')]
  if (isApart && areSeparate && speakers <= Math.max(2, kept.length))
    return kept.map(channel => voice(`pan=mono|c0=c${channel}`, `channel:${channel}`))
  if (channels === 2) {
    if (cancelledDb(sides) > minCancelledDb) return [voice(panOf([0.5, -0.5]))]
    if (isEven(weightsOf(sides, levels, kept), levels)) return [voice('')]
  }
  return [voice(panOf(mixOf(sides, weightsOf(sides, levels, kept))))]
}

/** True where the mix of ffmpeg, of both sides alike, is as good: a side that repeats the other may be in it. */
function isEven(weights: number[], levels: number[]): boolean {
  return weights.every((weight, side) => weight === 1 || (weight === 0 && Number.isFinite(levels[side])))
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

/** Level (dBFS) of the speech in each channel; -Infinity without any, as where a hum has clicks. */
function speechLevels(sides: Int16Array[][]): number[] {
  const levels = sides.map(speechLevel)
  const found = levels.map((level, i) => (soundsLikeSpeech(sides[i]!) ? level : Number.NEGATIVE_INFINITY))
  return found.some(Number.isFinite) ? found : levels
}

function speechLevel(stretches: readonly Int16Array[]): number {
  const levels = stretches
    .map(measureChannel)
    .flatMap(({ levels, speech }) => levels.filter((_, i) => speech[i]))
  return levels.length > 0 ? meanLevel(levels) : Number.NEGATIVE_INFINITY
}

/** True where the detector hears speech: a subwoofer has none, a microphone has. */
async function holdsVoice(stretches: readonly Int16Array[]): Promise<boolean> {
  const detector = await loadSpeechDetector()
  if (!detector) return false
  let windows = 0
  for (const samples of stretches)
    for await (const likely of detector.listen(samples)) windows += likely.filter(one => one > 0.5).length
  return windows >= minVoiceWindows
}

/** True where one sound is on both sides, in all windows: nothing else has to be measured. */
function areAlike([left, right]: Int16Array[][]): boolean {
  return left!.every((own, window) => {
    const { mix, difference } = powersOf(own, right![window]!, alikeStep)
    return difference <= mix * maxAlikeDifference
  })
}

/** How far (dB) the mix of two sides is below their difference. */
function cancelledDb([left, right]: Int16Array[][]): number {
  const powers = left!.map((own, window) => powersOf(own, right![window]!))
  const sum = (of: 'mix' | 'difference') => powers.reduce((total, each) => total + each[of], 1)
  return 10 * Math.log10(sum('difference') / sum('mix'))
}

function powersOf(left: Int16Array, right: Int16Array, step = 1): { mix: number; difference: number } {
  let [mix, difference] = [0, 0]
  for (let i = 0; i < left.length; i += step) {
    mix += (left[i]! + right[i]!) ** 2
    difference += (left[i]! - right[i]!) ** 2
  }
  return { mix, difference }
}

/** Weights of a mix in which every voice is about as loud as the others, and louder than what is none. */
function weightsOf(sides: Int16Array[][], levels: number[], kept: number[]): number[] {
  const loudest = Math.max(...levels)
  const idle = levels.filter(level => level === Number.NEGATIVE_INFINITY).length
  const share = loudest - 10 * Math.log10(idle)
  return sides.map((own, channel) => {
    const level = levels[channel]!
    if (level === Number.NEGATIVE_INFINITY) {
      const distance = share - rmsDbfs(own)
      return distance > minIdleDistanceDb ? 1 : gainOf(distance - mixedIdleDistanceDb)
    }
    if (!kept.includes(channel)) return 0
    return loudest - level < maxDistanceDb ? 1 : gainOf(loudest - level - mixedDistanceDb)
  })
}

/** The same weights in a mix that does not clip. */
function mixOf(sides: Int16Array[][], weights: number[]): number[] {
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

function gainOf(decibels: number): number {
  return 10 ** (decibels / 20)
}

function panOf(weights: readonly number[]): string {
  const terms = weights.flatMap((weight, channel) =>
    weight === 0 ? [] : [`${weight.toFixed(4)}*c${channel}`],
  )
  return `pan=mono|c0=${terms.join('+').replaceAll('+-', '-')}`
}
