// Cuts a stream of samples into chunks of speech: at pauses, without long silences, with an overlap inside speech.
import { roundToMs, type Span } from '../../../domain/transcript.ts'
import { frameSize, framesPerSecond, SilenceTest } from '../activity.ts'
import { minAudibleDbfs, QuietListener } from '../speech-detector/quiet-speech.ts'
import { loadSpeechDetector, type SpeechDetector } from '../speech-detector/speech-detector.ts'
import { type Frame, FrameReader } from './frames.ts'
import { type Part, partsOf, spansOf, time } from './parts.ts'
import { type FrameLabel, longestPause, quietestFrame } from './pauses.ts'
import { FrameSamples, SampleMemory, type Samples } from './sample-memory.ts'

export interface Chunk extends Span {
  /** Number of the chunk in order of time, from 0. */
  index: number
  /** 16 kHz mono. Long silences are shortened, so this may be less than `end - start`. */
  samples: Samples
  /** Where `samples` come from. */
  parts: Part[]
  /** Of its frames, in dBFS. */
  levels: number[]
  /** Returns the memory of `samples`, or of those before this one; they must not be read afterwards. */
  release(before?: number): void
  /** Detected speech in seconds of the recording, without the overlap. */
  speech: Span[]
  /** Seconds at the start that the previous chunk contains too: 0 after a cut in a pause. */
  overlap: number
  /** Number of the channel, where channels are recognised separately. */
  channel?: number
}

export interface CutOptions {
  maxSeconds: number
  /** Length to aim at (seconds) for the chunk that begins at this second, behind so many chunks. Default: the maximum. */
  lengthAt?(start: number, chunksBefore: number): number
}

/** A longer silence is left out, except for a margin on either side of speech. */
const longSilenceFrames = 3 * framesPerSecond
const silenceMarginFrames = 0.5 * framesPerSecond
/** Speech in a silence is heard up to half a second late, and then has its margin, too. */
const heldFrames = 2 * silenceMarginFrames + 1
/** A chunk ends after this much silence, so that estimated times stay accurate. */
const endingSilenceFrames = 20 * framesPerSecond
/** A chunk ends in a pause up to so far from where it should, or in the next one where there is none. */
const maxAimedFrames = 4 * framesPerSecond
/** Of its length. */
const maxAimedShare = 1 / 4
const nextPauseFrames = 5 * framesPerSecond
/** Overlap of two chunks that are cut inside speech: in frames, and as a share of the chunk limit. */
const overlapFrames = { min: 2 * framesPerSecond, max: 4 * framesPerSecond }
const overlapShare = { min: 1 / 8, max: 1 / 4 }

/**
 * Yields chunks as soon as they are known. `audio` holds 16-bit little-endian samples, 16 kHz mono, in buffers of
 * whole samples. Memory: one chunk and 15 seconds, regardless of the length of the recording.
 */
export async function* cut(
  audio: AsyncIterable<Buffer> | Iterable<Buffer>,
  options: CutOptions,
): AsyncGenerator<Chunk> {
  const cutter = new Cutter(options, await loadSpeechDetector())
  for await (const buffer of audio) yield* cutter.write(buffer)
  yield* cutter.end()
}

/** Fills a chunk frame by frame, from frames that wait for their label. */
class Cutter {
  readonly #limit: number
  readonly #lengthAt: CutOptions['lengthAt']
  readonly #reader = new FrameReader((frame, isSpeech) => this.#label(frame, isSpeech))
  #chunkIndex = 0

  // The chunk being filled.
  #samples: FrameSamples
  /** Frame numbers in the recording. */
  #frames: number[] = []
  #levels: number[] = []
  #labels: FrameLabel[] = []
  /** Frames from which on a pause may end the chunk, and how many it has when one is looked for. */
  #aim: { from: number; look: number } | undefined
  /** Earlier frames are in the previous chunk too. */
  #newFrom = 0
  #overlap = 0
  /** Finished chunks that were not yielded yet. */
  readonly #ready: Chunk[] = []

