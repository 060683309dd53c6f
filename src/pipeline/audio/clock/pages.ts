// Finds where in a page of Ogg sound is missing: ffmpeg leaves the gap behind its first packet, in the middle of a word.
import type { Span } from '../../../domain/transcript.ts'
import type { Packet } from './packets.ts'

/** Times are whole milliseconds, and decoders move them a little. */
const toleranceMs = 3
/** Shorter gaps are jitter of the time stamps. */
const minGapMs = 100
/** By the format. */
const maxPagePackets = 255

/**
 * Holds the packets of a page that may hide a gap. The position of a page is that of its end, so that what is missing lies
 * before its last packet: where it is least loud.
 */
export class PageFilter {
  readonly #samplesPerMs: number
  readonly #pages: readonly Span[]
  #next = 0
  #held: Packet[] = []
  #last: Packet | undefined

  constructor(samplesPerMs: number, pages: readonly Span[] = []) {
    this.#samplesPerMs = samplesPerMs
    this.#pages = pages
  }

  add(packet: Packet): Packet[] {
    const isWithin = packet.time < this.#endMs() - toleranceMs
    // A page that would hold more has a wrong end: nothing is missing in it.
    const isWrong = isWithin && this.#held.length >= maxPagePackets
    const isSame = isWithin && !isWrong && !this.#isEarlier(packet)
    const before = isSame ? [] : this.#release(isWrong)
    if (isWrong) this.#next++
    while (this.#endMs() <= packet.time + toleranceMs) this.#next++
    const page = this.#pages[this.#next]
    if (page && packet.time >= page.start * 1000 - toleranceMs) {
      this.#held.push(packet)
      return before
    }
    this.#last = packet
    return [...before, packet]
  }

  /** True for one that overlaps those that are held: it cannot be laid behind them. */
  #isEarlier({ time }: Packet): boolean {
    const [first] = this.#held
    return first !== undefined && time < first.time
  }

  /** Returns what is held. */
  flush(): Packet[] {
    return this.#release()
  }

  #release(isAsItIs = false): Packet[] {
    const page = this.#held
    const [first, last] = [page[0], page.at(-1)]
    if (!first || !last) return []
    const missing = this.#endMs() - first.time - page.reduce((sum, packet) => sum + this.#lengthMs(packet), 0)
    const isWhole = isAsItIs || missing < minGapMs || this.#hasLoss(page)
    const laid = isWhole ? page : this.#layOut(page, missing)
    this.#held = []
    this.#last = last
    return laid
  }

  /** True where packets could not be decoded: those behind them have their times. */
  #hasLoss(page: readonly Packet[]): boolean {
    return page.some((packet, i) => {
      const before = i > 1 ? page[i - 1]! : packet
      return packet.time - before.time - this.#lengthMs(before) >= minGapMs
    })
  }

  #layOut(page: readonly Packet[], missing: number): Packet[] {
    const from = this.#quietest(page)
    let time = page[0]!.time
    return page.map((packet, i) => {
      if (i === from) time += missing
      const laid = { ...packet, time }
      time += this.#lengthMs(packet)
      return laid
    })
  }

  #endMs(): number {
    return (this.#pages[this.#next]?.end ?? Number.POSITIVE_INFINITY) * 1000
  }

  #lengthMs({ samples }: Packet): number {
    return samples.length / 2 / this.#samplesPerMs
  }

  /** Index of the packet before which there is least sound. */
  #quietest(page: readonly Packet[]): number {
    const energies = page.map(energyOf)
    const before = this.#last ? energyOf(this.#last) : 0
    const around = energies.map((energy, i) => energy + (energies[i - 1] ?? before))
    return around.indexOf(Math.min(...around))
  }
}

/** Mean square of the samples. */
function energyOf({ samples }: Packet): number {
  let sum = 0
  for (let at = 0; at + 1 < samples.length; at += 2) sum += samples.readInt16LE(at) ** 2
  return sum / Math.max(1, samples.length >> 1)
}
