// Decides whether two channels carry separate speakers or the same sound twice (dual mono, a room, music).
import { ActivityLabeller, frameLevel, frameSize } from '../audio/activity.ts'
import { blocksPerSecond, framesPerBlock, meanLevel } from './levels.ts'
import type { Stretch } from './windows.ts'

/**
 * A channel speaks alone where it is this much louder than the other. The echo of a call is 20 dB below its voice and
 * more; microphones in one room, and voices panned left and right, differ by 10 dB at most.
 */
const minLoneContrastDb = 15
/** An echo or reverberation may follow its voice for this long, and must not pass for a voice of its own. */
const maxEchoBlocks = 4
/** Clicks, drums and the ends of syllables are shorter. */
const minLoneBlocks = 3

/** Speakers of a call take turns, so most of the time one speaks alone. In a room and in music both channels sound. */
const minLoneShare = 0.6
/** Each speaker speaks alone for this share of the active time, and this long: an answer or two, not a cough. */
const minOwnShare = 0.03
const minOwnBlocks = 1.5 * blocksPerSecond
/** Standard deviation of the spectral tilt: speech moves between vowels and hisses; tones, hums and hiss do not. */
const minTiltDeviation = 0.1
/** Where both channels hold the same sound (an announcement, a third voice), it would be recognised twice. */
const maxSameShare = 0.1

/** True where each channel carries a speaker of its own; any doubt gives false. */
export function areSeparateChannels(stretches: readonly Stretch[]): boolean {
  const stats = stretches.map(measureStretch)
  const sum = (of: (one: StretchStats) => number) => stats.reduce((total, one) => total + of(one), 0)
  const active = sum(one => one.activeBlocks)
  const lone = [sum(one => one.loneBlocks[0]), sum(one => one.loneBlocks[1])] as const
  const deviations = ([0, 1] as const).map(side => deviation(stats.flatMap(({ tilts }) => tilts[side])))
  return (
    lone.every(own => own >= minOwnBlocks && own >= minOwnShare * active) &&
    lone[0] + lone[1] >= minLoneShare * active &&
    deviations.every(value => value >= minTiltDeviation) &&
    sameShare(stats.flatMap(({ similar }) => similar)) * sum(one => one.similar.length) <=
      maxSameShare * active
  )
}

/** True where the spectrum moves as that of speech does; `stretches` are of one channel. */
export function soundsLikeSpeech(stretches: readonly Int16Array[]): boolean {
  const tilts = stretches.flatMap(samples =>
    measureChannel(samples).speech.flatMap((isSpeech, block) => (isSpeech ? tiltsOf(samples, block) : [])),
  )
  return deviation(tilts) >= minTiltDeviation
}

interface StretchStats {
  /** Blocks with speech in either channel. */
  activeBlocks: number
  /** Blocks in which this channel speaks alone. */
  loneBlocks: [left: number, right: number]
  /** Blocks in which both channels are about equally loud. */
  similar: Block[]
  /** Spectral tilts of the frames in which this channel speaks alone. */
  tilts: [left: number[], right: number[]]
}

function measureStretch(stretch: Stretch): StretchStats {
  const sides = stretch.map(measureChannel) as [ChannelBlocks, ChannelBlocks]
  const count = sides[0].levels.length
  const lone = [loneBlocks(sides[0], sides[1]), loneBlocks(sides[1], sides[0])] as const
  const stats: StretchStats = { activeBlocks: 0, loneBlocks: [0, 0], similar: [], tilts: [[], []] }
  for (let i = 0; i < count; i++) {
    if (!sides[0].speech[i] && !sides[1].speech[i]) continue
    stats.activeBlocks++
    for (const side of [0, 1] as const) {
      if (!lone[side][i]) continue
      stats.loneBlocks[side]++
      stats.tilts[side].push(...tiltsOf(stretch[side]!, i))
    }
    const isSimilar = Math.abs(sides[0].levels[i]! - sides[1].levels[i]!) < minLoneContrastDb
    if (sides[0].speech[i] && sides[1].speech[i] && isSimilar)
      stats.similar.push({ stretch, from: i * framesPerBlock * frameSize })
  }
  return stats
}

/** A block of both channels. */
interface Block {
  stretch: Stretch
  /** Its first sample. */
  from: number
}

