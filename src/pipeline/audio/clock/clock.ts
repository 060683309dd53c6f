// Puts decoded samples on the clock of a player: each sample's number is its time in the file.
import type { Span } from '../../../domain/transcript.ts'
import { frameLevel, frameSize, sampleRate } from '../activity.ts'
import { LeapFilter } from './leaps.ts'
import { type Packet, PacketReader } from './packets.ts'
import { PageFilter } from './pages.ts'

export interface ClockOptions {
  /** True where the container shows that files were joined to one. */
  isJoined: boolean | undefined
  /** Pages of an Ogg that may hide a gap, in the times of the file. */
  pages?: readonly Span[]
  /** Milliseconds at which a player's clock begins, in the times of the file. */
  startMs(): number
  /** False where the file cannot leave out so many seconds after this moment: its clock has leapt, and goes on without a gap. */
  isGap(seconds: number, start: number): boolean
  /** Called where samples no longer follow each other as in the file. */
  onChange(): void
  /** Called where the output ends before it is complete, or goes on with bytes that are not ffmpeg's. */
  onBroken(): void
}

const samplesPerMs = sampleRate / 1000
const frameBytes = frameSize * 2
/** A shorter step is jitter of the time stamps. */
const minGap = 0.1 * sampleRate
/** Smaller differences between samples and time stamps are left alone, larger ones put right in quiet frames. */
const maxDrift = 0.04 * sampleRate
/** Above this, silence is inserted even where no frame is quiet. */
const maxLateness = 0.5 * sampleRate
/** Where the format of the sound changes, ffmpeg starts anew; it gives a packet whose clock then goes back the time after the last one. */
const maxClampedStep = 2 * samplesPerMs
/** Frames that tell the background from sound, and how far above it a quiet frame is. */
const backgroundFrames = 50
const quietContrastDb = 3
/** The stop within a word is shorter than so many quiet frames. */
const minQuietFrames = 8
const backgroundRiseDb = 0.02
const silence = Buffer.alloc(64_000)

/**
 * Yields the samples in buffers, with silence where the time stamps leave a gap, and with quiet frames repeated or left
 * out where the clock is slower or faster than its samples.
 */
export async function* onClock(output: AsyncIterable<Buffer>, options: ClockOptions): AsyncGenerator<Buffer> {
  const reader = new PacketReader()
  const leaps = new LeapFilter(samplesPerMs, options.isJoined)
  const pages = new PageFilter(samplesPerMs, options.pages)
  const clock = new Clock(options)
  for await (const bytes of output) {
    // ffmpeg has described the file on another pipe by now.
    await turn()
    yield* placed(onward(reader.read(bytes).flatMap(packet => leaps.add(packet))))
    if (reader.isBroken) break
  }
  yield* placed([...onward(leaps.flush()), ...pages.flush()])
  yield* silenceOf(clock.owed())
  if (!reader.isWhole) options.onBroken()

  function onward(packets: Packet[]): Packet[] {
    return options.pages ? packets.flatMap(packet => pages.add(packet)) : packets
  }

  async function* placed(packets: Packet[]): AsyncGenerator<Buffer> {
    let ready: Buffer[] = []
    for (const packet of packets) {
      const gap = clock.gapBefore(packet)
      if (gap > 0) {
        yield Buffer.concat(ready)
        ready = []
        yield* silenceOf(gap)
      }
      clock.place(packet.samples, ready)
    }
    if (ready.length > 0) yield Buffer.concat(ready)
  }
}

/** Silence of so many samples, in buffers. Other work has its turn between them, as ten hours take seconds. */
export async function* silenceOf(samples: number): AsyncGenerator<Buffer> {
  for (let bytes = samples * 2; bytes > 0; bytes -= silence.length) {
    yield silence.subarray(0, bytes)
    await turn()
  }
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Counts in samples. */
class Clock {
  readonly #options: ClockOptions
  /** Number of the next sample. */
  #position = 0
  /** From the time stamps to the clock. */
  #offset = 0
  #last: { time: number; length: number } | undefined
  /** How late the time stamps are behind the samples, without their jitter. */
  #lateness = 0
  #isCorrecting = false
  readonly #background = new Background()

  constructor(options: ClockOptions) {
    this.#options = options
  }

  /** Samples of silence before the packet. */
  gapBefore({ time: ms, samples }: Packet): number {
    const length = samples.length >> 1
    const time = ms * samplesPerMs
    const last = this.#last
    this.#last = { time, length }
    if (!last) this.#offset = -this.#options.startMs() * samplesPerMs
    else if (time - last.time <= maxClampedStep && last.length > 2 * maxClampedStep)
      this.#offset = this.#position - time
    const late = Math.round(time + this.#offset - this.#position)
    const step = last ? time - last.time - last.length : late
    if (step < minGap && (step > -minGap || late > 0)) {
      this.#lateness += (late - this.#lateness) * Math.min(1, length / sampleRate)
      if (this.#lateness < maxLateness) return 0
    }
    this.#lateness = 0
    if (late >= 0 && this.#options.isGap(late / sampleRate, this.#position / sampleRate)) {
      this.#position += late
      if (late > 0) this.#options.onChange()
      return late
    }
    if (late > 0 || step < 0) this.#offset -= late
    return 0
  }

  /** Samples by which the last packet ends later than what was placed: no pause came in which to put it right. */
  owed(): number {
    const { time, length } = this.#last ?? { time: 0, length: 0 }
    return Math.max(0, Math.round(time + length + this.#offset - this.#position))
  }

  /** Adds the samples to `ready`. */
  place(samples: Buffer, ready: Buffer[]): void {
    const drift = Math.abs(this.#lateness)
    this.#isCorrecting = drift > (this.#isCorrecting ? frameSize : maxDrift)
    if (this.#isCorrecting) this.#options.onChange()
    if (drift > maxDrift / 2 || this.#isCorrecting) this.#placeFrames(samples, ready)
    else this.#add(samples, ready)
  }

  #placeFrames(samples: Buffer, ready: Buffer[]): void {
    for (let at = 0; at < samples.length; at += frameBytes) {
      const frame = samples.subarray(at, at + frameBytes)
      const isQuiet = this.#background.isQuiet(frame)
      if (isQuiet && this.#isCorrecting && this.#lateness <= -frameSize) {
        this.#lateness += frameSize
        continue
      }
      this.#add(frame, ready)
      if (isQuiet && this.#isCorrecting && this.#lateness >= frameSize) {
        this.#lateness -= frameSize
        this.#add(frame, ready)
      }
    }
  }

  #add(samples: Buffer, ready: Buffer[]): void {
    ready.push(samples)
    this.#position += samples.length >> 1
  }
}

/** Tells the background of a recording from its sound. */
class Background {
  #level = 0
  #frames = 0
  /** Quiet frames that follow each other. */
  #quiet = 0

  /** True for a frame of the background, but for none of a short pause. */
  isQuiet(frame: Buffer): boolean {
    if (frame.length < frameBytes) return false
    const { buffer, byteOffset } = frame.byteOffset % 2 === 0 ? frame : Buffer.from(frame)
    const samples = new Int16Array(buffer, byteOffset, frameSize)
    const level = frameLevel(samples, 0, samples[0]!)
    this.#level = Math.min(level, this.#level + backgroundRiseDb)
    this.#frames++
    const isQuiet = this.#frames > backgroundFrames && level <= this.#level + quietContrastDb
    this.#quiet = isQuiet ? this.#quiet + 1 : 0
    return this.#quiet >= minQuietFrames
  }
}
