// Weighs whether the two channels of a recording carry a voice each, or the same sound twice.
import { ActivityLabeller, frameLevel, frameSize } from '../audio/activity.ts'
import { blocksPerSecond, framesPerBlock, meanLevel } from './levels.ts'

/** A stretch of both channels: 16 kHz samples, of equal length. */
export type Stereo = readonly [left: Int16Array, right: Int16Array]

/**
 * A channel has the voice alone where it is so much louder (dB) than the other. The other side's echo in a call lies
 * 20 dB down and more; microphones in one room, and voices put left and right of a stage, differ by 10 dB at most.
 */
const apart = 15
/** An echo or a room's reverberation may follow its voice by this many blocks, and must not pass for a voice of its own. */
const echo = 4
/** A lone stretch lasts this many blocks at least: clicks, drums and the ends of syllables are shorter. */
const shortestRun = 3

/** Callers take turns: most of the time one of them speaks alone. In a room and in music both channels sound at once. */
const leastAlone = 0.6
/** Of the time in which somebody speaks, each has this share alone, and this many blocks: an answer or two, not a cough. */
const leastOwn = { share: 0.03, blocks: 1.5 * blocksPerSecond }
/** The spectrum of speech moves between vowels and hisses; that of tones, hums and hiss stays where it is. */
const leastMovement = 0.1
/** Where both channels sound, the same sound in both (an announcement, a third voice) would be heard twice. */
const mostSame = 0.1

/** True where each channel has a voice of its own; every doubt speaks against it. */
export function areSeparateChannels(stretches: readonly Stereo[]): boolean {
  const found = stretches.map(weigh)
  const sum = (of: (one: Evidence) => number) => found.reduce((total, one) => total + of(one), 0)
  const active = sum(one => one.active)
  const alone = [sum(one => one.alone[0]), sum(one => one.alone[1])] as const
  const movement = ([0, 1] as const).map(side => deviation(found.flatMap(({ tilts }) => tilts[side])))
  return (
    alone.every(own => own >= leastOwn.blocks && own >= leastOwn.share * active) &&
    alone[0] + alone[1] >= leastAlone * active &&
    movement.every(most => most >= leastMovement) &&
    sameShare(found.flatMap(({ similar }) => similar)) * sum(one => one.similar.length) <= mostSame * active
  )
}

/** What a stretch has to say, in blocks. */
interface Evidence {
  /** In which somebody speaks in either channel. */
  active: number
  /** In which only this channel has the voice. */
  alone: [left: number, right: number]
  /** In which both channels are about as loud. */
  similar: Place[]
  /** Of the frames in which this channel has the voice alone. */
  tilts: [left: number[], right: number[]]
}

function weigh(stretch: Stereo): Evidence {
  const sides = stretch.map(measure) as [Side, Side]
  const count = sides[0].levels.length
  const lone = [loneBlocks(sides[0], sides[1]), loneBlocks(sides[1], sides[0])] as const
  const found: Evidence = { active: 0, alone: [0, 0], similar: [], tilts: [[], []] }
  for (let i = 0; i < count; i++) {
    if (!sides[0].speech[i] && !sides[1].speech[i]) continue
    found.active++
    for (const side of [0, 1] as const) {
      if (!lone[side][i]) continue
      found.alone[side]++
      found.tilts[side].push(...tiltsOf(stretch[side], i))
    }
    const isSimilar = Math.abs(sides[0].levels[i]! - sides[1].levels[i]!) < apart
    if (sides[0].speech[i] && sides[1].speech[i] && isSimilar)
      found.similar.push({ stretch, from: i * framesPerBlock * frameSize })
  }
  return found
}

/** A block of both channels. */
interface Place {
  stretch: Stereo
  /** Its first sample. */
  from: number
}

interface Side {
  /** Of each block, in dBFS. */
  levels: number[]
  speech: boolean[]
}

function measure(samples: Int16Array): Side {
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
  const side: Side = { levels: [], speech: [] }
  for (let at = 0; at + framesPerBlock <= frames.length; at += framesPerBlock) {
    side.levels.push(meanLevel(frames.slice(at, at + framesPerBlock)))
    side.speech.push(labels.slice(at, at + framesPerBlock).includes(true))
  }
  return side
}

/** Blocks in which one side speaks and the other, a little before and after as well, is far below it. */
function loneBlocks(mine: Side, other: Side): boolean[] {
  const loudest = ({ levels }: Side, i: number) => Math.max(...levels.slice(Math.max(0, i - echo), i + 2))
  const lone = mine.speech.map((speech, i) => speech && loudest(mine, i) >= loudest(other, i) + apart)
  for (let from = 0; from < lone.length; from++) {
    let to = from
    while (lone[to]) to++
    if (to - from < shortestRun) lone.fill(false, from, to)
    from = Math.max(from, to)
  }
  return lone
}

/** How much of each frame's power is in its low tones, from 1 to -1: its correlation with itself, an eighth of a millisecond on. */
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

/** Blocks that are compared at most, evenly taken: more would say the same. */
const mostCompared = 100
/** Microphones of one room hear a voice up to 10 ms apart (samples). */
const longestLag = 160
/** Two sounds of their own correlate less than this by chance, also where both are vowels. */
const sameSound = 0.7

/** Of these blocks, the share in which both channels hold one sound. */
function sameShare(blocks: Place[]): number {
  const step = Math.max(1, blocks.length / mostCompared)
  let [compared, same] = [0, 0]
  for (let i = 0; i < blocks.length; i += step) {
    compared++
    if (likeness(blocks[Math.floor(i)]!) > sameSound) same++
  }
  return compared === 0 ? 0 : same / compared
}

/** The greatest correlation of a block with the other channel, at any lag, of either polarity. */
function likeness({ stretch: [left, right], from }: Place): number {
  const length = framesPerBlock * frameSize
  let best = 0
  for (let lag = -longestLag; lag <= longestLag; lag++) {
    const shift = from + lag
    if (shift < 0 || shift + length > right.length) continue
    let [product, leftPower, rightPower] = [0, 0, 0]
    for (let i = 0; i < length; i++) {
      const [a, b] = [left[from + i]!, right[shift + i]!]
      product += a * b
      leftPower += a * a
      rightPower += b * b
    }
    if (leftPower > 0 && rightPower > 0)
      best = Math.max(best, Math.abs(product) / Math.sqrt(leftPower * rightPower))
  }
  return best
}
