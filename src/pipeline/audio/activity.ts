// Voice activity detection: labels 20 ms frames by their level relative to the noise floor.

/** Samples a second of all decoded audio. */
export const sampleRate = 16_000
/** Samples of a 20 ms frame. */
export const frameSize = 320
export const framesPerSecond = sampleRate / frameSize

/** A frame is speech when its level is this far above the noise floor. */
const speechContrastDb = 9
/** No lower level (after the high-pass) counts as speech: about ten steps of a 16-bit sample. */
const inaudibleDbfs = -66
/** Upper bound of the noise floor in a stretch too short to measure it. */
const maxShortFloorDbfs = -59
const minFloorFrames = 3 * framesPerSecond
/** Louder steady sound is not silence. */
const maxSilenceDbfs = -45
export const minLevelDbfs = -100

const lookBackFrames = 20 * framesPerSecond
const lookAheadFrames = 5 * framesPerSecond
/** Share of the frames in that window that are background, even in speech without pauses. */
const backgroundShare = 0.03
/** The floor is also measured this close: a soft voice between loud ones has pauses of its own. */
const nearbyFrames = framesPerSecond
/** Speech extends this far beyond its loud part: weak onsets and endings are below the threshold. */
const hangoverFrames = 2

/** Level of one frame in dBFS after a high-pass and without its mean: rumble and offsets would hide pauses. */
export function frameLevel(samples: Int16Array, from: number, previous: number): number {
  let last = previous
  let sum = 0
  let drift = 0
  for (let i = from, end = from + frameSize; i < end; i++) {
    const sample = samples[i]!
    const step = sample - 0.95 * last
    sum += step * step
    drift += step
    last = sample
  }
  const power = (sum - (drift * drift) / frameSize) / frameSize
  return power <= 0 ? minLevelDbfs : Math.max(minLevelDbfs, 10 * Math.log10(power) - 90.3)
}

/** Counts levels in steps of 1 dB: a percentile of a sliding window needs no sorting. */
class LevelHistogram {
  readonly #counts = new Uint32Array(101)
  #total = 0

  add(level: number): void {
    this.#counts[bin(level)]!++
    this.#total++
  }

  remove(level: number): void {
    this.#counts[bin(level)]!--
    this.#total--
  }

  /** The level (dBFS) below which this share of the frames lies. */
  percentile(share: number): number {
    let left = share * this.#total
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i]!
      if (left < 0) return i - 100
    }
    return 0
  }

  get total(): number {
    return this.#total
  }

  clear(): void {
    this.#counts.fill(0)
    this.#total = 0
  }
}

function bin(level: number): number {
  return Math.max(0, Math.min(100, Math.round(level + 100)))
}

/**
 * Labels frames in order, five seconds late: speech is well above the noise floor. The floor is the lower of two: the
 * quietest frames of the twenty seconds before and the five after, and the quietest moment within a second. Both err
 * towards speech: a missed pause costs an overlap, a missed word is lost. `push` and `flush` return the labels that
 * became known.
 */
export class ActivityLabeller {
  readonly #histogram = new LevelHistogram()
  /** Levels of the frames read; those before `#oldest` have left the window, those from `#labelled` on are pending. */
  #levels: number[] = []
  #oldest = 0
  #labelled = 0
  #dips: number[] = []
  #dipsKnown = 0

  /** Takes the next frame's level; returns the label of an earlier frame once one is known. */
  push(level: number): boolean | undefined {
    this.#histogram.add(level)
    this.#levels.push(level)
    if (this.#levels.length - this.#labelled <= lookAheadFrames) return undefined
    return this.#next()
  }

  /** Labels of all pending frames. */
  flush(): boolean[] {
    const labels: boolean[] = []
    while (this.#labelled < this.#levels.length) labels.push(this.#next())
    return labels
  }

  #next(): boolean {
    const threshold = this.#threshold()
    const end = Math.min(this.#labelled + hangoverFrames, this.#levels.length - 1)
    let speech = false
    for (let i = Math.max(0, this.#labelled - hangoverFrames); i <= end; i++)
      if (this.#levels[i]! > threshold) speech = true
    this.#labelled++
    if (this.#labelled - this.#oldest > lookBackFrames) this.#histogram.remove(this.#levels[this.#oldest++]!)
    if (this.#oldest > 10 * lookBackFrames) this.#shorten()
    return speech
  }

  #threshold(): number {
    const floor = Math.min(this.#histogram.percentile(backgroundShare), this.#quietestNearby())
    const known = this.#histogram.total >= minFloorFrames ? floor : Math.min(floor, maxShortFloorDbfs)
    return Math.max(known + speechContrastDb, inaudibleDbfs)
  }

  /**
   * The lowest mean level of three consecutive frames; single frames dip too low by chance. `#dips` is a monotonic
   * queue: the frames that may become the minimum of the sliding window, quietest first.
   */
  #quietestNearby(): number {
    const to = Math.min(this.#levels.length - 3, this.#labelled + nearbyFrames)
    for (; this.#dipsKnown <= to; this.#dipsKnown++) {
      const mean = this.#meanAt(this.#dipsKnown)
      while (this.#dips.length > 0 && this.#meanAt(this.#dips.at(-1)!) >= mean) this.#dips.pop()
      this.#dips.push(this.#dipsKnown)
    }
    while (this.#dips.length > 0 && this.#dips[0]! < this.#labelled - nearbyFrames) this.#dips.shift()
    return this.#dips.length > 0 ? this.#meanAt(this.#dips[0]!) : 0
  }

  #meanAt(frame: number): number {
    return (this.#levels[frame]! + this.#levels[frame + 1]! + this.#levels[frame + 2]!) / 3
  }

  /** Drops the levels that have left the window; rarely, as it copies the others. */
  #shorten(): void {
    this.#levels = this.#levels.slice(this.#oldest)
    this.#labelled -= this.#oldest
    this.#dipsKnown -= this.#oldest
    this.#dips = this.#dips.map(frame => frame - this.#oldest)
    this.#oldest = 0
  }
}

/**
 * Tests whether a stretch without speech labels is truly silent and may be left out: inaudible, or steady and quiet.
 * Sound that rises and falls like speech is kept, however quiet beside a loud neighbour; so is loud noise, which may
 * mask a voice.
 */
export class SilenceTest {
  readonly #histogram = new LevelHistogram()
  #last = minLevelDbfs
  #lastButOne = minLevelDbfs
  #peak = minLevelDbfs

  add(level: number): void {
    this.#histogram.add(level)
    const mean = (this.#lastButOne + this.#last + level) / 3
    if (this.#histogram.total >= 3) this.#peak = Math.max(this.#peak, mean)
    this.#lastButOne = this.#last
    this.#last = level
  }

  /** Begins anew, with another stretch. */
  clear(): void {
    if (this.frames === 0) return
    this.#histogram.clear()
    this.#peak = minLevelDbfs
  }

  get frames(): number {
    return this.#histogram.total
  }

  get silent(): boolean {
    if (this.#peak < inaudibleDbfs) return true
    if (this.#histogram.total < minFloorFrames) return this.#peak < maxShortFloorDbfs + speechContrastDb
    const floor = this.#histogram.percentile(0.1)
    return floor <= maxSilenceDbfs && this.#peak < floor + speechContrastDb
  }
}
