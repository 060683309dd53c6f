// Cuts a stream of samples into chunks of speech: at pauses, without the silence, and never through a word unseen.
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { ActivityLabeller, frameLevel, frameSize, framesPerSecond, SilenceTest } from './activity.ts'
import { type Label, longestPause, quietest } from './pauses.ts'

export interface Chunk extends Span {
  /** Position in the recording's order, from 0. */
  index: number
  /** What is sent: 16 kHz mono. Long silences inside are shortened, so this may be less than `end - start`. */
  samples: Int16Array
  /** Gives the memory of `samples` back for a later chunk; nobody may read them from then on. */
  release(): void
  /** Where someone speaks, in seconds of the recording; without what the chunk before also holds. */
  speech: Span[]
  /** Seconds at the start that the chunk before holds too: 0 after a cut in a pause. */
  overlap: number
  /** Which channel it is of, where the channels are heard apart. */
  channel?: number
}

export interface CutOptions {
  /** No chunk is longer, in seconds. */
  maxSeconds: number
}

/** Silence is left out from this length on; this much of it stays on either side of speech. */
const longSilence = 3 * framesPerSecond
const silenceMargin = 0.5 * framesPerSecond
/** After this much silence a chunk ends, so that estimated times stay near the truth. */
const endingSilence = 20 * framesPerSecond
/** Where there is no pause, the next chunk begins this much before the end of the last (frames, and share of the limit). */
const overlapFrames = { least: 2 * framesPerSecond, most: 4 * framesPerSecond }
const overlapShare = { least: 1 / 8, most: 1 / 4 }

/**
 * Yields chunks as soon as they are known. `audio` holds 16-bit little-endian samples, 16 kHz mono, in buffers of
 * whole samples. Memory: one chunk and five seconds, whatever the length of the recording.
 */
export async function* cut(
  audio: AsyncIterable<Buffer> | Iterable<Buffer>,
  options: CutOptions,
): AsyncGenerator<Chunk> {
  const cutter = new Cutter(Math.floor(options.maxSeconds * framesPerSecond))
  for await (const buffer of audio) yield* cutter.write(buffer)
  yield* cutter.end()
}

interface Frame {
  samples: Int16Array
  level: number
  /** Its place in the recording, in frames. */
  place: number
}

/** The chunk being filled, frame by frame, and the frames that wait before it. */
class Cutter {
  readonly #limit: number
  readonly #labeller = new ActivityLabeller()
  #index = 0

  // Samples that wait for a label, and the part of a frame that waits for its rest.
  #waiting: Frame[] = []
  #partial: Int16Array = new Int16Array(frameSize)
  #partialLength = 0
  #previousSample: number | undefined
  /** Frames whose samples were copied on, to be filled again: a new array for each would keep the collector busy. */
  #spare: Int16Array[] = []
  #framesRead = 0

  // The chunk being filled.
  #samples: Int16Array
  #places: number[] = []
  #levels: number[] = []
  #labels: Label[] = []
  /** Frames before this one were in the chunk before. */
  #freshFrom = 0
  #overlap = 0
  /** Chunks that are done and were not yet handed out. */
  #ready: Chunk[] = []

  // The run of frames without speech at the end of what was read, and its frames that are left out for now.
  #run = new SilenceTest()
  #held: Frame[] = []

  /** Memory of chunks that were released: 5 MB each, which the collector would let pile up. */
  readonly #pool: Int16Array[] = []

  constructor(limit: number) {
    this.#limit = limit
    this.#samples = this.#memory()
  }

