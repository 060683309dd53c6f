// Tells leaps of a damaged clock from the gaps and joints of a recording.
import type { Packet } from './packets.ts'

/** ffmpeg adds it to the times at each step back, as none of its outputs takes a time before the last one. */
export const stepSeconds = 1_000_000
/** A step back by less is an overlap. */
export const maxOverlapSeconds = 0.1
/** Shorter gaps are those of packets that were not sent. */
const minLeapMs = 1_000
/** Sound of a long page of Ogg: where one is damaged, all of it may have a wrong time. */
const doubtMs = 5_000
/** The loss beside such a page. A longer gap is that of a recording that was joined. */
const maxLostMs = 1_500

/** Files that were joined start as late as each other, but for the jitter of their recorders. */
const maxStartMs = 100

/** Packets as they are read, but for the steps. */
interface RawPacket extends Packet {
  /** How often the clock has gone back before. */
  step: number
}

/**
 * Returns packets whose times do not go back: where a recording was joined to another, its times go on. Holds packets
 * after a leap for a few seconds of sound; where the clock then returns to what it was before, they had a wrong time.
 */
export class LeapFilter {
  readonly #samplesPerMs: number
  readonly #isJoined: boolean
  /** Of the first packet. */
  #start: number | undefined
  /** Of the last packet that was returned. */
  #end = 0
  #step: number | undefined
  /** To be added to the times since the last joint. */
  #shift = 0
  #held: RawPacket[] = []
  #heldMs = 0

  /** `isJoined`: a step back to the start of the clock begins another file, wherever its times lead then. */
  constructor(samplesPerMs: number, isJoined = false) {
    this.#samplesPerMs = samplesPerMs
    this.#isJoined = isJoined
  }

  add({ time, samples }: Packet): Packet[] {
    const step = Math.floor(time / (stepSeconds * 1000))
    return this.#add({ time: time - (step + 0.5) * stepSeconds * 1000, samples, step })
  }

  /** Returns what is still held at the end. */
  flush(): Packet[] {
    const packets: Packet[] = []
    while (this.#held.length > 0) packets.push(...this.#accept())
    return packets
  }

  #add(packet: RawPacket): Packet[] {
    this.#step ??= packet.step
    this.#start ??= packet.time
    const time = packet.time + this.#shift
    const first = this.#held[0]
    if (!first) {
      const isLeap = packet.step !== this.#step || time - this.#end >= minLeapMs
      if (this.#end > 0 && isLeap) return this.#hold(packet)
      return [this.#place(packet, time)]
    }
    if (!this.#hasReturned(packet.step, time, first)) return this.#hold(packet)
    const held = this.#takeHeld().map(one => this.#place(one, this.#end))
    this.#step = packet.step
    return [...held, ...this.#add(packet)]
  }

  /** After a step back, by a leap to where the clock would be by now; after a gap, by a step back into it. */
  #hasReturned(step: number, time: number, first: RawPacket): boolean {
    const lostMs = time - this.#end - this.#heldMs
    if (lostMs < -maxOverlapSeconds * 1000 || lostMs > maxLostMs) return false
    if (first.step !== this.#step) return !this.#isJoined || Math.abs(first.time - this.#start!) > maxStartMs
    return step !== this.#held.at(-1)!.step && time < first.time + this.#shift
  }

  #hold(packet: RawPacket): Packet[] {
    this.#held.push(packet)
    this.#heldMs += this.#lengthMs(packet)
    return this.#heldMs < doubtMs ? [] : this.#accept()
  }

  /** Takes the leap for a joint or a gap. */
  #accept(): Packet[] {
    const [first, ...rest] = this.#takeHeld()
    if (first!.step !== this.#step) this.#shift = this.#end - first!.time
    this.#step = first!.step
    return [this.#place(first!, first!.time + this.#shift), ...rest.flatMap(packet => this.#add(packet))]
  }

  #takeHeld(): RawPacket[] {
    const held = this.#held
    this.#held = []
    this.#heldMs = 0
    return held
  }

  #place(packet: RawPacket, time: number): Packet {
    this.#end = time + this.#lengthMs(packet)
    return { time, samples: packet.samples }
  }

  #lengthMs({ samples }: Packet): number {
    return samples.length / 2 / this.#samplesPerMs
  }
}
