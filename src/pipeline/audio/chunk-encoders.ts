// Encodes chunks to MP3, one after the other in the same ffmpeg: to start one takes a quarter of a chunk's encoding.
import { blockLength, blocksOf, bytesOf, type Samples } from './cut/sample-memory.ts'
import { delaySamples, encoderError, encoderLost, startEncoder } from './encode.ts'
import type { FfmpegProcess, LocateFfmpeg } from './ffmpeg.ts'
import { Mp3Memory } from './mp3-memory.ts'

/** Encoders of one recording; they end with the signal, or when they are released. */
export interface ChunkEncoders {
  /**
   * MP3 of these 16 kHz samples, followed by silence up to `minSamples`. `onTaken` receives how many are not read any more.
   * Throws `FFMPEG_FAILED` and `FFMPEG_HUNG`.
   */
  encode(samples: Samples, minSamples: number, onTaken?: (count: number) => void): Promise<Buffer>
  /** Takes back the memory of MP3 that is not read any more. */
  reuse(audio: Buffer): void
  /** Starts the first one, so that the first chunk need not wait for it. Further calls do nothing. */
  prepare(): void
  /** Ends those that are idle; a later chunk starts one anew. */
  release(): void
}

/** Of MPEG-2 layer III at 16 kHz and 32 kbit/s: without padding, so that a chunk is a run of bytes. */
const frameSamples = 576
const frameBytes = 144
/** ffmpeg writes its output in blocks; silence behind a chunk pushes the chunk's last block out. */
const blockBytes = 32_768
/** Held by ffmpeg and LAME at a time, and silence enough between two chunks for neither to be heard in the other. */
const heldFrames = 16
/** An ffmpeg with larger blocks writes nothing more by then: the end of its input pushes everything out. */
const usualQuietMs = 2_000

/** Idle in this process, the one that waits longest first: each keeps 13 MB, and many recordings may be at work. */
const idleAnywhere: Encoder[] = []
/** As many as two recordings use. */
const maxIdle = 4

export function createChunkEncoders(
  ffmpeg: LocateFfmpeg,
  signal: AbortSignal,
  maxQuietMs = usualQuietMs,
): ChunkEncoders {
  const idle: Encoder[] = []
  const memory = new Mp3Memory()
  let first: Promise<void> | undefined
  let hasStarted = false
  let isReleased = false

  async function start(): Promise<Encoder> {
    hasStarted = true
    return new Encoder(startEncoder(await ffmpeg(), 'recording', signal, standingAlone), maxQuietMs)
  }

  /** Undefined where there is none, or none that lives. */
  async function takeIdle(): Promise<Encoder | undefined> {
    const prepared = first
    first = undefined
    await prepared
    const encoder = idle.pop()
    if (encoder) drop(idleAnywhere, encoder)
    return encoder?.isEnded ? takeIdle() : encoder
  }

  function makeIdle(encoder: Encoder): void {
    if (isReleased || encoder.isEnded) {
      encoder.end()
      return
    }
    idle.push(encoder)
    idleAnywhere.push(encoder)
    if (idleAnywhere.length > maxIdle) idleAnywhere.shift()!.end()
  }

  function release(): void {
    isReleased = true
    signal.removeEventListener('abort', release)
    for (const encoder of idle.splice(0)) {
      drop(idleAnywhere, encoder)
      encoder.end()
    }
  }
  // The signal has ended them: they must not push out those of other recordings.
  signal.addEventListener('abort', release, { once: true })

  return {
    async encode(samples, minSamples, onTaken = () => {}) {
      const waiting = await takeIdle()
      let encoder = waiting ?? (await start())
      let audio = await encoder.encode(samples, minSamples, memory, onTaken)
      // The system may end a process that waits.
      if (!audio && waiting && !signal.aborted && !encoder.hasTaken) {
        encoder = await start()
        audio = await encoder.encode(samples, minSamples, memory, onTaken)
      }
      signal.throwIfAborted()
      if (!audio) throw encoder.hasTaken ? encoderLost() : encoderError(encoder.stderr())
      makeIdle(encoder)
      return audio
    },
    reuse: audio => memory.release(audio),
    prepare() {
      if (hasStarted || isReleased) return
      first = start().then(makeIdle)
      // The first chunk reports what is wrong.
      first.catch(() => {})
    },
    release,
  }
}