  #memory(): Int16Array {
    return this.#pool.pop() ?? new Int16Array(this.#limit * frameSize)
  }

  /** Returns the chunks that these samples completed; mostly none. */
  write(buffer: Buffer): Chunk[] {
    const aligned = buffer.byteOffset % 2 === 0 ? buffer : Buffer.from(buffer)
    const input = new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1)
    let at = 0
    while (at < input.length) {
      const take = Math.min(frameSize - this.#partialLength, input.length - at)
      this.#partial.set(input.subarray(at, at + take), this.#partialLength)
      this.#partialLength += take
      at += take
      if (this.#partialLength === frameSize) this.#read()
    }
    return this.#take()
  }

  end(): Chunk[] {
    if (this.#partialLength > 0) {
      this.#partial.fill(0, this.#partialLength)
      this.#read()
    }
    for (const label of this.#labeller.flush()) this.#label(label)
    if (this.#places.length > 0) this.#emit(this.#places.length, this.#places.length)
    return this.#take()
  }

  #take(): Chunk[] {
    const ready = this.#ready
    if (ready.length > 0) this.#ready = []
    return ready
  }

  #read(): void {
    const level = frameLevel(this.#partial, 0, this.#previousSample ?? this.#partial[0]!)
    this.#previousSample = this.#partial[frameSize - 1]!
    this.#waiting.push({ samples: this.#partial, level, place: this.#framesRead++ })
    this.#partial = this.#spare.pop() ?? new Int16Array(frameSize)
    this.#partialLength = 0
    const label = this.#labeller.push(level)
    if (label !== undefined) this.#label(label)
  }

  #label(speech: boolean): void {
    const next = this.#waiting.shift()!
    if (speech) {
      if (this.#run.frames > 0) this.#run = new SilenceTest()
      this.#release()
      this.#append(next, 'speech')
      return
    }
    this.#run.add(next.level)
    if (this.#run.frames < longSilence) {
      this.#append(next, 'pause')
    } else if (this.#run.silent) {
      if (this.#run.frames === longSilence) this.#shorten()
      this.#held.push(next)
      if (this.#held.length > silenceMargin) this.#spare.push(this.#held.shift()!.samples)
      if (this.#run.frames === endingSilence && this.#places.length > 0)
        this.#emit(this.#places.length, this.#places.length)
    } else {
      // It rises and falls like speech, though quietly: keep it as such, and look afresh from here on.
      const doubtful = Math.min(this.#labels.length, this.#run.frames - 1)
      this.#labels.fill('speech', this.#labels.length - doubtful)
      this.#run = new SilenceTest()
      this.#release()
      this.#append(next, 'speech')
    }
  }

  /** Takes the silence just recognised as long out of the chunk's end, but for a margin. */
  #shorten(): void {
    const speechEnd = Math.max(0, this.#places.length - (longSilence - 1))
    const length = Math.min(this.#places.length, speechEnd + silenceMargin)
    for (const list of [this.#places, this.#levels, this.#labels]) list.length = length
    this.#labels.fill('silence', speechEnd)
  }

  /** Puts the margin before the speech that follows a silence back. */
  #release(): void {
    const held = this.#held
    this.#held = []
    for (const frame of held) this.#append(frame, 'silence')
  }

  #append({ samples, level, place }: Frame, label: Label): void {
    if (this.#places.length === this.#limit) this.#cutFull()
    this.#samples.set(samples, this.#places.length * frameSize)
    this.#places.push(place)
    this.#levels.push(level)
    this.#labels.push(label)
    this.#spare.push(samples)
  }

  /** The chunk is full: end it in the longest pause of its last third, or else at a quiet moment with an overlap. */
  #cutFull(): void {
    const from = Math.floor((this.#limit * 2) / 3)
    const pause = longestPause(this.#labels, this.#levels, from)
    if (pause !== undefined) {
      this.#emit(pause, pause)
      return
    }
    const end = quietest(this.#levels, from, this.#limit)
    const reach = (bound: 'least' | 'most') =>
      Math.floor(Math.min(overlapFrames[bound], this.#limit * overlapShare[bound]))
    const next = quietest(this.#levels, end - reach('most'), end - reach('least'))
    this.#emit(end, next)
  }

  /** Hands out the frames before `end` as a chunk, if someone speaks in them, and keeps those from `next` on. */
  #emit(end: number, next: number): void {
    const filled = this.#samples
    const kept = filled.subarray(next * frameSize, this.#places.length * frameSize)
    let chunk: Chunk | undefined
    if (this.#hasSpeech(end)) {
      chunk = {
        index: this.#index++,
        start: time(this.#places[0]!),
        end: time(this.#places[end - 1]! + 1),
        samples: filled.subarray(0, end * frameSize),
        release: () => void this.#pool.push(filled),
        speech: this.#spans(end),
        overlap: roundToMs(this.#overlap / framesPerSecond),
      }
      this.#samples = this.#memory()
    }
    this.#samples.set(kept)
    this.#overlap = end - next
    this.#freshFrom = (this.#places[end - 1] ?? -1) + 1
    this.#places = this.#places.slice(next)
    this.#levels = this.#levels.slice(next)
    this.#labels = this.#labels.slice(next)
    if (chunk) this.#ready.push(chunk)
  }

  /** A stretch without any speech label may still hold quiet speech, if it does not pass for silence. */
  #hasSpeech(end: number): boolean {
    if (this.#anySpeech(end)) return true
    const test = new SilenceTest()
    for (let i = 0; i < end; i++) if (this.#labels[i] === 'pause') test.add(this.#levels[i]!)
    return test.frames > 0 && !test.silent
  }

  #anySpeech(end: number): boolean {
    return end > 0 && this.#labels.lastIndexOf('speech', end - 1) >= 0
  }

  #spans(end: number): Span[] {
    const spans: Span[] = []
    let open: { from: number; to: number } | undefined
    const close = () => open && spans.push({ start: time(open.from), end: time(open.to) })
    const any = this.#anySpeech(end)
    for (let i = 0; i < end; i++) {
      const frame = this.#places[i]!
      if ((any && this.#labels[i] !== 'speech') || frame < this.#freshFrom) continue
      if (open?.to === frame) {
        open.to = frame + 1
      } else {
        close()
        open = { from: frame, to: frame + 1 }
      }
    }
    close()
    return spans
  }
}

function time(frame: number): number {
  return roundToMs(frame / framesPerSecond)
}