  // The run of frames without speech at the end of the input, and its frames that are left out for now.
  readonly #silence = new SilenceTest()
  #held: Frame[] = []
  readonly #detector: SpeechDetector | undefined
  #quiet: QuietListener | undefined

  readonly #memory = new SampleMemory()

  constructor({ maxSeconds, lengthAt }: CutOptions, detector: SpeechDetector | undefined) {
    this.#limit = Math.floor(maxSeconds * framesPerSecond)
    this.#lengthAt = lengthAt
    this.#detector = detector
    this.#samples = new FrameSamples(this.#memory)
  }

  /** Returns the chunks that these samples complete; usually none. */
  write(buffer: Buffer): Chunk[] {
    this.#reader.write(buffer)
    return this.#ready.splice(0)
  }

  end(): Chunk[] {
    this.#reader.end()
    if (this.#frames.length > 0) this.#emit(this.#frames.length, this.#frames.length)
    return this.#ready.splice(0)
  }

  #label(next: Frame, isSpeech: boolean): void {
    if (isSpeech) {
      this.#silence.clear()
      this.#restore(silenceMarginFrames, 'silence')
      this.#append(next, 'speech')
      return
    }
    this.#silence.add(next.level)
    if (this.#silence.frames < longSilenceFrames) {
      this.#append(next, 'pause')
    } else if (this.#silence.silent && !this.#hears(next)) {
      if (this.#silence.frames === longSilenceFrames) this.#shorten()
      this.#held.push(next)
      if (this.#held.length > heldFrames) this.#reader.reuse(this.#held.shift()!)
      if (this.#silence.frames === endingSilenceFrames && this.#frames.length > 0)
        this.#emit(this.#frames.length, this.#frames.length)
    } else {
      // Quiet sound that rises and falls like speech, or is heard: label it as speech and start a new silence test.
      const doubtful = Math.min(this.#labels.length, longSilenceFrames - 1)
      if (this.#silence.frames === longSilenceFrames)
        this.#labels.fill('speech', this.#labels.length - doubtful)
      this.#silence.clear()
      this.#restore(heldFrames, 'speech')
      this.#append(next, 'speech')
    }
  }

  /** True where a voice is heard in a silence that has just become long, but for its margin; or goes on. */
  #hears(next: Frame): boolean {
    if (!this.#detector) return false
    if (this.#silence.frames > longSilenceFrames) return this.#quiet!.add(next.samples, next.level)
    this.#quiet = new QuietListener(this.#detector)
    const from = Math.max(0, this.#frames.length - (longSilenceFrames - 1) + silenceMarginFrames)
    const samples = this.#samples.subarray(from * frameSize, this.#samples.length)
    return this.#quiet.hears(samples, this.#levels.slice(from))
  }

  /** Removes the silence that has just become long from the chunk's end, except for a margin. */
  #shorten(): void {
    const speechEnd = Math.max(0, this.#frames.length - (longSilenceFrames - 1))
    const length = Math.min(this.#frames.length, speechEnd + silenceMarginFrames)
    for (const list of [this.#frames, this.#levels, this.#labels]) list.length = length
    this.#samples.shorten(length * frameSize)
    this.#labels.fill('silence', speechEnd)
  }

  /** Puts back at most so many frames before speech. A voice is heard late: inaudible ones before it are silence. */
  #restore(frames: number, label: FrameLabel): void {
    if (this.#held.length === 0) return
    const held = this.#held
    this.#held = []
    for (const frame of held.splice(0, Math.max(0, held.length - frames))) this.#reader.reuse(frame)
    const first = held.findIndex(({ level }) => level > minAudibleDbfs)
    for (const [i, frame] of held.entries()) this.#append(frame, i < first ? 'silence' : label)
  }

  #append(frame: Frame, label: FrameLabel): void {
    const { samples, level, index } = frame
    if (this.#frames.length === this.#limit) this.#cutFull()
    else if (this.#frames.length === 0) this.#aim = this.#aimAt(time(index))
    else if (this.#frames.length >= (this.#aim?.look ?? this.#limit)) this.#cutAimed()
    this.#samples.push(samples)
    this.#frames.push(index)
    this.#levels.push(level)
    this.#labels.push(label)
    this.#reader.reuse(frame)
  }

  #aimAt(start: number): { from: number; look: number } | undefined {
    const frames = (this.#lengthAt?.(start, this.#chunkIndex) ?? Number.POSITIVE_INFINITY) * framesPerSecond
    if (frames >= this.#limit) return undefined
    const distance = Math.min(maxAimedFrames, maxAimedShare * frames)
    return { from: Math.max(1, Math.floor(frames - distance)), look: Math.floor(frames + distance) }
  }

  /** Ends a chunk in a pause that is as far from its start as it should be. */
  #cutAimed(): void {
    const { from } = this.#aim!
    const pause = longestPause(this.#labels, this.#levels, from)
    if (pause === undefined) this.#aim = { from, look: this.#frames.length + nextPauseFrames }
    else this.#emit(pause, pause)
  }

  /** Ends a full chunk in the longest pause near its aim, or of its last third, or at a quiet moment with an overlap. */
  #cutFull(): void {
    const from = Math.floor((this.#limit * 2) / 3)
    const pauseFrom = (first: number) => longestPause(this.#labels, this.#levels, first)
    const pause = pauseFrom(Math.max(from, this.#aim?.from ?? 0)) ?? pauseFrom(from)
    if (pause !== undefined) {
      this.#emit(pause, pause)
      return
    }
    const end = quietestFrame(this.#levels, from, this.#limit)
    const overlap = (bound: 'min' | 'max') =>
      Math.floor(Math.min(overlapFrames[bound], this.#limit * overlapShare[bound]))
    const next = quietestFrame(this.#levels, end - overlap('max'), end - overlap('min'))
    this.#emit(end, next)
  }

  /** Makes a chunk of the frames before `end`, if there is speech in them, and keeps those from `next` on. */
  #emit(end: number, next: number): void {
    const filled = this.#samples
    this.#samples = new FrameSamples(this.#memory)
    for (let at = next * frameSize; at < filled.length; at += frameSize)
      this.#samples.push(filled.subarray(at, at + frameSize))
    filled.shorten(end * frameSize)
    let chunk: Chunk | undefined
    if (this.#hasSpeech(filled, end)) {
      chunk = {
        index: this.#chunkIndex++,
        start: time(this.#frames[0]!),
        end: time(this.#frames[end - 1]! + 1),
        samples: filled,
        parts: partsOf(this.#frames.slice(0, end)),
        levels: this.#levels.slice(0, end),
        release: before => filled.release(before),
        speech: this.#spans(end),
        overlap: roundToMs(this.#overlap / framesPerSecond),
      }
    } else {
      filled.release()
    }
    this.#overlap = end - next
    this.#newFrom = (this.#frames[end - 1] ?? -1) + 1
    this.#frames = this.#frames.slice(next)
    this.#levels = this.#levels.slice(next)
    this.#labels = this.#labels.slice(next)
    this.#aim = this.#frames.length > 0 ? this.#aimAt(time(this.#frames[0]!)) : undefined
    if (chunk) this.#ready.push(chunk)
  }

  /** A stretch without speech labels may still contain quiet speech, unless it passes the silence test. */
  #hasSpeech(samples: Samples, end: number): boolean {
    if (this.#anySpeech(end)) return true
    const test = new SilenceTest()
    for (let i = 0; i < end; i++) if (this.#labels[i] === 'pause') test.add(this.#levels[i]!)
    if (test.frames === 0) return false
    const quiet = this.#detector && new QuietListener(this.#detector)
    return !test.silent || quiet?.hears(samples, this.#levels.slice(0, end)) === true
  }

  #anySpeech(end: number): boolean {
    return end > 0 && this.#labels.lastIndexOf('speech', end - 1) >= 0
  }

  /** All of the chunk where its speech is too quiet for any label. */
  #spans(end: number): Span[] {
    const any = this.#anySpeech(end)
    return spansOf(
      this.#frames.slice(0, end),
      (frame, i) => frame >= this.#newFrom && (!any || this.#labels[i] === 'speech'),
    )
  }
}