export interface ChannelBlocks {
  /** Level of each block, in dBFS. */
  levels: number[]
  speech: boolean[]
}

/** Channels that were measured: several comparisons need the same. */
const measured = new WeakMap<Int16Array, ChannelBlocks>()

export function measureChannel(samples: Int16Array): ChannelBlocks {
  const known = measured.get(samples)
  if (known) return known
  const labeller = new ActivityLabeller()
  const frames: number[] = []
  const labels: boolean[] = []
  for (let from = 0; from + frameSize <= samples.length; from += frameSize) {
    const level = frameLevel(samples, from, samples[Math.max(0, from - 1)]!)
    frames.push(level)
    const label = labeller.push(level)
    if (label !== undefined) labels.push(label)
  }
  labels.push(...labeller.flush())
  const blocks: ChannelBlocks = { levels: [], speech: [] }
  for (let at = 0; at + framesPerBlock <= frames.length; at += framesPerBlock) {
    blocks.levels.push(meanLevel(frames.slice(at, at + framesPerBlock)))
    blocks.speech.push(labels.slice(at, at + framesPerBlock).includes(true))
  }
  measured.set(samples, blocks)
  return blocks
}

/** Marks blocks in which one channel speaks and the other, also a little before and after, is far quieter. */
function loneBlocks(own: ChannelBlocks, other: ChannelBlocks): boolean[] {
  const loudest = ({ levels }: ChannelBlocks, i: number) =>
    Math.max(...levels.slice(Math.max(0, i - maxEchoBlocks), i + 2))
  const lone = own.speech.map(
    (speech, i) => speech && loudest(own, i) >= loudest(other, i) + minLoneContrastDb,
  )
  for (let from = 0; from < lone.length; from++) {
    let to = from
    while (lone[to]) to++
    if (to - from < minLoneBlocks) lone.fill(false, from, to)
    from = Math.max(from, to)
  }
  return lone
}

/** Spectral tilt of each frame of a block, from 1 (low tones) to -1: the autocorrelation at a lag of 1/8 ms. */
function tiltsOf(samples: Int16Array, block: number): number[] {
  const tilts: number[] = []
  for (let frame = 0; frame < framesPerBlock; frame++) {
    const from = (block * framesPerBlock + frame) * frameSize
    let [power, product] = [0, 0]
    for (let i = from + 2; i < from + frameSize; i++) {
      power += samples[i]! * samples[i]!
      product += samples[i]! * samples[i - 2]!
    }
    if (power > 0) tilts.push(product / power)
  }
  return tilts
}

function deviation(values: number[]): number {
  if (values.length === 0) return 0
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

/** Blocks to compare, evenly spaced; more would not change the result. */
const maxComparedBlocks = 100
/** Microphones of one room receive a voice up to 10 ms apart. */
const maxLagSamples = 160
/** Two separate sounds correlate less than this by chance, even where both are vowels. */
const minSameCorrelation = 0.7

/** Share of these blocks in which both channels hold the same sound. */
function sameShare(blocks: Block[]): number {
  const step = Math.max(1, blocks.length / maxComparedBlocks)
  let [compared, same] = [0, 0]
  for (let i = 0; i < blocks.length; i += step) {
    compared++
    if (maxCorrelation(blocks[Math.floor(i)]!) > minSameCorrelation) same++
  }
  return compared === 0 ? 0 : same / compared
}

/** The greatest cross-correlation of both channels at any lag, of either polarity. */
function maxCorrelation({ stretch: [left, right], from }: Block): number {
  const length = framesPerBlock * frameSize
  let best = 0
  for (let lag = -maxLagSamples; lag <= maxLagSamples; lag++) {
    const shift = from + lag
    if (shift < 0 || shift + length > right!.length) continue
    let [product, leftPower, rightPower] = [0, 0, 0]
    for (let i = 0; i < length; i++) {
      const [a, b] = [left![from + i]!, right![shift + i]!]
      product += a * b
      leftPower += a * a
      rightPower += b * b
    }
    if (leftPower > 0 && rightPower > 0)
      best = Math.max(best, Math.abs(product) / Math.sqrt(leftPower * rightPower))
  }
  return best
}