function drop(encoders: Encoder[], one: Encoder): void {
  const at = encoders.indexOf(one)
  if (at >= 0) encoders.splice(at, 1)
}

/** No frame takes bits from the ones before it. */
const standingAlone = ['-reservoir', '0']

class Encoder {
  readonly #process: FfmpegProcess
  readonly #output: AsyncIterator<Buffer>
  readonly #maxQuietMs: number
  /** Given to ffmpeg, silence included. */
  #frames = 0
  /** Where `#held` begins in the output. */
  #offset = 0
  #held: Buffer = Buffer.alloc(0)
  #hasEnded = false
  #hasTaken = false

  constructor(process: FfmpegProcess, maxQuietMs: number) {
    this.#process = process
    this.#maxQuietMs = maxQuietMs
    this.#output = process.stdout[Symbol.asyncIterator]()
  }

  /** True where it takes no other chunk. */
  get isEnded(): boolean {
    return this.#hasEnded
  }

  /** True where it has taken samples of the last chunk that are not kept any more. */
  get hasTaken(): boolean {
    return this.#hasTaken
  }

  stderr(): string {
    return this.#process.stderr()
  }

  /** Undefined where ffmpeg ended before it had encoded everything. */
  async encode(
    samples: Samples,
    minSamples: number,
    memory: Mp3Memory,
    onTaken: (count: number) => void,
  ): Promise<Buffer | undefined> {
    const length = Math.max(samples.length, minSamples)
    const start = this.#frames * frameBytes
    const end = (this.#frames + Math.ceil((length + delaySamples) / frameSamples)) * frameBytes
    const written = Math.ceil(end / blockBytes) * blockBytes
    const frames = Math.ceil(written / frameBytes) + heldFrames
    const silence = (frames - this.#frames) * frameSamples - samples.length
    this.#frames = frames
    void this.#write(samples, silence, onTaken)
    return this.#read(start, memory.take(end - start))
  }

  /** Block by block: Node hands a pipe everything that waits at once, and keeps all of it until the last byte is taken. */
  async #write(samples: Samples, silence: number, onTaken: (count: number) => void): Promise<void> {
    const { stdin } = this.#process
    const write = (part: Int16Array) =>
      new Promise<boolean>(resolve => stdin.write(bytesOf(part), error => resolve(!error)))
    this.#hasTaken = false
    for (const [i, block] of blocksOf(samples).entries()) {
      if (!(await write(block))) return
      // Less than a block fits into a pipe: of an ffmpeg that is dead, this one may be there.
      if (i === 0) continue
      this.#hasTaken = true
      onTaken(i * blockLength)
    }
    await write(new Int16Array(silence))
  }

  end(): void {
    this.#hasEnded = true
    this.#process.kill()
    void this.#output.return?.()
  }

  /** Fills `audio` with the output from `start` on. Each piece is copied at once: V8 frees it while it is young. */
  async #read(start: number, audio: Buffer): Promise<Buffer | undefined> {
    const { stdin } = this.#process
    const end = start + audio.length
    let isQuiet = false
    const timer = setInterval(() => {
      if (isQuiet && stdin.writableLength === 0) this.#finish()
      isQuiet = true
    }, this.#maxQuietMs)
    try {
      for (let piece = this.#held; ; ) {
        const at = this.#offset
        audio.set(piece.subarray(Math.max(0, start - at), end - at), Math.max(0, at - start))
        this.#offset += piece.length
        if (this.#offset >= end) {
          // A copy: the rest is short, and the whole buffer is not needed any more.
          this.#held = Buffer.from(piece.subarray(end - at))
          break
        }
        const { value, done } = await this.#output.next()
        if (done) return undefined
        isQuiet = false
        piece = value
      }
    } finally {
      clearInterval(timer)
    }
    this.#offset = end
    return audio
  }

  #finish(): void {
    this.#hasEnded = true
    this.#process.stdin.end()
  }
}
