// Where someone speaks: labels 20 ms frames by their level against the noise around them.

/** Samples a second everywhere behind the decoder. */
export const sampleRate = 16_000
/** Samples in a frame of 20 ms. */
export const frameSize = 320
export const framesPerSecond = sampleRate / frameSize

/** A frame is speech when it stands this far (dB) above the noise floor around it. */
const contrast = 9
/** Nothing under this level (dBFS, after the high-pass) counts as speech: about ten steps of a 16-bit sample. */
export const inaudibleDbfs = -66
/** In a stretch too short to know its noise floor, the floor is taken to be no higher than this (dBFS). */
const shortFloor = -59
const shortFrames = 3 * framesPerSecond
/** Steady sound above this level (dBFS) is not taken for silence. */
const loudestSilence = -45

const lookBack = 20 * framesPerSecond
const lookAhead = 5 * framesPerSecond
/** Share of the frames in that window that are taken to be background, even where nobody stops for breath. */
const backgroundShare = 0.03
/** The floor is looked for this near too: a soft voice between loud ones has pauses of its own. */
const nearby = framesPerSecond
/** Speech reaches this many frames further than its loud part: weak onsets and endings are under the threshold. */
const spread = 2

/** Level of one frame in dBFS, of its steps and without their mean: rumble and offsets would hide pauses. */
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
  return power <= 0 ? -100 : Math.max(-100, 10 * Math.log10(power) - 90.3)
}

/** Counts levels in steps of 1 dB, so that a percentile of a sliding window costs no sorting. */
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

  /** The level (dBFS) under which this share of the frames lies. */
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
}

function bin(level: number): number {
  return Math.max(0, Math.min(100, Math.round(level + 100)))
}

/**
 * Labels frames in order, with a delay of five seconds: speech is what stands out from the noise floor. The floor is the
 * lower of two: the quietest frames of the twenty seconds before and the five after, and the quietest moment within a
 * second. Both err towards speech: a missed pause costs an overlap, a missed word is lost. `push` and `flush` give the
 * labels that became known.
 */
export class ActivityLabeller {
  readonly #histogram = new LevelHistogram()
  /** Levels of the frames read; those before `#oldest` count no more, those from `#labelled` on wait. */
  #levels: number[] = []
  #oldest = 0
  #labelled = 0
  #dips: number[] = []
  #dipsKnown = 0

  /** Takes the next frame's level; returns the label of an earlier frame once there is one. */
  push(level: number): boolean | undefined {
    this.#histogram.add(level)
    this.#levels.push(level)
    if (this.#levels.length - this.#labelled <= lookAhead) return undefined
    return this.#next()
  }

  /** Labels of all frames that still wait. */
  flush(): boolean[] {
    const labels: boolean[] = []
    while (this.#labelled < this.#levels.length) labels.push(this.#next())
    return labels
  }

  #next(): boolean {
    const threshold = this.#threshold()
    const end = Math.min(this.#labelled + spread, this.#levels.length - 1)
    let speech = false
    for (let i = Math.max(0, this.#labelled - spread); i <= end; i++)
      if (this.#levels[i]! > threshold) speech = true
    this.#labelled++
    if (this.#labelled - this.#oldest > lookBack) this.#histogram.remove(this.#levels[this.#oldest++]!)
    if (this.#oldest > 10 * lookBack) this.#shorten()
    return speech
  }

  #threshold(): number {
    const floor = Math.min(this.#histogram.percentile(backgroundShare), this.#quietestNearby())
    const known = this.#histogram.total >= shortFrames ? floor : Math.min(floor, shortFloor)
    return Math.max(known + contrast, inaudibleDbfs)
  }

  /**
   * The least mean level of three frames in a row; single frames dip too low by chance. `#dips` holds the places that
   * may yet be the least of a window that only moves forward, quietest first.
   */
  #quietestNearby(): number {
    const to = Math.min(this.#levels.length - 3, this.#labelled + nearby)
    for (; this.#dipsKnown <= to; this.#dipsKnown++) {
      const mean = this.#meanAt(this.#dipsKnown)
      while (this.#dips.length > 0 && this.#meanAt(this.#dips.at(-1)!) >= mean) this.#dips.pop()
      this.#dips.push(this.#dipsKnown)
    }
    while (this.#dips.length > 0 && this.#dips[0]! < this.#labelled - nearby) this.#dips.shift()
    return this.#dips.length > 0 ? this.#meanAt(this.#dips[0]!) : 0
  }

  #meanAt(place: number): number {
    return (this.#levels[place]! + this.#levels[place + 1]! + this.#levels[place + 2]!) / 3
  }

  /** Drops the levels that count no more; seldom, as it copies those that do. */
  #shorten(): void {
    this.#levels = this.#levels.slice(this.#oldest)
    this.#labelled -= this.#oldest
    this.#dipsKnown -= this.#oldest
    this.#dips = this.#dips.map(place => place - this.#oldest)
    this.#oldest = 0
  }
}

/**
 * Whether a stretch without speech labels is truly silent, and may be left out: inaudible, or steady and quiet.
 * Whatever rises and falls like speech is kept, however quiet it is beside a loud neighbour; so is loud noise, which
 * may drown a voice.
 */
export class SilenceTest {
  #histogram = new LevelHistogram()
  #recent: [number, number, number] = [-100, -100, -100]
  #peak = -100

  add(level: number): void {
    this.#histogram.add(level)
    this.#recent = [this.#recent[1], this.#recent[2], level]
    if (this.#histogram.total >= 3) this.#peak = Math.max(this.#peak, mean(this.#recent))
  }

  get frames(): number {
    return this.#histogram.total
  }

  get silent(): boolean {
    if (this.#peak < inaudibleDbfs) return true
    if (this.#histogram.total < shortFrames) return this.#peak < shortFloor + contrast
    const floor = this.#histogram.percentile(0.1)
    return floor <= loudestSilence && this.#peak < floor + contrast
  }
}

function mean([a, b, c]: [number, number, number]): number {
  return (a + b + c) / 3
}
